"""What happens to an order after it was placed, one doing for each kind of story."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial

from tests.simulation.story import Planned, Story
from tradewind.sandbox.shopify.payment import owed, received
from tradewind.sandbox.stripe.events import NOBODY

LOOK_EVERY_S = 600.0
POUND = Decimal(1)
TRIES = 40
"""How often two changes of one order are made within one second, until a read falls between them."""

Act = Callable[[Story, Planned], Awaitable[None]]


async def _nothing(story: Story, one: Planned) -> None:
    """It is paid and shipped."""


async def _cancel(story: Story, one: Planned, *, waiting: bool = False) -> None:
    if one.number in story.decided:
        one.cancelled = False
        if not story.decided[one.number]:
            return
        await asyncio.sleep(0.01)
    else:
        if waiting:
            await _until(lambda: _is_paid(story, one), 20.0)
        await asyncio.sleep(one.after_s)
    one.cancelled = story.shop(one).cancel_order(one.order_id, reason="CUSTOMER", refund=True)


async def _cancel_fraud(story: Story, one: Planned) -> None:
    await asyncio.sleep(one.after_s)
    one.cancelled = story.shop(one).cancel_order(one.order_id, reason="FRAUD", refund=True)


async def _refund_line(story: Story, one: Planned) -> None:
    await _once_shipped(story, one)
    line = story.order(one).lines[0]
    assert story.shop(one).refund_order(one.order_id, [(line.id, 1)], None, "broken")


async def _refund_by_hand(story: Story, one: Planned) -> None:
    await _once_shipped(story, one)
    if one.intent is not None:
        story.sandbox.stripe["main"].refund_from_dashboard(one.intent, 100)


async def _refund_amount(story: Story, one: Planned) -> None:
    await _once_shipped(story, one)
    assert story.shop(one).desk.refund(one.order_id, amount=POUND)


async def _refund_shipping(story: Story, one: Planned) -> None:
    await _once_shipped(story, one)
    if story.order(one).current_shipping:
        assert story.shop(one).desk.refund(one.order_id, shipping=True)


async def _refund_before_sweep(story: Story, one: Planned) -> None:
    """A moment before the store is asked what has changed, so that its index does not know of it yet."""
    await _once_shipped(story, one)
    listed_at_s = story.front.listed_at_s.get(f"shopify:{one.store}") if story.front is not None else None
    if listed_at_s is not None:
        due_in_s = listed_at_s + story.sweep_every_s - asyncio.get_running_loop().time()
        await asyncio.sleep(max(due_in_s - 10.0 * (one.after_s / 3600.0) - 3.0, 0.0))
    assert story.shop(one).desk.refund(one.order_id, amount=POUND)


async def _refund_twice(story: Story, one: Planned) -> None:
    """Two changes in one second, and the order is read between them: both have the same version."""
    await _once_shipped(story, one)
    loop, desk, name = asyncio.get_running_loop(), story.shop(one).desk, (one.store, one.order_id)
    for _ in range(TRIES):
        await asyncio.sleep(31.01 - loop.time() % 1.0)
        desk.assess(one.order_id, "ACCEPT", "LOW")
        read = asyncio.Event()
        if story.front is not None:
            story.front.on_read[name] = read.set
        try:
            async with asyncio.timeout(0.93):
                await read.wait()
            break
        except TimeoutError:
            continue
    if story.front is not None:
        story.front.on_read.pop(name, None)
    assert desk.refund(one.order_id, amount=POUND)


async def _return(story: Story, one: Planned) -> None:
    """The shopper sends everything back: asked for, agreed to, received, paid back, closed."""
    await _once_shipped(story, one)
    desk, order_id = story.shop(one).desk, one.order_id
    kind = "RESTOCKED" if one.number % 3 else "NOT_RESTOCKED"
    steps = (
        lambda: desk.open_return(order_id, requested=True),
        lambda: desk.approve_return(order_id),
        lambda: desk.receive_return(order_id, kind),
        lambda: desk.refund_return(order_id),
        lambda: desk.close_return(order_id),
    )
    for step in steps:
        assert step()
        await asyncio.sleep(one.after_s / 10)


async def _add_line(story: Story, one: Planned) -> None:
    """One more of something: what it costs is paid before the order goes out."""
    await asyncio.sleep(one.after_s)
    order, store = story.order(one), story.shop(one)
    known = {line.sku for line in order.lines}
    extra = next(each for each in store.catalog.by_sku.values() if each.sku not in known and each.requires_shipping)
    assert store.desk.edit(one.order_id, add={extra.sku: 1})
    if one.intent is None:
        store.desk.collect(one.order_id, gateway="shopify_payments", kind="sale")
    elif (amount := owed(order)) > 0:
        payment_id = f"{one.purchase.payment_id}-more"
        story.checkout.authorise_more(order, amount, payment_id)
        store.desk.collect(one.order_id, gateway="stripe", kind="pending", payment_id=payment_id)
    await asyncio.sleep(1.0)
    store.desk.release(one.order_id)


async def _lower_quantity(story: Story, one: Planned) -> None:
    """One unit less of the first line; what the store has got for it already goes back."""
    await asyncio.sleep(one.after_s)
    order, store = story.order(one), story.shop(one)
    line = order.lines[0]
    if sum(each.current_quantity for each in order.lines if each.requires_shipping) > 1:
        assert store.desk.edit(one.order_id, set_to={line.id: line.current_quantity - 1})
    await asyncio.sleep(1.0)
    store.desk.release(one.order_id)
    await _until(lambda: received(order) > 0, LOOK_EVERY_S)
    before = len(order.refunds)
    store.desk.give_back_excess(one.order_id)
    one.excess = sum((each.amount for made in order.refunds[before:] for each in made.transactions), Decimal(0))


async def _accept(story: Story, one: Planned) -> None:
    """Someone has looked at it, and it is all right."""
    await asyncio.sleep(one.after_s)
    store = story.shop(one)
    store.desk.assess(one.order_id, "ACCEPT", "LOW")
    store.desk.release(one.order_id)


async def _dispute(story: Story, one: Planned, *, won: bool | None) -> None:
    """The cardholder goes to the bank, which decides; None: not yet."""
    await _once_shipped(story, one)
    if one.intent is None:
        return
    account = story.sandbox.stripe["main"]
    dispute_id = account.dispute_payment(one.intent, reason="product_not_received")
    if won is None:
        return
    await asyncio.sleep(one.after_s)
    account.disputes.update(dispute_id, {"shipping_carrier": "Royal Mail"}, {}, submit=True, cause=NOBODY)
    await asyncio.sleep(one.after_s)
    account.disputes.decide(dispute_id, won=won)


async def _once_shipped(story: Story, one: Planned) -> None:
    order = story.order(one)
    await _until(lambda: all(work.status == "CLOSED" for work in order.fulfillment_orders), LOOK_EVERY_S)
    await _until(lambda: _is_paid(story, one), LOOK_EVERY_S)
    await asyncio.sleep(one.after_s)


async def _until(ready: Callable[[], bool], every_s: float) -> None:
    # The world looks now and then.
    while not ready():  # noqa: ASYNC110
        await asyncio.sleep(every_s)


def _is_paid(story: Story, one: Planned) -> bool:
    if one.intent is not None:
        return story.sandbox.stripe["main"].payments.intents[one.intent]["status"] == "succeeded"
    return received(story.order(one)) > 0


ACTS: dict[str, Act] = {
    "ship": _nothing,
    "cancel_at_once": _cancel,
    "cancel_later": _cancel,
    "cancel_waiting": partial(_cancel, waiting=True),
    "refund_line": _refund_line,
    "refund_by_hand": _refund_by_hand,
    "refund_twice": _refund_twice,
    "refund_unheard": _refund_amount,
    "refund_before_sweep": _refund_before_sweep,
    "refund_shipping": _refund_shipping,
    "returned": _return,
    "line_added": _add_line,
    "quantity_lowered": _lower_quantity,
    "reviewed": _accept,
    "fraud": _cancel_fraud,
    "dispute_won": partial(_dispute, won=True),
    "dispute_lost": partial(_dispute, won=False),
    "dispute_open": partial(_dispute, won=None),
}
