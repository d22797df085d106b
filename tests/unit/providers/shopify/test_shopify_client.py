"""A call to Shopify: its token, its errors, its budget, and what a connection must say."""

import asyncio
from urllib.parse import parse_qs

import httpx
import pytest

from tests.unit.providers.shopify.calling import RESOURCE, fetch, mark_order_paid, shop_answer
from tests.unit.providers.shopify.store import (
    NAME,
    costed,
    shop,
    throttled,
)
from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.domain.roles import Storefront
from tradewind.errors import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    SchemaMismatch,
)
from tradewind.providers.shopify.client import REQUIRED_SCOPES, ShopifyClient


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
        await store.clock.run(store.client().mark_paid(mark_order_paid(), "key"))
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


async def test_health_names_missing_scopes_and_takes_write_for_read(store):
    store.answers("Shop", shop_answer("write_orders", "write_products", "write_inventory", "read_locations"))
    health = await store.clock.run(store.client().health())
    assert health.account_name == "North"
    assert health.missing_scopes == ("read_customers", "write_merchant_managed_fulfillment_orders")


async def test_health_of_a_connection_with_every_scope(store):
    store.answers("Shop", shop_answer(*REQUIRED_SCOPES))
    assert (await store.clock.run(store.client().health())).missing_scopes == ()
