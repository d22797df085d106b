from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, gid
from tradewind.sandbox.shopify import StoreOrder

CAPTURE = """mutation ($input: OrderCaptureInput!) { orderCapture(input: $input) {
  transaction { kind status amountSet { shopMoney { amount } } parentTransaction { id }
                order { displayFinancialStatus capturable } }
  userErrors { field message } } }"""
MARK = """mutation ($id: ID!) { orderMarkAsPaid(input: {id: $id}) {
  order { displayFinancialStatus fullyPaid canMarkAsPaid
          transactions(first: 9) { kind status gateway paymentId parentTransaction { id } } }
  userErrors { field message } } }"""


@pytest.fixture
def shop() -> Shop:
    return Shop()


def capture(shop: Shop, order: StoreOrder, amount: str, **more: Any) -> dict[str, Any]:
    parent = gid("OrderTransaction", order.transactions[0].id)
    given = {"id": gid("Order", order.id), "parentTransactionId": parent, "amount": amount, **more}
    answer: dict[str, Any] = shop.data(CAPTURE, input=given)["orderCapture"]
    return answer


def mark(shop: Shop, order: StoreOrder) -> dict[str, Any]:
    answer: dict[str, Any] = shop.data(MARK, id=gid("Order", order.id))["orderMarkAsPaid"]
    return answer


def test_an_authorisation_is_captured_once(shop: Shop) -> None:
    order = shop.place(kind="authorization")
    made = capture(shop, order, "33.92")
    assert made["userErrors"] == []
    assert made["transaction"]["kind"] == "CAPTURE"
    assert made["transaction"]["order"] == {"displayFinancialStatus": "PAID", "capturable": False}

    again = capture(shop, order, "33.92")
    assert again["transaction"] is None
    assert again["userErrors"][0]["field"] == ["input", "parentTransactionId"]


def test_less_than_was_authorised_may_be_captured_and_more_may_not(shop: Shop) -> None:
    order = shop.place(kind="authorization")
    assert capture(shop, order, "33.93")["userErrors"][0]["field"] == ["input", "amount"]
    assert capture(shop, order, "0")["userErrors"][0]["field"] == ["input", "amount"]
    assert capture(shop, order, "30.00")["transaction"]["order"]["displayFinancialStatus"] == "PARTIALLY_PAID"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "gid://shopify/Order/1"},
        {"parentTransactionId": "gid://shopify/OrderTransaction/1"},
        {"currency": "EUR"},
    ],
)
def test_a_capture_of_something_else_is_refused(shop: Shop, wrong: dict[str, str]) -> None:
    order = shop.place(kind="authorization")
    assert capture(shop, order, "33.92", **wrong)["userErrors"]
    assert len(order.transactions) == 1


def test_a_payment_taken_elsewhere_is_marked_as_paid(shop: Shop) -> None:
    order = shop.place(gateway="stripe", kind="pending", payment_id="c123")
    shop.subscribe("ORDERS_PAID", "ORDER_TRANSACTIONS_CREATE", "ORDERS_UPDATED")
    marked = mark(shop, order)
    assert marked["userErrors"] == []
    assert marked["order"]["displayFinancialStatus"] == "PAID"
    announced, paid = marked["order"]["transactions"]
    assert (announced["kind"], announced["status"]) == ("SALE", "PENDING")
    assert (paid["kind"], paid["status"], paid["gateway"], paid["paymentId"]) == ("SALE", "SUCCESS", "stripe", "c123")
    assert [hook.topic for hook in shop.sent()] == ["order_transactions/create", "orders/paid", "orders/updated"]


def test_marking_as_paid_captures_an_authorisation(shop: Shop) -> None:
    marked = mark(shop, shop.place(kind="authorization"))
    assert [each["kind"] for each in marked["order"]["transactions"]] == ["AUTHORIZATION", "CAPTURE"]


def test_an_order_that_owes_nothing_cannot_be_marked_as_paid(shop: Shop) -> None:
    order = shop.place()
    assert mark(shop, order) == {
        "order": None,
        "userErrors": [{"field": ["id"], "message": "Order cannot be marked as paid."}],
    }


def test_a_cancelled_order_cannot_be_marked_as_paid(shop: Shop) -> None:
    order = shop.place(gateway="stripe", kind="pending", payment_id="c123")
    shop.store.cancel_order(order.id, "customer", refund=True)
    assert mark(shop, order)["userErrors"]


def test_the_money_of_an_order_that_the_store_took_itself_is_known_to_the_judges(shop: Shop) -> None:
    order = shop.place(kind="authorization")
    assert shop.sandbox.truth.of("captured") == []
    capture(shop, order, "33.92")
    assert [each["amount_minor"] for each in shop.sandbox.truth.of("captured")] == [3392]
    mark(shop, shop.place(gateway="stripe", kind="pending", payment_id="c123"))
    assert len(shop.sandbox.truth.of("captured")) == 1
