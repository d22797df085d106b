"""Goods that come back."""

from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import StoreOrder
from tradewind.sandbox.shopify.fulfilling import Parcel, Tracking, fulfil

SHOWN = """{ id status closedAt totalQuantity decline { reason note }
  returnLineItems(first: 5) { nodes { quantity processedQuantity refundedQuantity
    ... on ReturnLineItem { fulfillmentLineItem { lineItem { sku } } } } }
  refunds(first: 5) { nodes { return { id } } }
  reverseFulfillmentOrders(first: 5) { nodes { status lineItems(first: 5) { nodes { id totalQuantity
    dispositions { type quantity location { name } } } } } } }"""
CREATE = f"""mutation ($input: ReturnInput!) {{
  returnCreate(returnInput: $input) {{ return {SHOWN} userErrors {{ code }} }} }}"""
REQUEST = f"""mutation ($input: ReturnRequestInput!) {{
  returnRequest(input: $input) {{ return {SHOWN} userErrors {{ code }} }} }}"""
READ = f"""query ($id: ID!) {{ return(id: $id) {SHOWN}
  order: node(id: $id) {{ ... on Return {{ order {{ returnStatus }} }} }} }}"""
DECLINE = """mutation ($id: ID!) {
  returnDeclineRequest(input: {id: $id, declineReason: FINAL_SALE, declineNote: "no"}) {
    return { status decline { reason note } } userErrors { code } } }"""
DISPOSE = """mutation ($given: [ReverseFulfillmentOrderDisposeInput!]!) {
  reverseFulfillmentOrderDispose(dispositionInputs: $given) {
    reverseFulfillmentOrderLineItems { dispositions { type } } userErrors { code } } }"""


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.subscribe(
        *("RETURNS_REQUEST", "RETURNS_APPROVE", "RETURNS_DECLINE", "RETURNS_CANCEL", "RETURNS_CLOSE"),
        *("RETURNS_UPDATE", "REFUNDS_CREATE", "INVENTORY_LEVELS_UPDATE"),
    )
    return shop


@pytest.fixture
def order(shop: Shop) -> StoreOrder:
    """Three mugs that have arrived."""
    order = shop.place()
    fulfil(shop.store, order, [Parcel(order.fulfillment_orders[0])], Tracking("UPS", ["1"], []))
    shop.sent()
    return order


def wanted(order: StoreOrder, quantity: int = 2) -> dict[str, Any]:
    row = gid("FulfillmentLineItem", order.fulfillments[0].lines[0].id)
    return {
        "orderId": gid("Order", order.id),
        "returnLineItems": [{"fulfillmentLineItemId": row, "quantity": quantity}],
    }


def create(shop: Shop, order: StoreOrder, quantity: int = 2) -> dict[str, Any]:
    answer: dict[str, Any] = shop.data(CREATE, input=wanted(order, quantity))["returnCreate"]
    return answer


def change(shop: Shop, name: str, value: str) -> dict[str, Any]:
    """A mutation about one return, by its id or by an input with it."""
    argument = f'input: {{id: "{value}"}}' if name == "returnApproveRequest" else f'id: "{value}"'
    answer: dict[str, Any] = shop.data(
        f"mutation {{ {name}({argument}) {{ return {{ status }} userErrors {{ code }} }} }}"
    )
    changed: dict[str, Any] = answer[name]
    return changed


def test_a_return_is_received_restocked_refunded_and_closed(shop: Shop, order: StoreOrder) -> None:
    made = create(shop, order)["return"]
    assert (made["status"], made["totalQuantity"]) == ("OPEN", 2)
    [expected] = made["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]
    place = gid("Location", shop.store.catalog.location_named("Leeds").id)
    arrived = {"reverseFulfillmentOrderLineItemId": expected["id"], "quantity": 2, "locationId": place}
    answer = shop.data(DISPOSE, given=[{**arrived, "dispositionType": "RESTOCKED"}])["reverseFulfillmentOrderDispose"]
    assert answer == {"reverseFulfillmentOrderLineItems": [{"dispositions": [{"type": "RESTOCKED"}]}], "userErrors": []}
    assert shop.quantities("MUG", "Leeds") == {"available": 12, "committed": 0, "on_hand": 12}
    assert shop.store.desk.refund_return(order.id)
    assert change(shop, "returnClose", made["id"]) == {"return": {"status": "CLOSED"}, "userErrors": []}
    seen = shop.data(READ, id=made["id"])
    assert seen["order"]["order"] == {"returnStatus": "RETURNED"}
    [line] = seen["return"]["returnLineItems"]["nodes"]
    assert line["processedQuantity"] == 2
    assert line["fulfillmentLineItem"]["lineItem"]["sku"] == "MUG"
    assert seen["return"]["refunds"]["nodes"] == [{"return": {"id": made["id"]}}]
    assert [hook.topic for hook in shop.sent()] == [
        *("returns/approve", "inventory_levels/update", "returns/update", "refunds/create", "returns/close"),
    ]
    assert order.lines[0].current_quantity == 1


def test_a_refund_of_returned_goods_leaves_the_shelf_alone(shop: Shop, order: StoreOrder) -> None:
    create(shop, order)
    shop.store.desk.receive_return(order.id, "NOT_RESTOCKED")
    before = shop.quantities("MUG", "London")
    shop.store.desk.refund_return(order.id)
    assert shop.quantities("MUG", "London") == before
    told = next(body(hook) for hook in shop.sent() if hook.topic == "refunds/create")
    assert told["return"]["id"] == order.returns[0].id
    assert [line["restock_type"] for line in told["refund_line_items"]] == ["no_restock"]


def test_a_request_is_agreed_to_or_declined(shop: Shop, order: StoreOrder) -> None:
    first = shop.data(REQUEST, input=wanted(order))["returnRequest"]["return"]
    assert (first["status"], first["reverseFulfillmentOrders"]["nodes"]) == ("REQUESTED", [])
    assert body(shop.sent()[0])["status"] == "requested"
    assert change(shop, "returnApproveRequest", first["id"])["return"] == {"status": "OPEN"}
    assert change(shop, "returnCancel", first["id"])["return"] == {"status": "CANCELED"}
    second = shop.data(REQUEST, input=wanted(order))["returnRequest"]["return"]
    declined = shop.data(DECLINE, id=second["id"])["returnDeclineRequest"]
    assert declined["return"] == {"status": "DECLINED", "decline": {"reason": "FINAL_SALE", "note": "no"}}
    assert change(shop, "returnClose", second["id"])["userErrors"] == [{"code": "INVALID_STATE"}]


def test_only_what_was_shipped_and_is_in_no_other_return_comes_back(shop: Shop, order: StoreOrder) -> None:
    assert create(shop, order, 4)["userErrors"] == [{"code": "INVALID"}]
    assert create(shop, order, 2)["userErrors"] == []
    assert create(shop, order, 2)["userErrors"] == [{"code": "INVALID"}]
    nothing = {"orderId": gid("Order", order.id), "returnLineItems": []}
    assert shop.data(CREATE, input=nothing)["returnCreate"]["userErrors"] == [{"code": "BLANK"}]
    for broken in (
        {**nothing, "orderId": gid("Order", 1)},
        {**nothing, "returnLineItems": [{"fulfillmentLineItemId": gid("FulfillmentLineItem", 1), "quantity": 1}]},
    ):
        assert shop.data(CREATE, input=broken)["returnCreate"]["userErrors"] == [{"code": "NOT_FOUND"}]


def test_no_more_arrives_than_was_expected(shop: Shop, order: StoreOrder) -> None:
    made = create(shop, order)["return"]
    [expected] = made["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]
    arrived = {"reverseFulfillmentOrderLineItemId": expected["id"], "dispositionType": "MISSING", "quantity": 3}
    refused = shop.data(DISPOSE, given=[arrived])["reverseFulfillmentOrderDispose"]["userErrors"]
    assert refused == [{"code": "INVALID"}]
    unknown = {**arrived, "reverseFulfillmentOrderLineItemId": gid("ReverseFulfillmentOrderLineItem", 1)}
    assert shop.data(DISPOSE, given=[unknown])["reverseFulfillmentOrderDispose"]["userErrors"] == [
        {"code": "NOT_FOUND"}
    ]
    assert change(shop, "returnClose", gid("Return", 1))["userErrors"] == [{"code": "NOT_FOUND"}]
    shop.store.desk.receive_return(order.id)
    assert change(shop, "returnCancel", made["id"])["userErrors"] == [{"code": "INVALID_STATE"}]


def test_an_order_that_has_left_is_not_cancelled_but_comes_back(shop: Shop, order: StoreOrder) -> None:
    assert not shop.store.cancel_order(order.id, "customer", refund=True)
    assert shop.store.desk.open_return(order.id)
    order.fulfillments.clear()
    assert not shop.store.cancel_order(order.id, "customer", refund=True), "while a return is open"
