"""Where people look at ShipStation's shipments."""

from __future__ import annotations

from urllib.parse import urlsplit

from tradewind.domain.connections import Connection

_PAGES = {
    "api.shipstation.com": "https://ship.shipstation.com/shipments",
    "api.shipengine.com": "https://dashboard.shipengine.com/shipments",
}


def admin_url(connection: Connection, kind: str, external_id: str) -> str | None:
    """The list in which a label's shipment is found: no address of a single label is published.

    Source: help.shipstation.com, "What Happens When Creating Labels or Splitting Shipments" (the Shipments tab).
    None for an account that is neither at ShipStation nor at ShipEngine.
    """
    host = urlsplit(connection.settings.get("base_url", "https://api.shipstation.com")).hostname
    return _PAGES.get(host or "") if kind == "label" else None
