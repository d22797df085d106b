"""Orders that are edited: what changes, what is told, what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify import PlacedLine, StoreOrder
from tradewind.sandbox.shopify.fulfilling import Parcel, Tracking, fulfil

BEGIN = "mutation ($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id } userErrors { message } } }"
ADD = """mutation ($id: ID!, $variant: ID!, $quantity: Int!) {
  orderEditAddVariant(id: $id, variantId: $variant, quantity: $quantity) {
    calculatedLineItem { id sku quantity editableQuantity }
    calculatedOrder { addedLineItems(first: 5) { nodes { sku } } subtotalLineItemsQuantity
      totalPriceSet { shopMoney { amount } } totalOutstandingSet { shopMoney { amount } } }
    userErrors { message } } }"""
SET = """mutation ($id: ID!, $line: ID!, $quantity: Int!) {
  orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $quantity, restock: true) {
    calculatedLineItem { quantity editableQuantity restocking }
    userErrors { message } } }"""
COMMIT = """mutation ($id: ID!) { orderEditCommit(id: $id) {
  order { edited originalTotalPriceSet { shopMoney { amount } } totalPriceSet { shopMoney { amount } }
    currentTotalPriceSet { shopMoney { amount } } totalOutstandingSet { shopMoney { amount } }
    displayFinancialStatus
    lineItems(first: 5) { nodes { sku quantity currentQuantity unfulfilledQuantity } }
    fulfillmentOrders(first: 5) { nodes { status
      lineItems(first: 5) { nodes { sku totalQuantity remainingQuantity } } } } }
  userErrors { message } } }"""


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.subscribe("ORDERS_EDITED", "ORDERS_UPDATED", "INVENTORY_LEVELS_UPDATE")
    return shop


def begin(shop: Shop, order: StoreOrder) -> str:
    begun: str = shop.data(BEGIN, id=gid("Order", order.id))["orderEditBegin"]["calculatedOrder"]["id"]
    return begun


def add(shop: Shop, edit: str, sku: str, quantity: int = 1) -> dict[str, Any]:
    variant = gid("ProductVariant", shop.store.catalog.by_sku[sku].id)
    answer: dict[str, Any] = shop.data(ADD, id=edit, variant=variant, quantity=quantity)["orderEditAddVariant"]
    return answer


def set_to(shop: Shop, edit: str, order: StoreOrder, quantity: int) -> dict[str, Any]:
    line = gid("CalculatedLineItem", order.lines[0].id)
    answer: dict[str, Any] = shop.data(SET, id=edit, line=line, quantity=quantity)["orderEditSetQuantity"]
    return answer


def commit(shop: Shop, edit: str) -> dict[str, Any]:
    answer = shop.data(COMMIT, id=edit)["orderEditCommit"]
    assert answer["userErrors"] == []
    order: dict[str, Any] = answer["order"]
    return order


def test_an_added_line_is_owed_and_has_work_of_its_own(shop: Shop) -> None:
    order = shop.place()
    shop.sent()
    edit = begin(shop, order)
    staged = add(shop, edit, "JUG")
    assert staged["calculatedLineItem"] | {"id": ""} == {"id": "", "sku": "JUG", "quantity": 1, "editableQuantity": 1}
    assert staged["calculatedOrder"]["totalPriceSet"]["shopMoney"]["amount"] == "53.92"
    assert staged["calculatedOrder"]["totalOutstandingSet"]["shopMoney"]["amount"] == "20.00"
    assert shop.sent() == [], "nothing happens before it is committed"
    done = commit(shop, edit)
    amounts = {name: done[name]["shopMoney"]["amount"] for name in done if name.endswith("Set")}
    assert amounts == {
        "originalTotalPriceSet": "33.92",
        "totalPriceSet": "53.92",
        "currentTotalPriceSet": "53.92",
        "totalOutstandingSet": "20.00",
    }
    assert (done["edited"], done["displayFinancialStatus"]) == (True, "PARTIALLY_PAID")
    assert [line["sku"] for line in done["lineItems"]["nodes"]] == ["MUG", "JUG"]
    assert [work["lineItems"]["nodes"] for work in done["fulfillmentOrders"]["nodes"]] == [
        [{"sku": "MUG", "totalQuantity": 3, "remainingQuantity": 3}],
        [{"sku": "JUG", "totalQuantity": 1, "remainingQuantity": 1}],
    ]
    assert shop.quantities("JUG", "London") == {"available": 1, "committed": 1, "on_hand": 2}


def test_a_removed_unit_stays_in_quantity_and_leaves_the_work(shop: Shop) -> None:
    order = shop.place()
    shop.sent()
    edit = begin(shop, order)
    staged = set_to(shop, edit, order, 1)
    assert staged["calculatedLineItem"] == {"quantity": 1, "editableQuantity": 1, "restocking": True}
    done = commit(shop, edit)
    [line] = done["lineItems"]["nodes"]
    assert line == {"sku": "MUG", "quantity": 3, "currentQuantity": 1, "unfulfilledQuantity": 1}
    [work] = done["fulfillmentOrders"]["nodes"]
    assert work == {
        "status": "OPEN",
        "lineItems": {"nodes": [{"sku": "MUG", "totalQuantity": 1, "remainingQuantity": 1}]},
    }
    assert done["currentTotalPriceSet"]["shopMoney"]["amount"] == "13.94"
    assert shop.quantities("MUG", "London") == {"available": 9, "committed": 1, "on_hand": 10}
    topics = [hook.topic for hook in shop.sent()]
    assert topics == ["orders/edited", "orders/updated", "inventory_levels/update"]


def test_more_units_come_at_the_lines_price_from_the_same_place(shop: Shop) -> None:
    order = shop.place(PlacedLine("MUG", 2, Decimal("8.00"), Decimal("1.00")))
    edit = begin(shop, order)
    set_to(shop, edit, order, 5)
    done = commit(shop, edit)
    [work] = done["fulfillmentOrders"]["nodes"]
    assert work["lineItems"]["nodes"] == [{"sku": "MUG", "totalQuantity": 5, "remainingQuantity": 5}]
    assert done["totalPriceSet"]["shopMoney"]["amount"] == "42.95"  # 40.00 - 1.00 + 3.95
    assert shop.quantities("MUG", "London")["committed"] == 5


def test_units_after_the_first_have_left_are_new_work(shop: Shop) -> None:
    order = shop.place()
    fulfil(shop.store, order, [Parcel(order.fulfillment_orders[0])], Tracking("UPS", ["1"], []))
    edit = begin(shop, order)
    set_to(shop, edit, order, 4)
    done = commit(shop, edit)
    assert [
        (work["status"], work["lineItems"]["nodes"][0]["totalQuantity"]) for work in done["fulfillmentOrders"]["nodes"]
    ] == [
        ("CLOSED", 3),
        ("OPEN", 1),
    ]
    assert order.lines[0].unshipped == 1


def test_the_webhook_tells_units_by_line(shop: Shop) -> None:
    order = shop.place()
    shop.sent()
    edit = begin(shop, order)
    set_to(shop, edit, order, 2)
    add(shop, edit, "LAMP", 2)
    commit(shop, edit)
    told = next(body(hook) for hook in shop.sent() if hook.topic == "orders/edited")["order_edit"]
    assert told["order_id"] == order.legacy_id
    assert told["line_items"] == {
        "additions": [{"id": order.lines[1].id, "delta": 2}],
        "removals": [{"id": order.lines[0].id, "delta": 1}],
    }


def test_what_was_shipped_cannot_be_removed(shop: Shop) -> None:
    order = shop.place()
    fulfil(shop.store, order, [Parcel(order.fulfillment_orders[0])], Tracking("UPS", ["1"], []))
    assert "fulfilled" in set_to(shop, begin(shop, order), order, 2)["userErrors"][0]["message"]


def test_an_edit_that_the_order_has_overtaken_is_not_committed(shop: Shop) -> None:
    order = shop.place()
    edit = begin(shop, order)
    set_to(shop, edit, order, 1)
    fulfil(shop.store, order, [Parcel(order.fulfillment_orders[0])], Tracking("UPS", ["1"], []))
    refused = shop.data(COMMIT, id=edit)["orderEditCommit"]["userErrors"]
    assert refused == [{"message": "The order has changed since the edit began."}]


def test_what_cannot_be_edited_is_refused(shop: Shop) -> None:
    order = shop.place()
    edit = begin(shop, order)
    assert shop.data(COMMIT, id=edit)["orderEditCommit"]["userErrors"] == [
        {"message": "There are no changes to commit."}
    ]
    assert "already" in add(shop, edit, "MUG")["userErrors"][0]["message"]
    assert "greater than 0" in add(shop, edit, "JUG", 0)["userErrors"][0]["message"]
    unknown = shop.data(ADD, id=edit, variant=gid("ProductVariant", 1), quantity=1)["orderEditAddVariant"]
    assert unknown["userErrors"] == [{"message": "Variant does not exist"}]
    assert set_to(shop, edit, order, -1)["userErrors"]
    wrong = shop.data(SET, id=edit, line=gid("LineItem", 1), quantity=1)["orderEditSetQuantity"]
    assert wrong["userErrors"] == [{"message": "The line item does not exist"}]
    for missing in ("CalculatedOrder", "Order"):
        assert shop.data(COMMIT, id=gid(missing, 1))["orderEditCommit"]["userErrors"]
    assert shop.data(BEGIN, id=gid("Order", 1))["orderEditBegin"]["userErrors"]
    shop.store.cancel_order(order.id, "customer", refund=True)
    assert shop.data(BEGIN, id=gid("Order", order.id))["orderEditBegin"]["userErrors"]


def test_an_added_line_can_be_taken_out_again(shop: Shop) -> None:
    order = shop.place()
    edit = begin(shop, order)
    added = add(shop, edit, "JUG")["calculatedLineItem"]["id"]
    shop.data(SET, id=edit, line=added, quantity=0)
    assert shop.data(COMMIT, id=edit)["orderEditCommit"]["userErrors"] == [
        {"message": "There are no changes to commit."}
    ]
