"""Webhook subscriptions at Shopify: what is missing is made, what is there stays."""

import pytest

from tests.unit.providers.shopify.calling import HOOK_URL, refused
from tests.unit.providers.shopify.store import (
    page,
)
from tradewind.errors import (
    RequestRejected,
)
from tradewind.providers.shopify.webhooks import WANTED_TOPICS


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
