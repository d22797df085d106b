"""Every field that the schema promises is answered, and as it promises."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type, is_leaf_type

from tests.unit.sandbox.shopify.stores import Shop, gid
from tradewind.sandbox.shopify import PlacedLine, editing, holding, returning
from tradewind.sandbox.shopify.graphql_api import schema
from tradewind.sandbox.shopify.money import Currencies
from tradewind.sandbox.shopify.returning import Wanted

FULFIL = """mutation ($id: ID!, $row: ID!) { fulfillmentCreate(fulfillment: {trackingInfo: {number: "1"},
  lineItemsByFulfillmentOrder: [{fulfillmentOrderId: $id, fulfillmentOrderLineItems: [{id: $row, quantity: 1}]}]}) {
  userErrors { message } } }"""
REFUND = """mutation ($input: RefundInput!) { refundCreate(input: $input) @idempotent(key: "k") {
  userErrors { message } } }"""


class Life:
    """A shop with one order to which everything has happened, and the ids of what can be asked for."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.shop.subscribe("ORDERS_CREATE")
        line = PlacedLine("MUG", 3, Decimal("9.99"), Decimal("1.00"), duty=Decimal("2.00"))
        euros = Currencies("GBP", "EUR", Decimal("1.2"))
        order = self.order = self.shop.place(line, note_attributes={"gift": "yes"}, tags=["vip"], money=euros)
        [fulfillment_order] = order.fulfillment_orders
        row = gid("FulfillmentOrderLineItem", fulfillment_order.lines[0].id)
        self.shop.data(FULFIL, id=gid("FulfillmentOrder", fulfillment_order.id), row=row)
        paid = order.transactions[0]
        payback = {"parentId": gid("OrderTransaction", paid.id), "gateway": paid.gateway, "kind": "REFUND"}
        self.shop.data(
            REFUND,
            input={
                "orderId": gid("Order", order.id),
                "currency": "EUR",
                "refundDuties": [{"dutyId": gid("Duty", order.lines[0].duty_id), "refundType": "FULL"}],
                "shipping": {"amount": "1.50"},
                "refundLineItems": [
                    {"lineItemId": gid("LineItem", order.lines[0].id), "quantity": 1, "restockType": "CANCEL"}
                ],
                "transactions": [{**payback, "orderId": gid("Order", order.id), "amount": "5.00"}],
            },
        )
        store = self.shop.store
        came_back = returning.create(store, order, [Wanted(order.fulfillments[0].lines[0], 1)])
        returning.dispose(store, order, came_back, came_back.lines[0], "RESTOCKED", 1, None)
        order.refunds[0].return_id = came_back.id
        holding.hold(store, order, fulfillment_order, "OTHER", notes="ask first", handle="a")
        edit = editing.begin(store, order)
        editing.add_variant(store, edit, store.catalog.by_sku["JUG"], 1)
        variant = self.shop.store.catalog.by_sku["MUG"]
        location = fulfillment_order.location
        [subscription] = self.shop.store.subscriptions
        self.item, self.location = gid("InventoryItem", variant.item_id), gid("Location", location.id)
        self.ids = {
            "Order": gid("Order", order.id),
            "LineItem": gid("LineItem", order.lines[0].id),
            "OrderTransaction": gid("OrderTransaction", order.transactions[-1].id),
            "Refund": gid("Refund", order.refunds[0].id),
            "Fulfillment": gid("Fulfillment", order.fulfillments[0].id),
            "FulfillmentOrder": gid("FulfillmentOrder", fulfillment_order.id),
            "Product": gid("Product", variant.product.id),
            "ProductVariant": gid("ProductVariant", variant.id),
            "InventoryItem": self.item,
            "InventoryLevel": f"gid://shopify/InventoryLevel/{location.id}?inventory_item_id={variant.item_id}",
            "Location": self.location,
            "Return": gid("Return", came_back.id),
            "CalculatedOrder": gid("CalculatedOrder", edit.id),
            "WebhookSubscription": gid("WebhookSubscription", subscription.id),
        }

    def arguments(self, field: Any) -> str:
        """What a field must be given."""
        known = {
            "first": "5",
            "names": '["available", "on_hand"]',
            "locationId": f'"{self.location}"',
            "inventoryItemId": f'"{self.item}"',
        }
        given = [f"{name}: {known[name]}" for name in field.args if name in known]
        return f"({', '.join(given)})" if given else ""

    def selection(self, kind: Any, depth: int) -> str:
        """All leaves of a type, and what it leads to."""
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            each = [f"... on {one.name} {self.selection(one, depth)}" for one in schema().get_possible_types(kind)]
            return f"{{ __typename {' '.join(each)} }}" if kind.name != "Node" else "{ id }"
        return f"{{ __typename {' '.join(self.fields(kind, depth))} }}"

    def fields(self, kind: GraphQLObjectType, depth: int) -> Iterator[str]:
        """The fields of a type, each with what it selects."""
        for name, field in kind.fields.items():
            target = get_named_type(field.type)
            if is_leaf_type(target):
                yield f"{name}{self.arguments(field)}"
            elif depth > 0:
                yield f"{name}{self.arguments(field)} {self.selection(target, depth - 1)}"


@pytest.fixture(scope="module")
def life() -> Life:
    return Life()


@pytest.mark.parametrize("kind", sorted(Life().ids))
def test_every_field_of_a_node_is_answered(life: Life, kind: str) -> None:
    for field in life.fields(schema().type_map[kind], 3):
        life.shop.clock.advance(60)
        asked = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {field} }} }} }}"
        assert life.shop.data(asked, id=life.ids[kind])["node"], field


@pytest.mark.parametrize("field", ["shop", "currentAppInstallation", "location"])
def test_every_field_of_the_shop_is_answered(life: Life, field: str) -> None:
    kind = get_named_type(schema().type_map["QueryRoot"].fields[field].type)
    assert life.shop.data(f"{{ {field} {life.selection(kind, 2)} }}")[field]


def test_transactions_can_be_asked_for_by_whether_they_can_be_captured() -> None:
    shop = Shop()
    order = shop.place(kind="authorization")
    asked = """query ($id: ID!) { order(id: $id) {
      open: transactions(capturable: true) { kind } done: transactions(capturable: false) { kind } } }"""
    assert shop.data(asked, id=gid("Order", order.id))["order"] == {"open": [{"kind": "AUTHORIZATION"}], "done": []}


def test_a_guest_without_an_address_leaves_those_fields_empty() -> None:
    shop = Shop()
    order = shop.place(customer=None, shipping_address=None, email=None)
    asked = """query ($id: ID!) { order(id: $id) { customer { id } shippingAddress { id }
      fulfillmentOrders(first: 1) { nodes { destination { id } } } } }"""
    assert shop.data(asked, id=gid("Order", order.id))["order"] == {
        "customer": None,
        "shippingAddress": None,
        "fulfillmentOrders": {"nodes": [{"destination": None}]},
    }


@pytest.mark.parametrize(
    "broken",
    [
        {"orderId": "gid://shopify/Order/1"},
        {"refundLineItems": [{"lineItemId": "gid://shopify/LineItem/1", "quantity": 1}]},
        {"transactions": [{"kind": "SALE"}]},
        {"transactions": [{"kind": "REFUND", "parentId": "gid://shopify/OrderTransaction/1"}]},
        {"line": {"locationId": "gid://shopify/Location/1"}},
    ],
)
def test_a_refund_of_what_does_not_exist_is_refused(broken: dict[str, Any]) -> None:
    shop = Shop()
    order = shop.place()
    given: dict[str, Any] = {"orderId": gid("Order", order.id), **broken}
    if line := given.pop("line", None):
        given["refundLineItems"] = [{"lineItemId": gid("LineItem", order.lines[0].id), "quantity": 1, **line}]
    for each in given.get("transactions", []):
        each.update({"orderId": given["orderId"], "amount": "1.00", "gateway": "x"})
    assert shop.data(REFUND, input=given)["refundCreate"]["userErrors"]


def test_an_amount_that_is_no_number_is_an_error_of_the_request() -> None:
    shop = Shop()
    order = shop.place()
    payback = {"kind": "REFUND", "orderId": gid("Order", order.id), "amount": "much", "gateway": "x"}
    payback["parentId"] = gid("OrderTransaction", order.transactions[0].id)
    answer = shop.ask(REFUND, input={"orderId": gid("Order", order.id), "transactions": [payback]})
    assert "Invalid Money value" in answer["errors"][0]["message"]
