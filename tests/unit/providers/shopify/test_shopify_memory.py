"""A head on top of what is remembered gives what a whole read would give, or asks for a whole read."""

import pytest

from tests.unit.providers.shopify.store import (
    NAME,
    ORDER_ID,
    FakeStore,
    both,
    head,
    line,
    order,
    page,
    parcel,
    refund,
    transaction,
    work,
    work_line,
)
from tradewind.domain.events import Resource
from tradewind.providers.shopify.memory import MOST_ORDERS, OrderMemory, renewed
from tradewind.providers.shopify.wire import OrderHead, OrderNode

LATER = "2026-11-01T11:00:00Z"
SHIPPED_WORK = work(11, work_line(21, 2, 0), status="CLOSED", updatedAt=LATER)

UNCHANGED_LINES = {
    "nothing": {},
    "paid": {
        "updatedAt": LATER,
        "displayFinancialStatus": "PAID",
        "transactions": [transaction(41, kind="AUTHORIZATION"), transaction(42, kind="CAPTURE")],
    },
    "shipped": {
        "updatedAt": LATER,
        "displayFulfillmentStatus": "FULFILLED",
        "fulfillments": [parcel()],
        "fulfillmentOrders": page(SHIPPED_WORK),
    },
    "address corrected": {"updatedAt": LATER, "shippingAddress": None, "email": None},
    "on hold": {"displayFulfillmentStatus": "ON_HOLD", "fulfillmentOrders": page(work())},
}

CHANGED_LINES = {
    "edited": {"edited": True},
    "older": {"updatedAt": "2026-11-01T09:00:00Z"},
    "cancelled": {"updatedAt": LATER, "cancelledAt": LATER},
    "line removed": {"currentSubtotalLineItemsQuantity": 1, "currentTotalPriceSet": both("14.00")},
    "line added": {"subtotalLineItemsQuantity": 3},
    "refunded": {"refunds": [refund()]},
    "work split": {"fulfillmentOrders": page(work(11), work(12))},
    "work replaced": {"fulfillmentOrders": page(work(12))},
    "more work than fits": {"fulfillmentOrders": page(work(11), more="f1")},
    "shipped in part": {"fulfillments": [parcel()], "fulfillmentOrders": page(work(11, work_line(21, 2, 1)))},
    "shipment cancelled": {"fulfillments": [parcel(status="CANCELLED")]},
    "work taken up": {"fulfillmentOrders": page(work(11, status="IN_PROGRESS", updatedAt=LATER))},
    "closed without shipment": {"fulfillmentOrders": page(work(11, work_line(21, 2, 0), status="CLOSED"))},
}


def node(**changes):
    return OrderNode.model_validate(order(**changes))


def head_of(**changes):
    return OrderHead.model_validate(head(order(**changes)))


@pytest.mark.parametrize("change", UNCHANGED_LINES.values(), ids=UNCHANGED_LINES)
def test_a_head_completes_what_is_remembered(change):
    assert renewed(node(), head_of(**change)) == node(**change)


@pytest.mark.parametrize("change", CHANGED_LINES.values(), ids=CHANGED_LINES)
def test_a_change_that_may_touch_the_lines_asks_for_a_whole_read(change):
    assert renewed(node(), head_of(**change)) is None


def test_a_refund_that_grew_asks_for_a_whole_read():
    assert renewed(node(refunds=[refund()]), head_of(refunds=[refund(61, "11.00")])) is None
    same = renewed(node(refunds=[refund()]), head_of(refunds=[refund()]))
    assert same == node(refunds=[refund()])


async def test_a_second_fetch_reads_only_the_head():
    store = FakeStore()
    shipped = order(**UNCHANGED_LINES["shipped"])
    store.answers("Order", {"order": order()})
    store.answers("OrderHead", {"order": head(shipped)})
    client, resource = store.client(), Resource(connection=NAME, kind="order", external_id=ORDER_ID)
    await store.clock.run(client.fetch(resource))
    (event,) = await store.clock.run(client.fetch(resource))
    assert store.asked == ["Order", "OrderHead"]
    assert event.placed.fulfillment_orders[0].remaining == (("gid://shopify/LineItem/21", 0),)


async def test_a_changed_order_is_read_whole_again_and_remembered():
    store = FakeStore()
    removed = order(**CHANGED_LINES["line removed"], lineItems=page(line(currentQuantity=1)))
    store.answers("Order", {"order": order()}, {"order": removed})
    store.answers("OrderHead", {"order": head(removed)})
    client, resource = store.client(), Resource(connection=NAME, kind="order", external_id=ORDER_ID)
    for _ in range(3):
        (event,) = await store.clock.run(client.fetch(resource))
    assert store.asked == ["Order", "OrderHead", "Order", "OrderHead"]
    assert event.placed.lines[0].current_quantity == 1


async def test_an_order_that_is_gone_is_forgotten():
    store = FakeStore()
    store.answers("Order", {"order": order()}, {"order": None})
    store.answers("OrderHead", {"order": None})
    client, resource = store.client(), Resource(connection=NAME, kind="order", external_id=ORDER_ID)
    await store.clock.run(client.fetch(resource))
    assert await store.clock.run(client.fetch(resource)) == ()
    assert await store.clock.run(client.fetch(resource)) == ()
    assert store.asked == ["Order", "OrderHead", "Order", "Order"]


def test_memory_is_bounded_and_forgets_the_oldest():
    memory = OrderMemory()
    for number in range(MOST_ORDERS + 1):
        memory.put(node(id=f"gid://shopify/Order/{number}"))
    assert memory.get("gid://shopify/Order/0") is None
    assert memory.get(f"gid://shopify/Order/{MOST_ORDERS}") is not None
