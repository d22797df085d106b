"""Stripe: the payment processor."""

from tradewind.providers.stripe.admin import admin_url
from tradewind.providers.stripe.client import connect
from tradewind.providers.stripe.limits import budget, livemode
from tradewind.providers.stripe.mapping import events
from tradewind.providers.stripe.webhooks import ROTATION, authenticate, identify

__all__ = ["ROTATION", "admin_url", "authenticate", "budget", "connect", "events", "identify", "livemode"]
