"""Shopify: a storefront."""

from tradewind.providers.shopify.admin import admin_url
from tradewind.providers.shopify.client import connect
from tradewind.providers.shopify.limits import budget
from tradewind.providers.shopify.naming import about
from tradewind.providers.shopify.payloads import events
from tradewind.providers.shopify.webhooks import ROTATION, authenticate, identify

__all__ = ["ROTATION", "about", "admin_url", "authenticate", "budget", "connect", "events", "identify"]
