"""The merchant's back office: signed journal documents that no storefront can carry."""

from tradewind.providers.backoffice.client import connect
from tradewind.providers.backoffice.limits import budget
from tradewind.providers.backoffice.mapping import events
from tradewind.providers.backoffice.webhooks import ROTATION, authenticate, identify

__all__ = ["ROTATION", "authenticate", "budget", "connect", "events", "identify"]
