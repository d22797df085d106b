"""Stripe: the payment processor."""

from tradewind.providers.stripe.client import connect
from tradewind.providers.stripe.limits import budget
from tradewind.providers.stripe.mapping import events
from tradewind.providers.stripe.webhooks import authenticate, identify

__all__ = ["authenticate", "budget", "connect", "events", "identify"]
