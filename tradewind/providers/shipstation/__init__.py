"""ShipStation API v2, and ShipEngine v1, which is the same API under another prefix and host: the carrier."""

from tradewind.providers.shipstation.admin import admin_url
from tradewind.providers.shipstation.client import connect
from tradewind.providers.shipstation.limits import budget
from tradewind.providers.shipstation.mapping import events
from tradewind.providers.shipstation.naming import about
from tradewind.providers.shipstation.webhooks import authenticate, identify

__all__ = ["about", "admin_url", "authenticate", "budget", "connect", "events", "identify"]
