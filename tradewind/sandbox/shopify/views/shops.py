"""The shop, the installed app, and its webhook subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.jobs import Job
from tradewind.sandbox.shopify.subscriptions import API_VERSION, Subscription
from tradewind.sandbox.shopify.views.base import View, time

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def shop(store: ShopifyStore) -> View:
    """Shop."""
    email = f"owner@{store.account}.example.com"
    url = f"https://{store.domain}"
    return {
        "id": gid("Shop", store.shop_id),
        "name": store.account.title(),
        "email": email,
        "contactEmail": email,
        "myshopifyDomain": store.domain,
        "currencyCode": store.currency,
        "enabledPresentmentCurrencies": [store.currency],
        "ianaTimezone": store.zone_name,
        "timezoneAbbreviation": store.zone_name,
        "timezoneOffset": store.now().astimezone(store.zone).strftime("%z"),
        "plan": {"partnerDevelopment": False, "publicDisplayName": "Shopify", "shopifyPlus": False},
        "primaryDomain": {"id": gid("Domain", store.shop_id), "host": store.domain, "sslEnabled": True, "url": url},
        "taxesIncluded": True,
        "url": url,
        "createdAt": time(store.opened_at),
        "updatedAt": time(store.opened_at),
    }


def app_installation(store: ShopifyStore) -> View:
    """AppInstallation: which scopes the merchant has granted."""
    return {
        "__typename": "AppInstallation",
        "id": gid("AppInstallation", store.shop_id + 1),
        "accessScopes": [
            {"handle": scope, "description": scope.replace("_", " ").capitalize()} for scope in sorted(store.scopes)
        ],
    }


def subscription(given: Subscription) -> View:
    """WebhookSubscription."""
    return {
        "__typename": "WebhookSubscription",
        "id": gid("WebhookSubscription", given.id),
        "legacyResourceId": str(given.id),
        "topic": given.topic,
        "uri": given.uri,
        "format": given.format,
        "includeFields": list(given.include_fields),
        "apiVersion": {"displayName": API_VERSION, "handle": API_VERSION, "supported": True},
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "filter": None,
        "name": given.name,
        "metafieldNamespaces": [],
    }


def job(given: Job, root: View) -> View:
    """Job. root: what can be asked beside it."""
    return {"id": f"gid://shopify/Job/{given.id}", "done": given.done, "query": root}
