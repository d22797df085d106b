"""Shopify: a storefront."""

from tradewind.providers.shopify.client import connect
from tradewind.providers.shopify.limits import budget
from tradewind.providers.shopify.payloads import events
from tradewind.providers.shopify.webhooks import authenticate, identify

__all__ = ["authenticate", "budget", "connect", "events", "identify"]
