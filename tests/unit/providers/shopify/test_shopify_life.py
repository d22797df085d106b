"""What the client reads and writes along the life of an order, beyond placing, paying and shipping it whole."""

import pytest

from tests.unit.providers.shopify.store import (
    LOCATION_ID,
    NAME,
    ORDER_ID,
    WORK_ID,
    both,
    head,
    order,
    page,
    returned,
)
from tradewind.domain.commands import CapturePayment, CreateFulfillment
from tradewind.domain.events import Resource
from tradewind.domain.money import Money
from tradewind.errors import ConfigurationError

RESOURCE = Resource(connection=NAME, kind="order", external_id=ORDER_ID)
AUTHORIZATION = "gid://shopify/OrderTransaction/41"
RESTOCKED = {"type": "RESTOCKED", "quantity": 1, "location": {"id": LOCATION_ID}}


async def test_returns_are_read_of_an_order_that_has_any(store):
    store.answers("Order", {"order": order(returnStatus="IN_PROGRESS")})
    store.answers(
        "Returns",
        {"order": {"returns": page(returned(81), more="r1")}},
        {"order": {"returns": page(returned(82, RESTOCKED))}},
    )
    (event,) = await store.clock.run(store.client().fetch(RESOURCE))
    assert [one.external_id[-2:] for one in event.placed.returns] == ["81", "82"]
    assert [variables["after"] for name, variables in store.operations if name == "Returns"] == [None, "r1"]


async def test_an_order_without_returns_costs_no_call_for_them(store):
    store.answers("Order", {"order": order()})
    await store.clock.run(store.client().fetch(RESOURCE))
    assert store.asked == ["Order"]


async def test_a_known_orders_returns_are_read_anew(store):
    store.answers("Order", {"order": order()})
    store.answers("OrderHead", {"order": head(order(returnStatus="RETURN_REQUESTED"))})
    store.answers("Returns", {"order": {"returns": page(returned(81))}})
    client = store.client()
    await store.clock.run(client.fetch(RESOURCE))
    (event,) = await store.clock.run(client.fetch(RESOURCE))
    assert store.asked == ["Order", "OrderHead", "Returns"]
    assert len(event.placed.returns) == 1


def guard(*captures):
    authorized = {"id": AUTHORIZATION, "kind": "AUTHORIZATION", "parentTransaction": None}
    made = [{"id": f"c{n}", "kind": "CAPTURE", "parentTransaction": {"id": AUTHORIZATION}} for n in captures]
    listed = [{**each, "status": "SUCCESS", "amountSet": both("24.00", "4500", "JPY")} for each in (authorized, *made)]
    return {"order": {"transactions": listed}}


def capture(amount, ordinal=0):
    return CapturePayment(
        connection=NAME, order_id="o", ordinal=ordinal, payment=AUTHORIZATION, amount=amount, storefront_order=ORDER_ID
    )


async def test_a_part_is_captured_in_the_currency_that_the_customer_saw(store):
    store.answers("CaptureGuard", guard())
    told = {"transaction": {"status": "SUCCESS", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    store.answers("Order", {"order": order()})
    await store.clock.run(store.client().capture(capture(Money(minor=1000, currency="JPY")), "key"))
    sent = dict(store.operations)["OrderCapture"]["input"]
    assert (sent["amount"], sent["currency"]) == ("1000", "JPY")


@pytest.mark.parametrize(("captures", "ordinal", "sent"), [((1,), 1, True), ((1, 2), 1, False), ((1,), 0, False)])
async def test_a_further_capture_is_sent_once(store, captures, ordinal, sent):
    store.answers("CaptureGuard", guard(*captures))
    told = {"transaction": {"status": "SUCCESS", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    store.answers("Order", {"order": order()})
    await store.clock.run(store.client().capture(capture(Money(minor=1000, currency="JPY"), ordinal), "key"))
    assert ("OrderCapture" in store.asked) is sent


async def test_what_is_not_tracked_is_not_counted_page_by_page(store):
    item = {"id": "gid://shopify/InventoryItem/1", "tracked": False, "inventoryLevels": page(more="l1")}
    variant = {
        "id": "gid://shopify/ProductVariant/1", "sku": "GIFT", "displayName": "Voucher", "price": "12.50",
        "updatedAt": "2026-11-01T10:00:00Z", "inventoryPolicy": "DENY", "inventoryItem": item,
    }  # fmt: skip
    store.answers("Variants", {"shop": {"currencyCode": "GBP"}, "productVariants": page(variant)})

    async def items():
        return [item async for each in store.client().catalogue() for item in each]

    (found,) = await store.clock.run(items())
    assert found.levels == ()
    assert store.asked == ["Variants"]


@pytest.mark.parametrize("notify", [True, False])
async def test_the_store_tells_the_shopper_only_when_it_is_asked_to(store, notify):
    remaining = {"nodes": [{"remainingQuantity": 1}], "pageInfo": {"hasNextPage": False}}
    store.answers("FulfillmentGuard", {"fulfillmentOrder": {"status": "OPEN", "lineItems": remaining}})
    store.answers(
        "FulfillmentCreate", {"fulfillmentCreate": {"fulfillment": {"order": head(order())}, "userErrors": []}}
    )
    store.answers("Order", {"order": order()})
    command = CreateFulfillment(
        connection=NAME, order_id="o", order=ORDER_ID, fulfillment_order=WORK_ID, tracking_number="T-1",
        tracking_url=None, carrier=None, notify_customer=notify,
    )  # fmt: skip
    await store.clock.run(store.client().fulfill(command, "key"))
    assert dict(store.operations)["FulfillmentCreate"]["fulfillment"]["notifyCustomer"] is notify


@pytest.mark.parametrize(
    ("setting", "choices"),
    [("notify_customer", "store, carrier, nobody"), ("refund_overcapture", "automatic, manual")],
)
def test_another_word_than_a_setting_knows_is_refused(store, setting, choices):
    with pytest.raises(ConfigurationError, match=choices):
        store.client(**{setting: "pigeon"})
