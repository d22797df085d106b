"""Where people look at Shopify's resources: the shop's own admin."""

from __future__ import annotations

from urllib.parse import urlsplit

from tradewind.domain.connections import Connection


def admin_url(connection: Connection, kind: str, external_id: str) -> str | None:
    """The page of an order; None for what has no page of its own, and for a shop that is not at Shopify.

    Source: Shopify's own library (`@shopify/shopify-api`, shop-admin-url-helper): `SHOP.myshopify.com` and
    `admin.shopify.com/store/SHOP` are one shop's admin; the former leads to the latter. An order's page has the number
    of its global id, as `Order.legacyResourceId` gives it.
    """
    domain = connection.settings.get("shop_domain") or urlsplit(connection.settings.get("base_url", "")).hostname or ""
    elsewhere = urlsplit(connection.settings.get("base_url", "")).hostname not in (None, domain)
    number = external_id.rpartition("/")[2].partition("?")[0]
    if kind != "order" or elsewhere or not domain.endswith(".myshopify.com") or not number.isdigit():
        return None
    return f"https://{domain}/admin/orders/{number}"
