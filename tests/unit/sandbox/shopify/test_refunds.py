from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import PlacedLine, StoreOrder
from tradewind.sandbox.shopify.money import part

REFUND = """mutation ($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id note totalRefundedSet { shopMoney { amount } }
      refundLineItems(first: 9) { nodes { quantity restockType restocked subtotalSet { shopMoney { amount } }
        lineItem { currentQuantity } } }
      refundShippingLines(first: 9) { nodes { subtotalAmountSet { shopMoney { amount } } } }
      transactions(first: 9) { nodes { kind parentTransaction { id } } } }
    order { displayFinancialStatus currentTotalPriceSet { shopMoney { amount } } }
    userErrors { field message } } }"""
FULFIL = """mutation ($id: ID!) {
  fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: [{fulfillmentOrderId: $id}]}) {
    userErrors { message } } }"""


@pytest.fixture
def shop() -> Shop:
    return Shop()


def refund(shop: Shop, order: StoreOrder, key: str = "k1", **wanted: Any) -> dict[str, Any]:
    given_input = {"orderId": gid("Order", order.id), **wanted}
    answer: dict[str, Any] = shop.data(REFUND, input=given_input, key=key)["refundCreate"]
    return answer


def units(order: StoreOrder, quantity: int, restock: str) -> list[dict[str, Any]]:
    return [{"lineItemId": gid("LineItem", order.lines[0].id), "quantity": quantity, "restockType": restock}]


def payback(order: StoreOrder, amount: str) -> list[dict[str, Any]]:
    paid = order.transactions[0]
    return [
        {
            "orderId": gid("Order", order.id),
            "parentId": gid("OrderTransaction", paid.id),
            "amount": amount,
            "gateway": paid.gateway,
            "kind": "REFUND",
        }
    ]


def ship(shop: Shop, order: StoreOrder) -> None:
    shop.data(FULFIL, id=gid("FulfillmentOrder", order.fulfillment_orders[0].id))


def test_units_money_and_shipping_are_refunded_together(shop: Shop) -> None:
    order = shop.place()
    made = refund(
        shop,
        order,
        refundLineItems=units(order, 1, "CANCEL"),
        shipping={"fullRefund": True},
        transactions=payback(order, "13.94"),
        note="broken",
    )
    assert made["userErrors"] == []
    assert made["order"]["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert made["order"]["currentTotalPriceSet"]["shopMoney"]["amount"] == "19.98"
    assert made["refund"]["note"] == "broken"
    [line] = made["refund"]["refundLineItems"]["nodes"]
    assert (line["restockType"], line["restocked"], line["lineItem"]["currentQuantity"]) == ("CANCEL", True, 2)
    assert made["refund"]["refundShippingLines"]["nodes"][0]["subtotalAmountSet"]["shopMoney"]["amount"] == "3.95"
    assert shop.quantities("MUG", "London") == {"available": 8, "committed": 2, "on_hand": 10}


def test_the_same_key_refunds_once_and_gives_the_same_answer(shop: Shop) -> None:
    order = shop.place()
    wanted = {"refundLineItems": units(order, 1, "CANCEL"), "transactions": payback(order, "9.99")}
    assert refund(shop, order, **wanted) == refund(shop, order, **wanted)
    assert len(order.refunds) == 1
    assert refund(shop, order, key="k2", **wanted)["userErrors"] == []
    assert len(order.refunds) == 2


def test_a_key_used_for_something_else_is_refused(shop: Shop) -> None:
    order = shop.place()
    refund(shop, order, transactions=payback(order, "9.99"))
    assert refund(shop, order, transactions=payback(order, "9.98"))["userErrors"]
    assert len(order.refunds) == 1


def test_a_key_whose_request_failed_is_spent_for_a_day(shop: Shop) -> None:
    order = shop.place()
    assert refund(shop, order, transactions=payback(order, "999"))["userErrors"]
    assert "failed" in refund(shop, order, transactions=payback(order, "999"))["userErrors"][0]["message"]
    shop.clock.advance(25 * 3600)
    assert "more than" in refund(shop, order, transactions=payback(order, "999"))["userErrors"][0]["message"]


def test_a_refund_without_a_key_is_a_bad_request(shop: Shop) -> None:
    order = shop.place()
    query = REFUND.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    answer = shop.ask(query, input={"orderId": gid("Order", order.id), "transactions": payback(order, "1.00")})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert order.refunds == []


def test_shipped_units_come_back_into_stock(shop: Shop) -> None:
    order = shop.place()
    ship(shop, order)
    assert refund(shop, order, refundLineItems=units(order, 1, "CANCEL"))["userErrors"]
    assert refund(shop, order, key="k2", refundLineItems=units(order, 2, "RETURN"))["userErrors"] == []
    assert shop.quantities("MUG", "London") == {"available": 9, "committed": 0, "on_hand": 9}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"refundLineItems": (4, "CANCEL")}, ["refundLineItems", "0", "quantity"]),
        ({"refundLineItems": (1, "RETURN")}, ["refundLineItems", "0", "quantity"]),
        ({"refundLineItems": (0, "CANCEL")}, ["refundLineItems", "0", "quantity"]),
        ({"shipping": {"amount": "3.96"}}, ["shipping"]),
        ({"transactions": "33.93"}, ["transactions", "0", "amount"]),
        ({}, None),
    ],
)
def test_more_than_there_is_cannot_be_refunded(shop: Shop, wanted: dict[str, Any], field: list[str] | None) -> None:
    order = shop.place()
    if "refundLineItems" in wanted:
        wanted = {"refundLineItems": units(order, *wanted["refundLineItems"])}
    if "transactions" in wanted:
        wanted = {"transactions": payback(order, wanted["transactions"])}
    assert refund(shop, order, **wanted)["userErrors"][0]["field"] == field
    assert order.refunds == []


def test_more_than_was_paid_goes_back_when_that_is_said(shop: Shop) -> None:
    order = shop.place()
    made = refund(shop, order, transactions=payback(order, "40.00"), allowOverRefunding=True)
    assert made["order"]["displayFinancialStatus"] == "REFUNDED"


def test_the_merchant_refunds_units_for_what_they_cost(shop: Shop) -> None:
    order = shop.place(PlacedLine("MUG", 3, Decimal("9.99"), Decimal("1.00")))
    shop.subscribe()
    assert shop.store.refund_order(order.id, [(order.lines[0].id, 1)], None, "chipped")
    hooks = shop.sent()
    assert [hook.topic for hook in hooks] == [
        "refunds/create",
        "order_transactions/create",
        "inventory_levels/update",
        "orders/updated",
    ]
    assert body(hooks[0])["transactions"][0]["amount"] == "9.66"
    assert body(hooks[0])["refund_line_items"][0]["subtotal"] == 9.66


def test_the_merchant_never_gives_back_more_than_was_paid(shop: Shop) -> None:
    order = shop.place(gateway="stripe", kind="pending", payment_id="c1")
    assert shop.store.refund_order(order.id, [(order.lines[0].id, 1)], Decimal("9.99"), None)
    assert [each.kind for each in order.transactions] == ["SALE"]
    assert order.current_total == Decimal("23.93")


def test_the_merchant_cannot_take_off_what_is_not_on_the_order(shop: Shop) -> None:
    order = shop.place()
    assert not shop.store.refund_order(order.id, [(order.lines[0].id, 4)], None, None)


def test_units_refunded_partly_shipped_are_cancelled_first_and_returned_then(shop: Shop) -> None:
    order = shop.place()
    row = order.fulfillment_orders[0].lines[0]
    shop.data(
        """mutation ($order: ID!, $row: ID!) { fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: [
          {fulfillmentOrderId: $order, fulfillmentOrderLineItems: [{id: $row, quantity: 2}]}]}) {
          userErrors { message } } }""",
        order=gid("FulfillmentOrder", order.fulfillment_orders[0].id),
        row=gid("FulfillmentOrderLineItem", row.id),
    )
    shop.store.refund_order(order.id, [(order.lines[0].id, 2)], None, None)
    [made] = order.refunds
    assert [(line.restock_type, line.quantity) for line in made.lines] == [("CANCEL", 1), ("RETURN", 1)]
    assert order.fulfillment_orders[0].status == "CLOSED"


@given(steps=st.lists(st.integers(1, 5), min_size=1, max_size=12), pence=st.integers(0, 100_000))
def test_parts_of_an_amount_add_up_to_it(steps: list[int], pence: int) -> None:
    of, whole, done, total = sum(steps), Decimal(pence) / 100, 0, Decimal(0)
    for step in steps:
        total += part(whole, of=of, done=done, more=step, currency="GBP")
        done += step
    assert total == whole
