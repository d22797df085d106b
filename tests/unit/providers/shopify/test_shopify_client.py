import asyncio
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import pytest

from tests.unit.providers.shopify.store import (
    LINE_ID,
    LOCATION_ID,
    NAME,
    ORDER_ID,
    FakeStore,
    both,
    costed,
    head,
    line,
    order,
    page,
    parcel,
    refund,
    refunded_line,
    shop,
    throttled,
    transaction,
    work,
    work_line,
)
from tests.unit.providers.wire import pages
from tradewind.domain.commands import CapturePayment, CreateFulfillment, MarkOrderPaid
from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.domain.events import Resource
from tradewind.domain.money import Money
from tradewind.domain.roles import Storefront
from tradewind.errors import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    SchemaMismatch,
    TransientError,
)
from tradewind.providers.shopify.client import REQUIRED_SCOPES, ShopifyClient
from tradewind.providers.shopify.webhooks import WANTED_TOPICS

RESOURCE = Resource(connection=NAME, kind="order", external_id=ORDER_ID)
AUTHORIZATION = "gid://shopify/OrderTransaction/41"
HOOK_URL = "https://shop.example/hooks/shopify/north"


@pytest.fixture
def store():
    return FakeStore()


async def fetch(store, client=None):
    return await store.clock.run((client or store.client()).fetch(RESOURCE))


def shop_answer(*scopes):
    return {
        "shop": {"name": "North", "myshopifyDomain": "north.myshopify.com"},
        "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]},
    }


def refused(name, message="no", **payload):
    return {name: {**payload, "userErrors": [{"field": None, "message": message}]}}


# -- tokens


async def test_a_token_is_granted_once_for_many_calls(store):
    store.answers("Order", {"order": None})
    client = store.client()
    await store.clock.run(asyncio.gather(*(client.fetch(RESOURCE) for _ in range(4))))
    assert store.tokens_granted == 1
    form = parse_qs(store.requests[0].content.decode())
    assert form == {"grant_type": ["client_credentials"], "client_id": ["app"], "client_secret": ["hush"]}
    assert {request.headers["X-Shopify-Access-Token"] for request in store.requests[1:]} == {"shpat_1"}


async def test_a_token_is_replaced_before_it_ends(store):
    store.answers("Order", {"order": None})
    client = store.client()
    await fetch(store, client)
    await store.clock.run(store.clock.sleep(86399 - 299))
    await fetch(store, client)
    assert store.tokens_granted == 2


async def test_a_refused_token_is_replaced_once(store):
    store.answers(
        "Order", httpx.Response(401, json={"errors": "[API] Invalid API key or access token"}), {"order": None}
    )
    await fetch(store)
    assert store.tokens_granted == 2
    assert store.requests[-1].headers["X-Shopify-Access-Token"] == "shpat_2"


async def test_a_token_that_stays_refused_is_a_rejection(store):
    store.answers("Order", httpx.Response(401, json={"errors": "Invalid"}))
    with pytest.raises(RequestRejected) as caught:
        await fetch(store)
    assert caught.value.status == 401
    assert store.tokens_granted == 2


@pytest.mark.parametrize(
    ("grant", "error"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), RequestRejected),
        (httpx.Response(403, text="<html>"), RequestRejected),
        (httpx.Response(503), ProviderUnavailable),
        (httpx.Response(429, headers={"Retry-After": "1"}), RateLimited),
        (httpx.Response(200, json={"token": "?"}), SchemaMismatch),
    ],
)
async def test_a_refused_grant_is_a_typed_error(store, grant, error):
    store.grant = grant
    with pytest.raises(error) as caught:
        await fetch(store)
    assert "hush" not in str(caught.value)
    if grant.status_code == 400:
        assert caught.value.code == "invalid_client"


# -- errors and budget


async def test_throttled_waits_for_what_is_missing_and_tries_again(store):
    store.answers("Order", throttled(requested=300, available=100), costed({"order": None}))
    started = store.clock.monotonic()
    assert await fetch(store) == ()
    assert store.asked == ["Order", "Order"]
    assert store.clock.monotonic() - started >= 2.0


async def test_throttled_for_good_is_rate_limited(store):
    store.answers("Order", throttled())
    with pytest.raises(RateLimited):
        await fetch(store)


async def test_the_cost_that_shopify_counts_replaces_our_estimate(store):
    store.answers("Order", costed({"order": None}, requested=7, actual=1, available=30))
    client = store.client()
    await fetch(store, client)
    # 30 points would not admit the estimate of a whole order for seconds; the seen cost of 7 goes at once.
    started = store.clock.monotonic()
    await fetch(store, client)
    assert store.clock.monotonic() - started < 0.1


async def test_an_emptied_bucket_is_waited_out(store):
    store.answers("Order", costed({"order": None}, requested=100, actual=100, available=0))
    client = store.client()
    await fetch(store, client)
    started = store.clock.monotonic()
    await fetch(store, client)
    assert store.clock.monotonic() - started >= 0.9


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}]}, RequestRejected),
        ({"errors": [{"message": "x", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}, RequestRejected),
        ({"errors": [{"message": "Field 'x' doesn't exist"}]}, RequestRejected),
        ({"errors": "odd"}, RequestRejected),
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, ProviderUnavailable),
        (httpx.Response(200, text="<html>"), ProviderUnavailable),
        (httpx.Response(502), ProviderUnavailable),
        (httpx.Response(402, json={"errors": "frozen"}), RequestRejected),
        ({"data": None}, SchemaMismatch),
        ({"order": {"id": 1}}, SchemaMismatch),
        ({"order": []}, SchemaMismatch),
    ],
)
async def test_a_read_that_fails_raises_a_typed_error(store, answer, error):
    store.answers("Order", answer)
    with pytest.raises(error):
        await fetch(store)


async def test_an_internal_error_of_a_mutation_leaves_the_outcome_unknown(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": False}})
    store.answers("OrderMarkAsPaid", {"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]})
    with pytest.raises(OutcomeUnknown):
        await store.clock.run(store.client().mark_paid(_mark_paid(), "key"))
    assert store.asked.count("OrderMarkAsPaid") == 1


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({}, {"client_id": "a", "client_secret": "b"}),
        ({"shop_domain": "a.myshopify.com"}, {"client_secret": "b"}),
        ({"shop_domain": "a.myshopify.com"}, {"client_id": "a"}),
        ({"shop_domain": "a.myshopify.com", "plan": "gold"}, {"client_id": "a", "client_secret": "b"}),
    ],
)
def test_an_incomplete_connection_is_named(store, settings, secrets):
    made = Connection(key=ConnectionKey.parse(NAME), role=Role.STOREFRONT, settings=settings, secrets=secrets)
    with pytest.raises(ConfigurationError, match=NAME):
        ShopifyClient(made, store.governor)


def test_the_shops_own_address_is_used_without_base_url(store):
    made = shop(shop_domain="north.myshopify.com").model_copy(update={"settings": {"shop_domain": "n.myshopify.com"}})
    assert isinstance(ShopifyClient(made, store.governor), Storefront)


# -- health


async def test_health_names_missing_scopes_and_takes_write_for_read(store):
    store.answers("Shop", shop_answer("write_orders", "write_products", "write_inventory", "read_locations"))
    health = await store.clock.run(store.client().health())
    assert health.account_name == "North"
    assert health.missing_scopes == ("read_customers", "write_merchant_managed_fulfillment_orders")


async def test_health_of_a_connection_with_every_scope(store):
    store.answers("Shop", shop_answer(*REQUIRED_SCOPES))
    assert (await store.clock.run(store.client().health())).missing_scopes == ()


# -- reading


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


# -- capture


def _capture(minor=2400, currency="GBP"):
    return CapturePayment(
        connection=NAME,
        order_id="o",
        payment=AUTHORIZATION,
        amount=Money(minor=minor, currency=currency),
        storefront_order=ORDER_ID,
    )


def guard(*transactions):
    return {"order": {"transactions": [{"amountSet": both("24.00"), **each} for each in transactions]}}


AUTHORIZED = {"id": AUTHORIZATION, "kind": "AUTHORIZATION", "status": "SUCCESS", "parentTransaction": None}


def captured(status="SUCCESS"):
    parent = {"id": AUTHORIZATION}
    return {"id": "gid://shopify/OrderTransaction/42", "kind": "CAPTURE", "status": status, "parentTransaction": parent}


async def capture(store, command=None):
    return await store.clock.run(store.client().capture(command or _capture(), "key"))


async def test_a_capture_gives_the_order_as_it_is_afterwards(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    told = {"transaction": {"status": "SUCCESS", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    store.answers("Order", {"order": order()})
    (event,) = await capture(store)
    assert event.external_id == ORDER_ID
    assert dict(store.operations)["OrderCapture"]["input"] == {
        "id": ORDER_ID, "parentTransactionId": AUTHORIZATION, "amount": "24.00", "currency": "GBP",
    }  # fmt: skip


async def test_an_authorisation_that_is_captured_already_is_not_captured_again(store):
    store.answers("CaptureGuard", guard(AUTHORIZED, captured()))
    store.answers("Order", {"order": order()})
    assert len(await capture(store)) == 1
    assert "OrderCapture" not in store.asked


async def test_a_capture_under_way_is_waited_for(store):
    store.answers("CaptureGuard", guard(AUTHORIZED, captured("PENDING")))
    with pytest.raises(TransientError) as caught:
        await capture(store)
    assert caught.value.retry_after_s > 0
    assert "OrderCapture" not in store.asked


async def test_a_refused_capture_that_was_made_meanwhile_is_a_success(store):
    store.answers("CaptureGuard", guard(AUTHORIZED), guard(AUTHORIZED, captured()))
    store.answers("OrderCapture", refused("orderCapture", transaction=None))
    store.answers("Order", {"order": order()})
    assert len(await capture(store)) == 1


async def test_a_refused_capture_is_a_rejection(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    store.answers("OrderCapture", refused("orderCapture", transaction=None))
    with pytest.raises(RequestRejected) as caught:
        await capture(store)
    assert caught.value.code == "USER_ERROR"


async def test_a_capture_that_the_bank_refuses_is_a_rejection(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    told = {"transaction": {"status": "FAILURE", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    with pytest.raises(RequestRejected) as caught:
        await capture(store)
    assert caught.value.code == "capture_failed"


async def test_a_capture_without_answer_is_not_sent_twice(store):
    store.answers("CaptureGuard", guard(AUTHORIZED))
    store.answers("OrderCapture", httpx.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown):
        await capture(store)
    assert store.asked.count("OrderCapture") == 1


async def test_a_whole_authorisation_is_captured_in_the_customers_currency(store):
    store.answers("CaptureGuard", guard({**AUTHORIZED, "amountSet": both("24.00", "4500", "JPY")}))
    told = {"transaction": {"status": "SUCCESS", "order": head(order())}, "userErrors": []}
    store.answers("OrderCapture", {"orderCapture": told})
    store.answers("Order", {"order": order()})
    await capture(store)
    sent = dict(store.operations)["OrderCapture"]["input"]
    assert (sent["amount"], sent["currency"]) == ("4500", "JPY")


async def test_a_part_of_an_authorisation_in_another_currency_is_refused(store):
    store.answers("CaptureGuard", guard({**AUTHORIZED, "amountSet": both("24.00", "4500", "JPY")}))
    with pytest.raises(RequestRejected) as caught:
        await capture(store, _capture(1000))
    assert caught.value.code == "partial_presentment_capture"


async def test_a_capture_without_its_order_is_a_rejection(store):
    with pytest.raises(RequestRejected):
        await capture(store, _capture().model_copy(update={"storefront_order": None}))


# -- mark as paid


def _mark_paid():
    return MarkOrderPaid(connection=NAME, order_id="o", order=ORDER_ID)


async def test_marking_as_paid_gives_the_order(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": False}})
    store.answers("OrderMarkAsPaid", {"orderMarkAsPaid": {"order": head(order()), "userErrors": []}})
    store.answers("Order", {"order": order()})
    (event,) = await store.clock.run(store.client().mark_paid(_mark_paid(), "key"))
    assert event.placed.fully_paid
    assert dict(store.operations)["OrderMarkAsPaid"]["input"] == {"id": ORDER_ID}


async def test_an_order_that_is_paid_is_not_marked_again(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": True}})
    store.answers("Order", {"order": order()})
    assert len(await store.clock.run(store.client().mark_paid(_mark_paid(), "key"))) == 1
    assert "OrderMarkAsPaid" not in store.asked


async def test_a_refused_marking_of_an_unpaid_order_is_a_rejection(store):
    store.answers("PaidGuard", {"order": {"fullyPaid": False}})
    store.answers("OrderMarkAsPaid", refused("orderMarkAsPaid", order=None))
    with pytest.raises(RequestRejected):
        await store.clock.run(store.client().mark_paid(_mark_paid(), "key"))


# -- fulfil


def _fulfill(**changes):
    return CreateFulfillment(
        connection=NAME,
        order_id="o",
        order=ORDER_ID,
        fulfillment_order="gid://shopify/FulfillmentOrder/11",
        tracking_number="TRACK1",
        tracking_url=None,
        carrier="UPS",
        **changes,
    )


def work_guard(*remaining, status="OPEN", more=None):
    return {
        "fulfillmentOrder": {
            "status": status,
            "lineItems": page(*({"remainingQuantity": n} for n in remaining), more=more),
        }
    }


async def fulfill(store, client=None):
    return await store.clock.run((client or store.client()).fulfill(_fulfill(), "key"))


async def test_fulfilling_tells_tracking_and_gives_the_order(store):
    store.answers("FulfillmentGuard", work_guard(0, 2))
    told = {"fulfillment": {"order": head(order())}, "userErrors": []}
    store.answers("FulfillmentCreate", {"fulfillmentCreate": told})
    store.answers("Order", {"order": order(fulfillments=[parcel()])})
    (event,) = await fulfill(store)
    assert event.placed.fulfillments[0].tracking_number == "TRACK1"
    assert dict(store.operations)["FulfillmentCreate"]["fulfillment"] == {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/11"}],
        "notifyCustomer": True,
        "trackingInfo": {"company": "UPS", "number": "TRACK1"},
    }


@pytest.mark.parametrize(
    "answer",
    [
        work_guard(0, 0),
        work_guard(2, status="CLOSED"),
        work_guard(0, status="CANCELLED"),
        {"fulfillmentOrder": None},
    ],
)
async def test_nothing_remaining_is_a_success_without_a_call(store, answer):
    store.answers("FulfillmentGuard", answer)
    store.answers("Order", {"order": order()})
    assert len(await fulfill(store)) == 1
    assert "FulfillmentCreate" not in store.asked


async def test_a_first_page_without_remainder_does_not_end_the_work(store):
    store.answers("FulfillmentGuard", work_guard(0, more="w1"))
    told = {"fulfillment": {"order": head(order())}, "userErrors": []}
    store.answers("FulfillmentCreate", {"fulfillmentCreate": told})
    store.answers("Order", {"order": order()})
    await fulfill(store)
    assert "FulfillmentCreate" in store.asked


async def test_a_refused_fulfilment_that_was_made_meanwhile_is_a_success(store):
    store.answers("FulfillmentGuard", work_guard(2), work_guard(status="CLOSED"))
    store.answers("FulfillmentCreate", refused("fulfillmentCreate", fulfillment=None))
    store.answers("Order", {"order": order()})
    assert len(await fulfill(store)) == 1


async def test_a_payload_of_another_shape_is_a_schema_mismatch(store):
    store.answers("FulfillmentGuard", work_guard(2))
    store.answers("FulfillmentCreate", {"fulfillmentCreate": None})
    with pytest.raises(SchemaMismatch):
        await fulfill(store)


# -- subscriptions


def subscription(topic, uri=HOOK_URL, number=1):
    return {"id": f"gid://shopify/WebhookSubscription/{number}", "topic": topic, "uri": uri}


async def test_only_missing_subscriptions_are_created(store):
    heard = [subscription(topic) for topic in list(WANTED_TOPICS)[1:]]
    elsewhere = subscription("ORDERS_CREATE", "https://other.example")
    store.answers(
        "Subscriptions",
        {"webhookSubscriptions": page(*heard, more="c")},
        {"webhookSubscriptions": page(elsewhere)},
    )
    created = {"webhookSubscription": subscription("ORDERS_CREATE", number=9), "userErrors": []}
    store.answers("Subscribe", {"webhookSubscriptionCreate": created})
    (made,) = await store.clock.run(store.client().subscribe(HOOK_URL))
    assert (made.topic, made.url, made.secret) == ("orders/create", HOOK_URL, None)
    assert store.operations[-1][1] == {
        "topic": "ORDERS_CREATE", "webhookSubscription": {"uri": HOOK_URL, "format": "JSON"},
    }  # fmt: skip


async def test_a_subscription_that_exists_after_all_is_given(store):
    all_but_one = [subscription(topic) for topic in list(WANTED_TOPICS)[1:]]
    store.answers(
        "Subscriptions",
        {"webhookSubscriptions": page(*all_but_one)},
        {"webhookSubscriptions": page(*all_but_one, subscription("ORDERS_CREATE", number=7))},
    )
    store.answers("Subscribe", refused("webhookSubscriptionCreate", webhookSubscription=None))
    (made,) = await store.clock.run(store.client().subscribe(HOOK_URL))
    assert made.external_id.endswith("/7")


async def test_a_subscription_that_is_refused_for_good_is_a_rejection(store):
    store.answers("Subscriptions", {"webhookSubscriptions": page()})
    store.answers("Subscribe", refused("webhookSubscriptionCreate", webhookSubscription=None))
    with pytest.raises(RequestRejected):
        await store.clock.run(store.client().subscribe("http://not.https"))


async def test_unsubscribing_names_the_subscription(store):
    deleted = {"deletedWebhookSubscriptionId": "gid://1", "userErrors": []}
    store.answers("Unsubscribe", {"webhookSubscriptionDelete": deleted})
    await store.clock.run(store.client().unsubscribe("gid://1"))
    assert store.operations == [("Unsubscribe", {"id": "gid://1"})]
