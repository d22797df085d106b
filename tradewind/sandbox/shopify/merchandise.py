"""What the merchant puts on sale."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.catalog import Location, Product, Variant
from tradewind.sandbox.shopify.people import Address

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def add_location(store: ShopifyStore, name: str, address: Mapping[str, Any]) -> Location:
    """A new place with stock."""
    at = store.now()
    location = Location(store.ids.next(), name, Address.of(store.ids.next(), address), at, at)
    store.catalog.locations[location.id] = location
    return location


def add_product(
    store: ShopifyStore,
    title: str,
    vendor: str,
    variants: Sequence[Mapping[str, Any]],
    stock: Mapping[str, Mapping[str, int]],
) -> Product:
    """A new product with its variants and their stock. Raises KeyError for stock at an unknown location."""
    happening, at = store.happening(), store.now()
    product = Product(store.ids.next(), title, vendor, _handle(title), at, at)
    for position, given in enumerate(variants, start=1):
        variant = Variant(
            id=store.ids.next(),
            item_id=store.ids.next(),
            product=product,
            sku=given["sku"],
            title=given.get("title") or "Default Title",
            price=given["price"],
            requires_shipping=given.get("requires_shipping", True),
            position=position,
            created_at=at,
            updated_at=at,
        )
        product.variants.append(variant)
        for name, quantity in stock.get(variant.sku, {}).items():
            store.stock.stocked(variant.item_id, store.catalog.location_named(name).id, at).move(at, available=quantity)
    store.catalog.add(product)
    webhooks.product_created(store, happening, product)
    return product


def set_price(store: ShopifyStore, sku: str, price: Decimal) -> None:
    """A new price for a SKU. Raises KeyError."""
    happening, at = store.happening(), store.now()
    variant = store.catalog.by_sku[sku]
    variant.price = price
    variant.updated_at = variant.product.updated_at = at
    webhooks.product_updated(store, happening, variant.product)


def _handle(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
