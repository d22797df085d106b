"""Orders and catalogue are read whole, whatever number of pages they take."""

from datetime import UTC, datetime

import pytest

from tests.unit.providers.shopify.calling import fetch
from tests.unit.providers.shopify.store import (
    LINE_ID,
    LOCATION_ID,
    NAME,
    both,
    line,
    order,
    page,
    parcel,
    refund,
    refunded_line,
    transaction,
    work,
    work_line,
)
from tests.unit.providers.wire import pages
from tradewind.domain.events import Resource
from tradewind.domain.money import Money
from tradewind.errors import (
    SchemaMismatch,
)


async def test_an_order_is_read_whole_at_first(store):
    store.answers("Order", {"order": order()})
    (event,) = await fetch(store)
    assert event.placed.name == "#1001"
    assert store.asked == ["Order"]


async def test_an_order_that_the_store_does_not_know_gives_nothing(store):
    store.answers("Order", {"order": None})
    assert await fetch(store) == ()


async def test_products_and_stock_are_not_fetched_one_by_one(store):
    client = store.client()
    for kind in ("product", "inventory"):
        resource = Resource(connection=NAME, kind=kind, external_id="gid://shopify/X/1")
        assert await client.fetch(resource) == ()
    assert store.asked == []


async def test_nested_pages_are_read_to_their_end(store):
    first = order(
        lineItems=page(line(21), more="l1"),
        shippingLines=page({"discountedPriceSet": both("1.00")}, more="s1"),
        fulfillmentOrders=page(work(11, work_line(21)), more="f1"),
        refunds=[refund(61, "1.00"), refund(62, "2.00")],
        transactions=[transaction(n) for n in range(8)],
        fulfillments=[parcel(n) for n in range(4)],
    )
    store.answers("Order", {"order": first})
    store.answers(
        "LinesRest", {"order": {"lineItems": page(line(22), more="l2")}}, {"order": {"lineItems": page(line(23))}}
    )
    store.answers("ShippingLinesRest", {"order": {"shippingLines": page({"discountedPriceSet": both("2.00")})}})
    more_work = {**work(12), "lineItems": page(work_line(22), more="w1")}
    store.answers("FulfillmentOrdersRest", {"order": {"fulfillmentOrders": page(more_work)}})
    store.answers("FulfillmentOrderLinesRest", {"fulfillmentOrder": {"lineItems": page(work_line(23))}})
    store.answers("TransactionsAll", {"order": {"transactions": [transaction(n) for n in range(9)]}})
    store.answers("FulfillmentsAll", {"order": {"fulfillments": [parcel(n) for n in range(5)]}})
    put_back = refunded_line()
    full = refund(63, "3.00", put_back)
    full["refundLineItems"] = page(put_back, more="r1")
    store.answers("RefundsAll", {"order": {"refunds": [refund(61, "1.00"), refund(62, "2.00"), full]}})
    store.answers("RefundLinesRest", {"node": {"refundLineItems": page(put_back)}})
    (event,) = await fetch(store)
    placed = event.placed
    assert [each.external_id.rpartition("/")[2] for each in placed.lines] == ["21", "22", "23"]
    assert placed.shipping == Money(minor=300, currency="GBP")
    assert [len(each.assigned) for each in placed.fulfillment_orders] == [1, 2]
    assert (len(placed.transactions), len(placed.fulfillments), len(placed.refunds)) == (9, 5, 3)
    assert placed.refunds[2].restocked == ((LINE_ID, LOCATION_ID, 1),) * 2


async def test_an_order_that_vanishes_between_its_pages_is_a_schema_mismatch(store):
    store.answers("Order", {"order": order(lineItems=page(line(), more="l1"))})
    store.answers("LinesRest", {"order": None})
    with pytest.raises(SchemaMismatch):
        await fetch(store)


async def test_pages_of_changed_orders_ask_for_whole_seconds(store):
    store.answers(
        "Orders",
        {"orders": page(order(), more="c1")},
        {"orders": page(order(id="gid://shopify/Order/2"))},
    )
    since = datetime(2026, 11, 1, 10, 0, 0, 900_000, tzinfo=UTC)
    until = datetime(2026, 11, 1, 11, 0, 0, 100_000, tzinfo=UTC)
    read = await store.clock.run(pages(store.client().orders(since, until)))
    assert [[event.external_id[-1] for event in each] for each in read] == [["1"], ["2"]]
    asked = store.operations[0][1]
    assert asked["query"] == "updated_at:>='2026-11-01T10:00:00Z' AND updated_at:<='2026-11-01T11:00:01Z'"
    assert store.operations[1][1]["after"] == "c1"


async def test_no_changed_orders_give_no_page(store):
    store.answers("Orders", {"orders": page()})
    now = datetime(2026, 11, 1, tzinfo=UTC)
    assert await store.clock.run(pages(store.client().orders(now, now))) == []


async def test_the_catalogue_is_read_in_pages_with_every_level(store):
    def variant(number, **levels):
        return {
            "id": f"gid://shopify/ProductVariant/{number}",
            "sku": None,
            "displayName": "Mug",
            "price": "12.50",
            "updatedAt": "2026-11-01T10:00:00Z",
            "inventoryPolicy": "DENY",
            "inventoryItem": {
                "id": f"gid://shopify/InventoryItem/{number}",
                "tracked": True,
                "inventoryLevels": page(level(1), **levels),
            },
        }

    def level(number):
        quantities = [{"name": "on_hand", "quantity": 5}, {"name": "available", "quantity": 4}]
        return {"location": {"id": f"gid://shopify/Location/{number}", "name": "Leeds"}, "quantities": quantities}

    currency = {"shop": {"currencyCode": "GBP"}}
    store.answers(
        "Variants",
        {**currency, "productVariants": page(variant(1, more="v1"), more="p1")},
        {**currency, "productVariants": page(variant(2))},
    )
    store.answers("LevelsRest", {"inventoryItem": {"inventoryLevels": page(level(2))}})
    read = await store.clock.run(pages(store.client().catalogue()))
    assert [[len(item.levels) for item in each] for each in read] == [[2], [1]]
    assert read[0][0].price == Money(minor=1250, currency="GBP")
