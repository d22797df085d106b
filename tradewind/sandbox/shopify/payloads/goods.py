"""Bodies about products and stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.catalog import Product, Variant
from tradewind.sandbox.shopify.ids import gid, level_gid
from tradewind.sandbox.shopify.money import text
from tradewind.sandbox.shopify.payloads.common import Body, when
from tradewind.sandbox.shopify.stock import Level

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def product(store: ShopifyStore, given: Product) -> Body:
    """products/create, products/update."""
    return {
        "admin_graphql_api_id": gid("Product", given.id),
        "body_html": "",
        "created_at": when(store, given.created_at),
        "handle": given.handle,
        "id": given.id,
        "product_type": "",
        "published_at": when(store, given.created_at),
        "template_suffix": None,
        "title": given.title,
        "updated_at": when(store, given.updated_at),
        "vendor": given.vendor,
        "status": "active",
        "published_scope": "web",
        "tags": "",
        "variants": [_variant(store, each) for each in given.variants],
        "options": [_option(given)],
        "images": [],
        "image": None,
        "media": [],
        "variant_gids": [_variant_gid(each) for each in given.variants],
        "has_variants_that_requires_components": False,
        "category": None,
    }


def level(store: ShopifyStore, given: Level) -> Body:
    """inventory_levels/update."""
    return {
        "inventory_item_id": given.item_id,
        "location_id": given.location_id,
        "available": given.quantity("available"),
        "updated_at": when(store, given.updated_at),
        "admin_graphql_api_id": level_gid(given.item_id, given.location_id),
    }


def _variant(store: ShopifyStore, given: Variant) -> Body:
    available = store.stock.available(given.item_id)
    return {
        "admin_graphql_api_id": gid("ProductVariant", given.id),
        "barcode": None,
        "compare_at_price": None,
        "created_at": when(store, given.created_at),
        "id": given.id,
        "inventory_policy": "deny",
        "position": given.position,
        "price": text(given.price, store.currency),
        "product_id": given.product.id,
        "sku": given.sku,
        "taxable": True,
        "title": given.title,
        "updated_at": when(store, given.updated_at),
        "option1": given.title,
        "option2": None,
        "option3": None,
        "image_id": None,
        "inventory_item_id": given.item_id,
        "inventory_quantity": available,
        "old_inventory_quantity": available,
    }


def _option(given: Product) -> Body:
    return {
        "name": "Title",
        "id": given.id + 1,
        "product_id": given.id,
        "position": 1,
        "values": [variant.title for variant in given.variants],
    }


def _variant_gid(given: Variant) -> Body:
    stamp = given.updated_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"admin_graphql_api_id": gid("ProductVariant", given.id), "updated_at": stamp}
