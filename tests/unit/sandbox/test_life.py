"""The whole life of orders in the merchant's world: everything happens to some, and each has its right end."""

from collections import Counter
from typing import Any

import pytest

from tests.unit.sandbox.test_world import make, pass_time
from tradewind.sandbox import Sandbox
from tradewind.sandbox.checkout import PROCESSOR_STORE
from tradewind.sandbox.clock import ManualClock
from tradewind.sandbox.life import DOINGS, FOREIGN, JOURNEYS, Fate
from tradewind.sandbox.outcomes import order_outcomes
from tradewind.sandbox.shopify.fulfilling import Parcel, Tracking, fulfil
from tradewind.sandbox.shopify.paying import capture, mark_as_paid
from tradewind.sandbox.shopify.payment import capturable, owed, pending


def serve(sandbox: Sandbox) -> None:
    """What tradewind would do, at once: take the money of what may leave, and let it leave."""
    payments = sandbox.stripe["main"].payments
    announced = {intent["metadata"].get("payment_id"): intent for intent in payments.intents.values()}
    for store in sandbox.shopify.values():
        for order in store.orders.values():
            if order.cancelled_at or order.fulfillments or any(each.holds for each in order.fulfillment_orders):
                continue
            for each in pending(order):
                if announced[each.payment_id]["status"] == "requires_capture":
                    payments.capture(announced[each.payment_id]["id"])
            for each in list(order.transactions):
                if capturable(order, each):
                    capture(store, order, each, each.presented)
            if pending(order):
                mark_as_paid(store, order)
            if owed(order) <= 0:
                open_ = [Parcel(each) for each in order.fulfillment_orders if each.status != "CLOSED"]
                fulfil(store, order, open_, Tracking("UPS", ["1Z1"], []))


async def live(sandbox: Sandbox, clock: ManualClock, orders: int = 300) -> None:
    """A world in which everything happens, served until it is quiet."""
    sandbox.world.start(orders=orders, rate_per_s=20.0, life="full")

    def quiet() -> bool:
        serve(sandbox)
        return bool(sandbox.world.progress()["quiet"])

    await pass_time(clock, quiet)


@pytest.fixture
async def world() -> Sandbox:
    sandbox, clock = make()
    await live(sandbox, clock)
    return sandbox


def outcomes(sandbox: Sandbox) -> list[dict[str, Any]]:
    return order_outcomes(sandbox.truth)


async def test_everything_happens_to_some_orders_and_nothing_fails(world: Sandbox) -> None:
    assert world.world.progress()["failures"] == []
    kinds = {fact["kind"] for fact in world.truth.facts}
    assert {"order_edited", "hold_released", "order_refunded", "return_closed", "dispute_closed"} <= kinds
    ends = Counter(outcome["ends"][0] for outcome in outcomes(world))
    assert set(ends) == {"shipped", "cancelled", "returned", "disputed"}
    assert ends["shipped"] > 200
    assert {order.money.presentment for order in world.shopify[PROCESSOR_STORE].orders.values()} == {"GBP", *FOREIGN}
    every = [order for store in world.shopify.values() for order in store.orders.values()]
    for seen in ("tip", "duties", "edited"):
        assert any(getattr(order, seen) for order in every), seen
    assert {order.taxes_included for order in every} == {True, False}
    assert any("gift_card" in order.gateways and len(order.gateways) == 2 for order in every)


async def test_nothing_is_owed_or_held_in_the_end(world: Sandbox) -> None:
    for store in world.shopify.values():
        for order in store.orders.values():
            assert not pending(order), order.name
            assert owed(order) == 0 or order.refunds or order.cancelled_at, order.name
            assert not any(each.holds for each in order.fulfillment_orders) or order.cancelled_at


async def test_a_card_is_charged_what_the_shopper_saw(world: Sandbox) -> None:
    charged = {
        intent["metadata"].get("payment_id"): intent for intent in world.stripe["main"].payments.intents.values()
    }
    for order in world.shopify[PROCESSOR_STORE].orders.values():
        for each in order.transactions:
            if (each.gateway, each.kind, each.parent) == ("stripe", "SALE", None):
                intent = charged[each.payment_id]
                minor = each.presented if order.money.presentment == "JPY" else each.presented * 100
                assert (intent["amount"], intent["currency"].upper()) == (minor, order.money.presentment)


async def test_returned_goods_lie_on_the_shelf_again(world: Sandbox) -> None:
    returned = [outcome for outcome in outcomes(world) if outcome["ends"] == ["returned"]]
    assert returned
    for outcome in returned:
        order = world.shopify[outcome["store"]].order(outcome["order_id"])
        [came_back] = order.returns
        assert all(line.disposed == line.quantity for line in came_back.lines)
        assert order.current_total == order.current_shipping + order.current_duties + order.current_tip
        assert outcome["refunded_minor"] > 0


async def test_the_same_seed_has_the_same_life() -> None:
    found = []
    for _ in range(2):
        sandbox, clock = make(seed=7)
        await live(sandbox, clock, orders=60)
        found.append([{**outcome, "label_requests": []} for outcome in outcomes(sandbox)])
    assert found[0] == found[1]


async def test_a_plain_life_has_none_of_it() -> None:
    sandbox, clock = make()
    sandbox.world.start(orders=100, rate_per_s=20.0)
    await pass_time(clock, lambda: bool(sandbox.world.progress()["quiet"]))
    every = [order for store in sandbox.shopify.values() for order in store.orders.values()]
    assert {order.money.presentment for order in every} == {"GBP"}
    assert {fact["kind"] for fact in sandbox.truth.facts} <= {
        *("order_accepted", "payment_authorised", "captured", "cancel_acknowledged", "order_refunded", "refunded"),
    }
    assert sandbox.shipstation["main"].shipping.journey_of({}) == "delivered"


def test_an_unknown_life_is_an_error_that_names_the_known_ones() -> None:
    sandbox, _ = make()
    with pytest.raises(ValueError, match="expected one of plain, full"):
        sandbox.world.start(orders=1, rate_per_s=1.0, life="short")


def test_rates_leave_most_orders_alone() -> None:
    assert sum(DOINGS.values()) < 0.5
    assert sum(JOURNEYS.values()) <= 0.1


async def test_an_undeliverable_parcel_is_taken_back() -> None:
    sandbox, clock = make()
    sandbox.world.start(orders=1, rate_per_s=1.0, life="full")
    await pass_time(clock, lambda: bool(sandbox.world.progress()["quiet"]))
    serve(sandbox)
    order = next(order for store in sandbox.shopify.values() for order in store.orders.values())
    shipping = sandbox.shipstation["main"].shipping
    shipping.on_sent_back(f"gid://shopify/Order/{order.id}")
    await pass_time(clock, lambda: bool(sandbox.world.progress()["quiet"]))
    assert [each.status for each in order.returns] == ["CLOSED"]
    shipping.on_sent_back("something else")


def test_a_fate_without_a_doing_holds_nothing() -> None:
    assert Fate().hold is None
    assert Fate(doing="fraud").hold == "HIGH_RISK_OF_FRAUD"
