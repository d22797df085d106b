"""Holds on fulfillment orders, and the risk of orders."""

from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import StoreOrder
from tradewind.sandbox.shopify.order import IN_DOUBT

HOLD = """mutation ($id: ID!, $hold: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
  fulfillmentHold { id reason reasonNotes handle heldByRequestingApp }
  fulfillmentOrder { status supportedActions { action } fulfillmentHolds { reason } } userErrors { code } } }"""
RELEASE = """mutation ($id: ID!, $holds: [ID!]) { fulfillmentOrderReleaseHold(id: $id, holdIds: $holds) {
  fulfillmentOrder { status fulfillmentHolds { handle } } userErrors { code } } }"""
FULFIL = """mutation ($id: ID!) {
  fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: [{fulfillmentOrderId: $id}]}) {
    userErrors { message } } }"""
RISK = """query ($id: ID!) { order(id: $id) { risk { recommendation assessments { riskLevel } }
  fulfillmentOrders(first: 1) { nodes { status fulfillmentHolds { reason } } } } }"""


RISKY = "HIGH_RISK_OF_FRAUD"


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.subscribe(
        *("FULFILLMENT_ORDERS_PLACED_ON_HOLD", "FULFILLMENT_ORDERS_HOLD_RELEASED"),
        *("FULFILLMENT_HOLDS_ADDED", "FULFILLMENT_HOLDS_RELEASED"),
        *("ORDERS_RISK_ASSESSMENT_CHANGED", "ORDERS_UPDATED"),
    )
    return shop


def work_of(order: StoreOrder) -> str:
    return gid("FulfillmentOrder", order.fulfillment_orders[0].id)


def hold(shop: Shop, order: StoreOrder, **given: Any) -> dict[str, Any]:
    asked = {"reason": "INCORRECT_ADDRESS", **given}
    answer: dict[str, Any] = shop.data(HOLD, id=work_of(order), hold=asked)["fulfillmentOrderHold"]
    return answer


def test_what_is_held_is_not_shipped_until_every_hold_is_released(shop: Shop) -> None:
    order = shop.place()
    shop.sent()
    first = hold(shop, order, handle="a", reasonNotes="ask first")
    assert first["fulfillmentHold"] | {"id": ""} == {
        "id": "",
        "reason": "INCORRECT_ADDRESS",
        "reasonNotes": "ask first",
        "handle": "a",
        "heldByRequestingApp": True,
    }
    assert first["fulfillmentOrder"]["status"] == "ON_HOLD"
    assert first["fulfillmentOrder"]["supportedActions"][0] == {"action": "RELEASE_HOLD"}
    hold(shop, order, handle="b")
    refused = shop.data(FULFIL, id=work_of(order))["fulfillmentCreate"]["userErrors"]
    assert "unfulfillable status= on_hold" in refused[0]["message"]
    left = shop.data(RELEASE, id=work_of(order), holds=[first["fulfillmentHold"]["id"]])
    assert left["fulfillmentOrderReleaseHold"]["fulfillmentOrder"] == {
        "status": "ON_HOLD",
        "fulfillmentHolds": [{"handle": "b"}],
    }
    released = shop.data(RELEASE, id=work_of(order))["fulfillmentOrderReleaseHold"]["fulfillmentOrder"]
    assert released == {"status": "OPEN", "fulfillmentHolds": []}
    assert shop.data(FULFIL, id=work_of(order))["fulfillmentCreate"]["userErrors"] == []


def test_holds_are_told_of(shop: Shop) -> None:
    order = shop.place()
    shop.sent()
    shop.clock.advance(60)
    shop.store.desk.hold(order.id, "OTHER", "wait")
    shop.store.desk.release(order.id)
    shop.store.desk.release(order.id)
    told = shop.sent()
    assert [hook.topic for hook in told] == [
        *("fulfillment_holds/added", "fulfillment_orders/placed_on_hold", "orders/updated"),
        *("fulfillment_holds/released", "fulfillment_orders/hold_released", "orders/updated"),
    ]
    added, held, _, gone, released, _ = map(body, told)
    assert (held["fulfillment_order"]["id"], held["fulfillment_order"]["status"]) == (work_of(order), "on_hold")
    assert held["fulfillment_order"]["fulfillment_holds"] == [added["fulfillment_hold"]]
    assert (added["fulfillment_hold"]["reason"], added["fulfillment_hold"]["reason_notes"]) == ("other", "wait")
    assert added == gone == {"fulfillment_order": {"id": work_of(order)}, "fulfillment_hold": added["fulfillment_hold"]}
    assert released == {"fulfillment_order": {"id": work_of(order), "status": "open"}}
    assert order.updated_at == shop.store.now()


def test_each_hold_is_told_of_and_its_work_by_the_first_and_the_last(shop: Shop) -> None:
    order = shop.place()
    holds = [hold(shop, order, handle=handle, reason=reason) for handle, reason in (("a", "OTHER"), ("b", RISKY))]
    shop.sent()
    for each in reversed(holds):
        shop.data(RELEASE, id=work_of(order), holds=[each["fulfillmentHold"]["id"]])
    told = [hook for hook in shop.sent() if hook.topic != "orders/updated"]
    assert [hook.topic for hook in told] == [
        *("fulfillment_holds/released", "fulfillment_holds/released"),
        "fulfillment_orders/hold_released",
    ]
    assert [body(hook)["fulfillment_hold"]["reason"] for hook in told[:2]] == [RISKY.lower(), "other"]
    assert [fact["reason"] for fact in shop.sandbox.truth.of("hold_released")] == [RISKY, "OTHER"]


@pytest.mark.parametrize(
    ("given", "code"),
    [({"handle": "a"}, "DUPLICATE_FULFILLMENT_HOLD_HANDLE"), ({"handle": "x"}, "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED")],
)
def test_holds_have_handles_of_their_own_and_a_limit(shop: Shop, given: dict[str, str], code: str) -> None:
    order = shop.place()
    for handle in "abcdefghij":
        assert hold(shop, order, handle=handle)["userErrors"] == []
    assert hold(shop, order, **given)["userErrors"] == [{"code": code}]


def test_what_is_not_there_or_closed_is_not_held(shop: Shop) -> None:
    order = shop.place()
    shop.data(FULFIL, id=work_of(order))
    assert hold(shop, order)["userErrors"] == [{"code": "FULFILLMENT_ORDER_NOT_FOUND"}]
    missing = shop.data(RELEASE, id=gid("FulfillmentOrder", 1))["fulfillmentOrderReleaseHold"]
    assert missing["userErrors"] == [{"code": "FULFILLMENT_ORDER_NOT_FOUND"}]


def test_a_doubtful_order_may_wait_from_the_start(shop: Shop) -> None:
    order = shop.place(risk=IN_DOUBT, hold="HIGH_RISK_OF_FRAUD")
    assert shop.data(RISK, id=gid("Order", order.id))["order"] == {
        "risk": {"recommendation": "INVESTIGATE", "assessments": [{"riskLevel": "HIGH"}]},
        "fulfillmentOrders": {"nodes": [{"status": "ON_HOLD", "fulfillmentHolds": [{"reason": "HIGH_RISK_OF_FRAUD"}]}]},
    }
    shop.sent()
    shop.store.desk.assess(order.id, "ACCEPT", "LOW")
    [told, updated] = shop.sent()
    assert (told.topic, updated.topic) == ("orders/risk_assessment_changed", "orders/updated")
    assert body(told)["risk_level"] == "low"
    assert shop.data(RISK, id=gid("Order", order.id))["order"]["risk"]["recommendation"] == "ACCEPT"
