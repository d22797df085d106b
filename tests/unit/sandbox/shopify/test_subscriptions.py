import base64
import hashlib
import hmac
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid
from tradewind.sandbox.shopify.subscriptions import RETRY_AFTER_S

CREATE = """mutation ($topic: WebhookSubscriptionTopic!, $given: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $given) {
    webhookSubscription { id topic uri format includeFields apiVersion { handle } } userErrors { field message } } }"""
UPDATE = """mutation ($id: ID!, $given: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $given) {
    webhookSubscription { uri includeFields } userErrors { field message } } }"""
DELETE = """mutation ($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { field message } } }"""
LIST = """query ($topics: [WebhookSubscriptionTopic!]) {
  webhookSubscriptions(first: 50, topics: $topics) { nodes { id topic uri } } }"""


@pytest.fixture
def shop() -> Shop:
    return Shop()


def create(shop: Shop, topic: str = "ORDERS_CREATE", **given: Any) -> dict[str, Any]:
    given = {"uri": "https://gateway.example/hooks", **given}
    answer: dict[str, Any] = shop.data(CREATE, topic=topic, given=given)["webhookSubscriptionCreate"]
    return answer


def test_a_delivery_carries_shopifys_headers_and_a_signature_of_its_bytes(shop: Shop) -> None:
    create(shop)
    shop.place()
    [hook] = shop.sent()
    headers = hook.headers(shop.clock.now())
    secret = shop.store.describe()["client_secret"].encode()
    signature = base64.b64encode(hmac.new(secret, hook.body, hashlib.sha256).digest()).decode()
    assert headers["X-Shopify-Hmac-Sha256"] == signature
    assert headers["X-Shopify-Topic"] == "orders/create"
    assert headers["X-Shopify-Shop-Domain"] == "north.myshopify.com"
    assert headers["X-Shopify-API-Version"] == "2026-10"
    assert headers["X-Shopify-Triggered-At"].startswith("2026-11-01T09:00:00.")
    assert (hook.url, hook.timeout_s) == ("https://gateway.example/hooks", 5.0)


def test_every_attempt_repeats_the_webhook_id_and_the_body(shop: Shop) -> None:
    create(shop)
    order = shop.place()
    [hook] = shop.sent()
    before = hook.headers(shop.clock.now())
    shop.store.cancel_order(order.id, "customer", refund=True)
    shop.clock.advance(60)
    assert hook.headers(shop.clock.now()) == before
    assert body(hook)["cancelled_at"] is None


def test_retries_are_eight_in_four_hours(shop: Shop) -> None:
    assert len(RETRY_AFTER_S) == 8
    assert sum(RETRY_AFTER_S) == 4 * 3600
    assert sorted(RETRY_AFTER_S) == list(RETRY_AFTER_S)


def test_a_subscription_is_removed_when_every_retry_has_failed(shop: Shop) -> None:
    create(shop)
    shop.place()
    [hook] = shop.sent()
    hook.on_give_up()
    hook.on_give_up()
    assert shop.data(LIST)["webhookSubscriptions"]["nodes"] == []


def test_times_in_bodies_are_in_the_shops_zone(shop: Shop) -> None:
    create(shop)
    shop.place()
    assert body(shop.sent()[0])["created_at"] == "2026-11-01T10:00:00+01:00"


def test_subscriptions_are_listed_by_topic_changed_and_deleted(shop: Shop) -> None:
    first = create(shop)["webhookSubscription"]
    create(shop, "ORDERS_UPDATED")
    assert [each["id"] for each in shop.data(LIST, topics=["ORDERS_CREATE"])["webhookSubscriptions"]["nodes"]] == [
        first["id"]
    ]
    changed = shop.data(UPDATE, id=first["id"], given={"uri": "https://other.example/", "includeFields": ["id"]})
    assert changed["webhookSubscriptionUpdate"]["webhookSubscription"] == {
        "uri": "https://other.example/",
        "includeFields": ["id"],
    }
    shop.place()
    assert [set(body(hook)) for hook in shop.sent() if hook.topic == "orders/create"] == [{"id"}]
    assert shop.data(DELETE, id=first["id"])["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == first["id"]
    again = shop.data(DELETE, id=first["id"])["webhookSubscriptionDelete"]
    assert (again["deletedWebhookSubscriptionId"], again["userErrors"][0]["field"]) == (None, ["id"])


@pytest.mark.parametrize("uri", ["", "http://gateway.example/hooks", "ftp://gateway.example/"])
def test_an_address_must_be_https(shop: Shop, uri: str) -> None:
    assert create(shop, uri=uri)["userErrors"][0]["field"] == ["webhookSubscription", "uri"]


def test_a_receiver_on_this_machine_needs_no_certificate(shop: Shop) -> None:
    assert create(shop, uri="http://127.0.0.1:8080/hooks")["userErrors"] == []


def test_an_address_takes_a_topic_once(shop: Shop) -> None:
    create(shop)
    assert "already been taken" in create(shop)["userErrors"][0]["message"]
    other = create(shop, uri="https://other.example/")["webhookSubscription"]
    taken = shop.data(UPDATE, id=other["id"], given={"uri": "https://gateway.example/hooks"})
    assert taken["webhookSubscriptionUpdate"]["userErrors"]


def test_an_unknown_subscription_cannot_be_changed(shop: Shop) -> None:
    changed = shop.data(UPDATE, id=gid("WebhookSubscription", 1), given={"uri": "https://other.example/"})
    assert changed["webhookSubscriptionUpdate"]["userErrors"][0]["field"] == ["id"]


def test_goods_are_told_of_when_they_come_and_when_their_price_changes(shop: Shop) -> None:
    shop.subscribe("PRODUCTS_CREATE", "PRODUCTS_UPDATE")
    shop.store.add_product("Bowl", "Potter", [{"sku": "BOWL", "price": Decimal("5")}], {"BOWL": {"London": 4}})
    shop.store.set_price("BOWL", Decimal("6.5"))
    created, updated = shop.sent()
    assert (created.topic, updated.topic) == ("products/create", "products/update")
    assert [body(hook)["variants"][0]["price"] for hook in (created, updated)] == ["5.00", "6.50"]
    assert body(created)["variants"][0]["inventory_quantity"] == 4


def test_removing_the_app_says_so_ends_its_tokens_and_its_subscriptions(shop: Shop) -> None:
    shop.subscribe("APP_UNINSTALLED", "ORDERS_CREATE")
    described = shop.store.describe()
    token = shop.store.tokens.grant(
        {
            "grant_type": "client_credentials",
            "client_id": described["client_id"],
            "client_secret": described["client_secret"],
        },
        shop.store.now(),
    )
    shop.store.uninstall_app()
    shop.place()
    assert [hook.topic for hook in shop.sent()] == ["app/uninstalled"]
    assert not shop.store.tokens.is_valid(token, shop.store.now())
