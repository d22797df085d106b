"""Where people look at a resource: at its provider, and never at the provider for what only looks like it."""

from typing import Any

import pytest

from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.providers.registry import admin_url

SHOP = "north.myshopify.com"


def account(key: str, **parts: Any) -> Connection:
    return Connection(key=ConnectionKey.parse(key), role=Role.STOREFRONT, **parts)


@pytest.mark.parametrize("settings", [{"shop_domain": SHOP}, {"base_url": f"https://{SHOP}"}])
def test_an_order_is_in_its_shops_admin(settings: dict[str, str]) -> None:
    shop = account("shopify:north", settings=settings)
    assert admin_url(shop, "order", "gid://shopify/Order/17") == f"https://{SHOP}/admin/orders/17"
    assert admin_url(shop, "order", "gid://shopify/Order/x") is None
    assert admin_url(shop, "refund", "gid://shopify/Refund/17") is None


@pytest.mark.parametrize(("key", "mode"), [("sk_live_1", ""), ("rk_test_1", "/test"), ("sk_test_1", "/test")])
def test_stripes_objects_are_in_the_dashboard_of_their_mode(key: str, mode: str) -> None:
    stripe = account("stripe:main", secrets={"secret_key": key})
    at = f"https://dashboard.stripe.com{mode}"
    assert admin_url(stripe, "payment", "pi_1") == f"{at}/payments/pi_1"
    assert admin_url(stripe, "dispute", "dp_1") == f"{at}/disputes/dp_1"
    assert admin_url(stripe, "label", "se-1") is None


def test_labels_are_found_among_the_shipments_of_their_product() -> None:
    assert admin_url(account("shipstation:main"), "label", "se-1") == "https://ship.shipstation.com/shipments"
    engine = account("shipstation:main", settings={"base_url": "https://api.shipengine.com"})
    assert admin_url(engine, "label", "se-1") == "https://dashboard.shipengine.com/shipments"


@pytest.mark.parametrize(
    ("key", "kind", "id"),
    [
        ("shopify:north", "order", "gid://shopify/Order/17"),
        ("stripe:main", "payment", "pi_1"),
        ("shipstation:main", "label", "se-1"),
        ("backoffice:main", "order", "1"),
    ],
)
def test_what_is_not_at_the_provider_has_no_page_there(key: str, kind: str, id: str) -> None:
    settings = {"base_url": "http://127.0.0.1:9999/x", "shop_domain": SHOP}
    assert admin_url(account(key, settings=settings), kind, id) is None
