from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import PlacedLine, StoreOrder

FULFIL = """mutation ($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id name status totalQuantity trackingInfo(first: 5) { company number url }
    fulfillmentLineItems(first: 9) { nodes { quantity lineItem { sku } } }
    fulfillmentOrders(first: 9) { nodes { id status } }
    order { displayFulfillmentStatus closed } }
  userErrors { field message } } }"""
TRACK = """mutation ($id: ID!, $tracking: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking) {
    fulfillment { trackingInfo { company number url } } userErrors { field message } } }"""


@pytest.fixture
def shop() -> Shop:
    return Shop()


def fulfil(shop: Shop, *parcels: dict[str, Any], **more: Any) -> dict[str, Any]:
    wanted = {"lineItemsByFulfillmentOrder": list(parcels), **more}
    answer: dict[str, Any] = shop.data(FULFIL, fulfillment=wanted)["fulfillmentCreate"]
    return answer


def parcel(order: StoreOrder, index: int = 0, **units: int) -> dict[str, Any]:
    """A fulfillment order as input; units: quantity by SKU, everything if none is named."""
    each = order.fulfillment_orders[index]
    wanted: dict[str, Any] = {"fulfillmentOrderId": gid("FulfillmentOrder", each.id)}
    if units:
        wanted["fulfillmentOrderLineItems"] = [
            {"id": gid("FulfillmentOrderLineItem", row.id), "quantity": units[row.line.sku]}
            for row in each.lines
            if row.line.sku in units
        ]
    return wanted


def test_a_shipment_takes_the_goods_and_says_how_to_follow_them(shop: Shop) -> None:
    order = shop.place()
    tracking = {"company": "Royal Mail", "number": "RM1", "url": "https://track.example/RM1"}
    made = fulfil(shop, parcel(order), trackingInfo=tracking)
    assert made["userErrors"] == []
    shown = made["fulfillment"]
    assert (shown["name"], shown["status"], shown["totalQuantity"]) == ("#1001-F1", "SUCCESS", 3)
    assert shown["trackingInfo"] == [tracking]
    assert shown["fulfillmentOrders"]["nodes"][0]["status"] == "CLOSED"
    assert shop.quantities("MUG", "London") == {"available": 7, "committed": 0, "on_hand": 7}
    [fact] = shop.sandbox.truth.of("order_fulfilled")
    assert (fact["order_id"], fact["tracking_numbers"]) == (order.id, ["RM1"])


def test_a_paid_and_shipped_order_is_archived(shop: Shop) -> None:
    shown = fulfil(shop, parcel(shop.place()))["fulfillment"]
    assert shown["order"] == {"displayFulfillmentStatus": "FULFILLED", "closed": True}
    unpaid = fulfil(shop, parcel(shop.place(kind="authorization")))["fulfillment"]
    assert unpaid["order"]["closed"] is False


def test_shipping_tells_of_the_shipment_and_the_order(shop: Shop) -> None:
    order = shop.place()
    shop.subscribe()
    fulfil(shop, parcel(order, MUG=1))
    fulfil(shop, parcel(order))
    hooks = shop.sent()
    assert [hook.topic for hook in hooks] == [
        "fulfillments/create",
        "orders/partially_fulfilled",
        "orders/updated",
        "fulfillments/create",
        "orders/fulfilled",
        "orders/updated",
    ]
    assert [line["quantity"] for line in body(hooks[0])["line_items"]] == [1]
    assert [body(hook)["fulfillment_status"] for hook in (hooks[1], hooks[4])] == ["partial", "fulfilled"]


def test_a_part_of_an_order_leaves_the_rest_to_ship(shop: Shop) -> None:
    order = shop.place(PlacedLine("MUG", 3, Decimal("9.99")), PlacedLine("JUG", 2, Decimal("20.00")))
    made = fulfil(shop, parcel(order, MUG=2))["fulfillment"]
    assert made["fulfillmentLineItems"]["nodes"] == [{"quantity": 2, "lineItem": {"sku": "MUG"}}]
    assert made["fulfillmentOrders"]["nodes"][0]["status"] == "IN_PROGRESS"
    assert made["order"]["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert {row.line.sku: row.remaining for row in order.fulfillment_orders[0].lines} == {"MUG": 1, "JUG": 2}


def test_what_is_shipped_cannot_be_shipped_again(shop: Shop) -> None:
    order = shop.place()
    assert fulfil(shop, parcel(order))["userErrors"] == []
    again = fulfil(shop, parcel(order))
    assert again["fulfillment"] is None
    assert again["userErrors"][0]["field"] == ["fulfillment"]
    assert len(order.fulfillments) == 1


@pytest.mark.parametrize("quantity", [0, 4])
def test_a_quantity_that_does_not_remain_is_refused(shop: Shop, quantity: int) -> None:
    order = shop.place()
    assert "quantity" in fulfil(shop, parcel(order, MUG=quantity))["userErrors"][0]["message"]


def test_parcels_of_two_locations_need_two_shipments(shop: Shop) -> None:
    shop.place(PlacedLine("MUG", 8, Decimal("9.99")), PlacedLine("LAMP", 1, Decimal("35.50")))
    order = shop.place(PlacedLine("MUG", 3, Decimal("9.99")), PlacedLine("LAMP", 1, Decimal("35.50")))
    assert "same location" in fulfil(shop, parcel(order, 0), parcel(order, 1))["userErrors"][0]["message"]
    assert fulfil(shop, parcel(order, 0))["fulfillment"]["order"]["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert fulfil(shop, parcel(order, 1))["fulfillment"]["order"]["displayFulfillmentStatus"] == "FULFILLED"


def test_parcels_of_two_orders_or_of_none_are_refused(shop: Shop) -> None:
    assert fulfil(shop, parcel(shop.place()), parcel(shop.place()))["userErrors"]
    assert fulfil(shop, {"fulfillmentOrderId": gid("FulfillmentOrder", 1)})["userErrors"]
    assert fulfil(shop)["userErrors"]


def test_tracking_can_be_changed_later(shop: Shop) -> None:
    order = shop.place()
    fulfil(shop, parcel(order))
    shop.subscribe("FULFILLMENTS_UPDATE", "ORDERS_UPDATED")
    tracking = {"company": "DPD", "numbers": ["1", "2"], "urls": ["https://a.example/1", "https://a.example/2"]}
    changed = shop.data(TRACK, id=gid("Fulfillment", order.fulfillments[0].id), tracking=tracking)
    assert [each["number"] for each in changed["fulfillmentTrackingInfoUpdate"]["fulfillment"]["trackingInfo"]] == [
        "1",
        "2",
    ]
    hooks = shop.sent()
    assert [hook.topic for hook in hooks] == ["fulfillments/update", "orders/updated"]
    assert body(hooks[0])["tracking_numbers"] == ["1", "2"]


def test_tracking_of_an_unknown_shipment_is_refused(shop: Shop) -> None:
    changed = shop.data(TRACK, id=gid("Fulfillment", 1), tracking={"number": "1"})
    assert changed["fulfillmentTrackingInfoUpdate"]["userErrors"][0]["field"] == ["fulfillmentId"]


def test_an_order_can_be_archived_by_hand(shop: Shop) -> None:
    order = shop.place()
    close = """mutation ($id: ID!) {
      orderClose(input: {id: $id}) { order { closed } userErrors { field message } } }"""
    assert shop.data(close, id=gid("Order", order.id))["orderClose"]["order"]["closed"] is True
    assert shop.data(close, id=gid("Order", 1))["orderClose"]["userErrors"]
