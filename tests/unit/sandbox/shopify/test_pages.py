from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLError

from tests.unit.sandbox.shopify.stores import Shop, gid
from tradewind.sandbox.shopify.pages import page

ORDERS = """query ($first: Int, $after: String, $reverse: Boolean, $query: String) {
  orders(first: $first, after: $after, reverse: $reverse, query: $query, sortKey: UPDATED_AT) {
    nodes { name } pageInfo { hasNextPage endCursor } } }"""


@dataclass
class Thing:
    id: int
    rank: int


THINGS = [Thing(id=number, rank=number // 3) for number in range(1, 11)]


def pages(**arguments: Any) -> dict[str, Any]:
    return page(THINGS, lambda thing: thing.id, arguments, lambda thing: (thing.rank, thing.id))


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_follow_each_other_without_gap_or_overlap(reverse: bool) -> None:
    seen: list[int] = []
    cursor = None
    while True:
        got = pages(first=3, after=cursor, reverse=reverse)
        seen += got["nodes"]
        cursor = got["pageInfo"]["endCursor"]
        if not got["pageInfo"]["hasNextPage"]:
            break
    assert seen == sorted(seen, reverse=reverse) == (seen if reverse else list(range(1, 11)))
    assert len(seen) == 10


def test_pages_can_be_turned_back() -> None:
    end = pages(last=4)
    assert end["nodes"] == [7, 8, 9, 10]
    assert end["pageInfo"]["hasPreviousPage"] is True
    before = pages(last=4, before=end["pageInfo"]["startCursor"])
    assert before["nodes"] == [3, 4, 5, 6]
    assert [edge["node"] for edge in before["edges"]] == before["nodes"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"first": 1, "last": 1},
        {"first": 0},
        {"first": 251},
        {"first": 1, "after": "x"},
        {"first": 1, "after": "MQ=="},
    ],
)
def test_a_page_without_a_size_or_with_a_wrong_cursor_is_a_bad_request(wrong: dict[str, Any]) -> None:
    with pytest.raises(GraphQLError) as caught:
        pages(**wrong)
    assert caught.value.extensions == {"code": "BAD_REQUEST"}


def test_an_order_that_changes_between_pages_is_seen_again_and_none_is_missed() -> None:
    shop = Shop()
    orders = []
    for _ in range(4):
        orders.append(shop.place())
        shop.clock.advance(10)
    first = shop.data(ORDERS, first=2)["orders"]
    shop.store.refund_order(orders[0].id, [(orders[0].lines[0].id, 1)], None, None)
    rest = shop.data(ORDERS, first=10, after=first["pageInfo"]["endCursor"])["orders"]
    assert [each["name"] for each in first["nodes"]] == ["#1001", "#1002"]
    assert [each["name"] for each in rest["nodes"]] == ["#1003", "#1004", "#1001"]


def test_orders_are_found_by_when_they_changed() -> None:
    shop = Shop()
    for _ in range(3):
        shop.place()
        shop.clock.advance(60)
    query = "updated_at:>='2026-11-01T09:01:00Z' AND updated_at:<='2026-11-01T09:01:30Z'"
    assert shop.data(ORDERS, first=10, query=query)["orders"]["nodes"] == [{"name": "#1002"}]
    assert shop.data("query ($q: String) { ordersCount(query: $q) { count precision } }", q=query)["ordersCount"] == {
        "count": 1,
        "precision": "EXACT",
    }


def test_orders_are_found_by_what_they_are() -> None:
    shop = Shop()
    paid, cancelled = shop.place(), shop.place()
    shop.place(gateway="stripe", kind="pending", payment_id="c77")
    shop.store.cancel_order(cancelled.id, "customer", refund=True)
    for query, names in (
        ("financial_status:paid", ["#1001"]),
        ("status:cancelled", ["#1002"]),
        ("status:open", ["#1001", "#1003"]),
        ("payment_id:c77", ["#1003"]),
        (f"id:{paid.id}", ["#1001"]),
        ("fulfillment_status:unshipped", ["#1001", "#1002", "#1003"]),
        ("sku:LAMP", []),
        ("ada@example.com", ["#1001", "#1002", "#1003"]),
    ):
        found = shop.data("query ($q: String) { orders(first: 9, query: $q, sortKey: ID) { nodes { name } } }", q=query)
        assert [each["name"] for each in found["orders"]["nodes"]] == names, query


def test_every_node_is_found_by_its_global_id() -> None:
    shop = Shop()
    order = shop.place()
    shop.store.refund_order(order.id, [(order.lines[0].id, 1)], None, None)
    shop.subscribe("ORDERS_CREATE")
    variant = shop.store.catalog.by_sku["MUG"]
    [subscription] = shop.store.subscriptions
    ids = [
        gid("Order", order.id),
        gid("LineItem", order.lines[0].id),
        gid("OrderTransaction", order.transactions[0].id),
        gid("Refund", order.refunds[0].id),
        gid("FulfillmentOrder", order.fulfillment_orders[0].id),
        gid("Product", variant.product.id),
        gid("ProductVariant", variant.id),
        gid("InventoryItem", variant.item_id),
        gid("Location", order.fulfillment_orders[0].location.id),
        gid("WebhookSubscription", subscription.id),
    ]
    found = shop.data("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=[*ids, gid("Order", 1)])
    assert [each and each["id"] for each in found["nodes"]] == [*ids, None]
    assert shop.data("query ($id: ID!) { product(id: $id) { id } }", id=ids[0])["product"] is None
    assert "Invalid global id" in shop.ask('{ order(id: "1001") { id } }')["errors"][0]["message"]


def test_goods_and_places_are_listed_and_searched() -> None:
    shop = Shop()
    found = shop.data(
        """{ products(first: 9, query: "vendor:Potter", sortKey: TITLE) { nodes { title totalInventory
               variants(first: 5) { nodes { sku displayName price inventoryQuantity availableForSale } } } }
             productVariants(first: 9, query: "sku:L*") { nodes { sku product { title } } }
             inventoryItems(first: 9, query: "sku:JUG") { nodes { sku variants(first: 1) { nodes { sku } } } }
             locations(first: 9) { nodes { name address { city formatted } } }
             location { name } }"""
    )
    assert [each["title"] for each in found["products"]["nodes"]] == ["Jug", "Lamp", "Mug"]
    assert found["products"]["nodes"][0]["variants"]["nodes"] == [
        {
            "sku": "JUG",
            "displayName": "Jug - Small",
            "price": "20.00",
            "inventoryQuantity": 12,
            "availableForSale": True,
        }
    ]
    assert found["productVariants"]["nodes"] == [{"sku": "LAMP", "product": {"title": "Lamp"}}]
    assert found["inventoryItems"]["nodes"] == [{"sku": "JUG", "variants": {"nodes": [{"sku": "JUG"}]}}]
    assert [each["name"] for each in found["locations"]["nodes"]] == ["Leeds", "London"]
    assert found["location"]["name"] == "London"
