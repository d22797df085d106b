import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import StoreOrder

CANCEL = """mutation ($id: ID!, $refund: Boolean! = true, $restock: Boolean! = true) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: $restock, staffNote: "changed my mind",
              refundMethod: {originalPaymentMethodsRefund: $refund}) {
    job { id done } orderCancelUserErrors { field message code } userErrors { message } } }"""
JOB = "query ($id: ID!) { job(id: $id) { id done } }"
FULFIL = """mutation ($id: ID!) {
  fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: [{fulfillmentOrderId: $id}]}) {
    fulfillment { id } userErrors { field message } } }"""


@pytest.fixture
def shop() -> Shop:
    return Shop()


def fulfil(shop: Shop, order: StoreOrder) -> dict[str, Any]:
    number = order.fulfillment_orders[0].id
    answer: dict[str, Any] = shop.data(FULFIL, id=gid("FulfillmentOrder", number))["fulfillmentCreate"]
    return answer


def test_cancelling_gives_the_money_back_and_restocks(shop: Shop) -> None:
    order = shop.place()
    assert shop.store.cancel_order(order.id, "customer", refund=True)
    assert (order.cancel_reason, order.current_total) == ("CUSTOMER", Decimal(0))
    assert [each.kind for each in order.transactions] == ["SALE", "REFUND"]
    assert order.transactions[-1].amount == order.total
    assert shop.quantities("MUG", "London") == {"available": 10, "committed": 0, "on_hand": 10}
    assert [each["order_id"] for each in shop.sandbox.truth.of("cancel_acknowledged")] == [order.id]


@pytest.mark.parametrize(
    "payment", [{"kind": "authorization"}, {"gateway": "stripe", "kind": "pending", "payment_id": "c1"}]
)
def test_cancelling_releases_what_was_only_held(shop: Shop, payment: dict[str, str]) -> None:
    order = shop.place(**payment)
    shop.store.cancel_order(order.id, "customer", refund=True)
    assert [each.kind for each in order.transactions][1:] == ["VOID"]
    shown = shop.data(
        "query ($id: ID!) { order(id: $id) { displayFinancialStatus totalCapturableSet { shopMoney { amount } } } }",
        id=gid("Order", order.id),
    )
    assert shown["order"]["displayFinancialStatus"] == "VOIDED"
    assert shown["order"]["totalCapturableSet"]["shopMoney"]["amount"] == "0.00"


def test_cancelling_closes_the_fulfillment_orders_and_nothing_can_be_shipped_any_more(shop: Shop) -> None:
    order = shop.place()
    shop.store.cancel_order(order.id, "customer", refund=True)
    shown = shop.data(
        """query ($id: ID!) { order(id: $id) { cancelledAt closed displayFulfillmentStatus
        fulfillmentOrders(first: 5) { nodes { status supportedActions { action }
          lineItems(first: 5) { nodes { remainingQuantity totalQuantity } } } } } }""",
        id=gid("Order", order.id),
    )["order"]
    [fulfillment_order] = shown["fulfillmentOrders"]["nodes"]
    assert (fulfillment_order["status"], fulfillment_order["supportedActions"]) == ("CLOSED", [])
    assert fulfillment_order["lineItems"]["nodes"] == [{"remainingQuantity": 0, "totalQuantity": 3}]
    assert shown["displayFulfillmentStatus"] == "UNFULFILLED"

    refused = fulfil(shop, order)
    assert refused["fulfillment"] is None
    assert "unfulfillable status= closed" in refused["userErrors"][0]["message"]


def test_an_order_with_fulfillments_cannot_be_cancelled(shop: Shop) -> None:
    order = shop.place()
    assert fulfil(shop, order)["userErrors"] == []
    assert not shop.store.cancel_order(order.id, "customer", refund=True)
    assert order.cancelled_at is None
    assert shop.sandbox.truth.of("cancel_acknowledged") == []


def test_an_order_is_cancelled_once(shop: Shop) -> None:
    order = shop.place()
    assert shop.store.cancel_order(order.id, "customer", refund=True)
    assert not shop.store.cancel_order(order.id, "customer", refund=True)
    assert len(order.refunds) == 1


def test_cancelling_tells_of_the_order_the_refund_and_the_stock(shop: Shop) -> None:
    order = shop.place()
    shop.subscribe()
    shop.store.cancel_order(order.id, "fraud", refund=True)
    hooks = shop.sent()
    assert [hook.topic for hook in hooks] == [
        "orders/cancelled",
        "orders/updated",
        "refunds/create",
        "order_transactions/create",
        "inventory_levels/update",
    ]
    told = body(hooks[0])
    assert (told["cancel_reason"], told["financial_status"]) == ("fraud", "refunded")
    assert told["current_total_price"] == "0.00"


def test_without_restock_the_goods_are_gone(shop: Shop) -> None:
    order = shop.place()

    async def cancel() -> None:
        shop.data(CANCEL, id=gid("Order", order.id), restock=False)
        await finish(shop, lambda: order.cancelled_at)

    asyncio.run(cancel())
    assert shop.quantities("MUG", "London") == {"available": 7, "committed": 0, "on_hand": 7}


async def test_the_mutation_answers_with_a_job_that_cancels_later(shop: Shop) -> None:
    order = shop.place()
    answer = shop.data(CANCEL, id=gid("Order", order.id), refund=False)["orderCancel"]
    assert answer["orderCancelUserErrors"] == []
    assert answer["job"]["done"] is False
    assert order.cancelled_at is None

    await finish(shop, lambda: order.cancelled_at)
    assert shop.data(JOB, id=answer["job"]["id"])["job"]["done"] is True
    assert (order.cancel_reason, order.staff_note) == ("CUSTOMER", "changed my mind")
    assert [each.kind for each in order.transactions] == ["SALE"]


async def test_what_is_shipped_before_the_job_runs_stays_shipped(shop: Shop) -> None:
    order = shop.place()
    answer = shop.data(CANCEL, id=gid("Order", order.id))["orderCancel"]
    fulfil(shop, order)
    job = shop.store.jobs.by_id[answer["job"]["id"].rpartition("/")[2]]
    await finish(shop, lambda: job.done)
    assert order.cancelled_at is None
    assert len(order.fulfillments) == 1


def test_the_mutation_refuses_at_once_what_cannot_be_cancelled(shop: Shop) -> None:
    order = shop.place()
    fulfil(shop, order)
    shipped = shop.data(CANCEL, id=gid("Order", order.id))["orderCancel"]
    unknown = shop.data(CANCEL, id=gid("Order", 1))["orderCancel"]
    assert (shipped["job"], unknown["job"]) == (None, None)
    assert shipped["orderCancelUserErrors"][0]["code"] == "INVALID"
    assert unknown["orderCancelUserErrors"][0]["code"] == "NOT_FOUND"


async def finish(shop: Shop, condition: Any) -> None:
    """Let jobs run until something has happened."""
    await asyncio.sleep(0)
    for _ in range(50):
        shop.clock.advance(0.5)
        await asyncio.sleep(0)
        if condition():
            return
    raise AssertionError("it did not happen")
