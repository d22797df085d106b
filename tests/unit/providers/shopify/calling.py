"""Calls to the fake store, and how it answers them."""

from tests.unit.providers.shopify.store import NAME, ORDER_ID
from tradewind.domain.commands import MarkOrderPaid
from tradewind.domain.events import Resource

RESOURCE = Resource(connection=NAME, kind="order", external_id=ORDER_ID)
AUTHORIZATION = "gid://shopify/OrderTransaction/41"
HOOK_URL = "https://shop.example/hooks/shopify/north"


async def fetch(store, client=None):
    return await store.clock.run((client or store.client()).fetch(RESOURCE))


def shop_answer(*scopes):
    return {
        "shop": {"name": "North", "myshopifyDomain": "north.myshopify.com"},
        "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]},
    }


def refused(name, message="no", **payload):
    return {name: {**payload, "userErrors": [{"field": None, "message": message}]}}


def mark_order_paid():
    return MarkOrderPaid(connection=NAME, order_id="o", order=ORDER_ID)
