"""Units taken off an order, and money given back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.catalog import Location
from tradewind.sandbox.shopify.money import ZERO, minor_units, part
from tradewind.sandbox.shopify.order import OrderLine, Refund, RefundLine, Return, StoreOrder, Transaction
from tradewind.sandbox.shopify.payment import OWN_GATEWAYS, presented_left, received, refundable, refunded
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.routing import level_of
from tradewind.sandbox.shopify.stock import Level
from tradewind.sandbox.shopify.subscriptions import Happening

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


@dataclass(frozen=True)
class Units:
    """Units of a line to take off. restock_type: CANCEL, RETURN or NO_RESTOCK."""

    line: OrderLine
    quantity: int
    restock_type: str
    location: Location | None = None
    came_back: bool = False  # by a return, which has put them on the shelf already, or not


@dataclass(frozen=True)
class Payback:
    """Money to give back of one sale or capture. amount: in the shop's currency; presented: in the shopper's."""

    paid: Transaction
    amount: Decimal
    presented: Decimal


def refund(
    store: ShopifyStore,
    order: StoreOrder,
    units: Sequence[Units],
    *,
    shipping: Decimal = ZERO,
    paybacks: Sequence[Payback] = (),
    note: str | None = None,
    processed_at: datetime | None = None,
    over: bool = False,
    duties: Sequence[tuple[OrderLine, Decimal]] = (),
    return_id: int | None = None,
) -> Refund:
    """Refund an order. over: more money than was paid may go back. duties: those of which lines, and how much.

    Raises RefusalError. Source: shopify.dev, refundCreate.
    """
    _check(order, units, shipping, paybacks, over)
    happening = store.happening()
    made, levels = take_off(
        store, order, units, shipping=shipping, paybacks=paybacks, note=note, at=processed_at, duties=duties
    )
    made.return_id = return_id
    announce(store, happening, order, made, levels)
    webhooks.order_updated(store, happening, order)
    return made


def refund_by_merchant(
    store: ShopifyStore, order: StoreOrder, lines: Iterable[tuple[int, int]], amount: Decimal | None, note: str | None
) -> Refund:
    """What a merchant does at the desk: unshipped units are cancelled, shipped ones come back. Raises RefusalError."""
    by_id = {line.id: line for line in order.lines}
    wanted = [(by_id[line_id], quantity) for line_id, quantity in lines]
    units = [each for line, quantity in wanted for each in _split(line, quantity)]
    if amount is None:
        amount = sum((worth(order, line, quantity) for line, quantity in wanted), ZERO)
    paybacks = spread(order, min(amount, received(order) - refunded(order)))
    return refund(store, order, units, paybacks=paybacks, note=note)


def refund_return(store: ShopifyStore, order: StoreOrder, given: Return) -> Refund:
    """Give back what the goods of a return cost. Raises RefusalError."""
    units = [Units(each.shipped.line, each.quantity, "NO_RESTOCK", came_back=True) for each in given.lines]
    amount = sum((worth(order, each.line, each.quantity) for each in units), ZERO)
    paybacks = spread(order, min(amount, received(order) - refunded(order)))
    return refund(store, order, units, paybacks=paybacks, return_id=given.id)


def spread(order: StoreOrder, amount: Decimal) -> list[Payback]:
    """Which payments an amount is taken back from, oldest first."""
    paybacks = []
    for each in order.transactions:
        share = min(amount, refundable(order, each))
        if share > 0:
            paybacks.append(payback(order, each, share))
            amount -= share
    return paybacks


def payback(order: StoreOrder, paid: Transaction, amount: Decimal) -> Payback:
    """So much of the shop's currency back of one payment; the last part of it is what is left in both currencies."""
    whole = amount == refundable(order, paid)
    return Payback(paid, amount, presented_left(order, paid) if whole else order.money.presented(amount))


def duties_of(order: StoreOrder, lines: Iterable[OrderLine]) -> list[tuple[OrderLine, Decimal]]:
    """What can be given back of the duties of these lines."""
    given = {line.id: ZERO for line in order.lines}
    for refund in order.refunds:
        for line, amount in refund.duties:
            given[line.id] += amount
    return [(line, line.duty - given[line.id]) for line in lines if line.duty > given[line.id]]


def take_off(
    store: ShopifyStore,
    order: StoreOrder,
    units: Sequence[Units],
    *,
    shipping: Decimal,
    paybacks: Sequence[Payback],
    note: str | None,
    at: datetime | None = None,
    duties: Sequence[tuple[OrderLine, Decimal]] = (),
    tip: Decimal = ZERO,
) -> tuple[Refund, list[Level]]:
    """Carry out a checked refund; gives it and the stock levels that it changed. Tells nobody."""
    now = store.now()
    levels: list[Level] = []
    rows = [_take_off_units(store, order, wanted, now, levels) for wanted in units if wanted.quantity]
    touched = {row.line.id for row in rows}
    for each in order.fulfillment_orders:
        if any(row.line.id in touched for row in each.lines):
            each.settle(now)
    back = [_give_back(store, order, each, now) for each in paybacks]
    made = Refund(store.ids.next(), now, at or now, note, rows, back, duties=list(duties), tip=tip)
    if shipping:
        _refund_shipping(order, made, shipping)
    order.refunds.append(made)
    order.updated_at = max(order.updated_at, now)
    store.truth.record(
        "order_refunded",
        store=store.account,
        order_id=order.id,
        amount_minor=minor_units(sum((each.amount for each in back), ZERO), order.currency),
        units=sum(row.quantity for row in rows),
        units_back=sum(row.quantity for row in rows if row.restock_type == "RETURN"),
        whole=order.current_total <= 0,
    )
    return made, levels


def announce(
    store: ShopifyStore, happening: Happening, order: StoreOrder, made: Refund, levels: Sequence[Level]
) -> None:
    """Tell of a refund and of everything that it changed besides the order."""
    webhooks.refund_created(store, happening, order, made)
    for transaction in made.transactions:
        webhooks.transaction_created(store, happening, order, transaction)
    webhooks.levels_changed(store, happening, levels)


def _check(
    order: StoreOrder, units: Sequence[Units], shipping: Decimal, paybacks: Sequence[Payback], over: bool
) -> None:
    for index, each in enumerate(units):
        where = ["refundLineItems", str(index), "quantity"]
        if each.quantity > each.line.current_quantity:
            raise RefusalError("Quantity cannot refund more items than were purchased", field=where)
        open_ = each.line.unshipped
        if each.restock_type == "CANCEL" and each.quantity > open_:
            raise RefusalError("Quantity cannot cancel more items than are unfulfilled", field=where)
        if each.restock_type == "RETURN" and each.quantity > each.line.current_quantity - open_:
            raise RefusalError("Quantity cannot return more items than were fulfilled", field=where)
    if shipping > order.current_shipping:
        raise RefusalError("Shipping amount is more than can be refunded", field=["shipping"])
    for index, payback in enumerate(paybacks):
        if payback.presented > presented_left(order, payback.paid) and not over:
            raise RefusalError(
                "Refund amount is more than the amount that can be refunded",
                field=["transactions", str(index), "amount"],
            )
    if not (units or shipping or paybacks):
        raise RefusalError("Refund must have at least one line item, shipping, or transaction")


def _split(line: OrderLine, quantity: int) -> list[Units]:
    cancelled = min(quantity, line.unshipped)
    parts = [Units(line, cancelled, "CANCEL"), Units(line, quantity - cancelled, "RETURN")]
    return [each for each in parts if each.quantity]


def worth(order: StoreOrder, line: OrderLine, quantity: int) -> Decimal:
    """What units that are on an order cost, tax included."""
    net = line.share(line.net, quantity, done=line.removed)
    return net if order.taxes_included else net + line.share(line.tax, quantity, done=line.removed)


def _take_off_units(
    store: ShopifyStore, order: StoreOrder, units: Units, at: datetime, levels: list[Level]
) -> RefundLine:
    line, quantity = units.line, units.quantity
    subtotal = line.share(line.net, quantity, done=line.removed)
    tax = line.share(line.tax, quantity, done=line.removed)
    location = units.location
    shipped = units.restock_type == "RETURN" or units.came_back
    from_open = 0 if shipped else min(quantity, line.unshipped)
    if from_open:
        location = location or _release(store, units, from_open, at, levels)
    elif units.restock_type == "RETURN":
        location = location or _shipped_from(order, line)
        if level := level_of(store, line, location, at):
            level.move(at, available=quantity)
            levels.append(level)
    line.removed += quantity
    return RefundLine(store.ids.next(), line, quantity, subtotal, tax, units.restock_type, location)


def _release(store: ShopifyStore, units: Units, quantity: int, at: datetime, levels: list[Level]) -> Location | None:
    """Take units out of the fulfillment order that has them; with CANCEL they can be sold again."""
    location = None
    for row in units.line.rows:
        taken = min(quantity, row.remaining)
        if not taken:
            continue
        quantity -= taken
        row.remaining -= taken
        location = location or row.location
        if level := level_of(store, units.line, row.location, at):
            level.move(at, committed=-taken, available=taken if units.restock_type == "CANCEL" else 0)
            levels.append(level)
    return location


def _shipped_from(order: StoreOrder, line: OrderLine) -> Location:
    for fulfillment in reversed(order.fulfillments):
        if any(row.line is line for row in fulfillment.lines):
            return fulfillment.location
    return order.fulfillment_orders[0].location


def _give_back(store: ShopifyStore, order: StoreOrder, payback: Payback, at: datetime) -> Transaction:
    paid = payback.paid
    made = Transaction(
        store.ids.next(),
        "REFUND",
        "SUCCESS",
        paid.gateway,
        payback.amount,
        at,
        paid.payment_id,
        payback.presented,
        paid,
    )
    order.transactions.append(made)
    if paid.gateway in OWN_GATEWAYS:
        store.record_money("refunded", order, made)
    return made


def _refund_shipping(order: StoreOrder, made: Refund, amount: Decimal) -> None:
    charge = order.shipping_charge
    made.shipping_line_id = charge.id
    made.shipping = amount
    cents = minor_units(charge.price, order.currency)
    made.shipping_tax = part(
        charge.tax,
        of=cents,
        done=minor_units(charge.refunded, order.currency),
        more=minor_units(amount, order.currency),
        currency=order.currency,
    )
    charge.refunded += amount
    charge.tax_refunded += made.shipping_tax
