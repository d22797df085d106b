"""Every variant of the store with its stock levels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from tradewind.domain.catalogue import CatalogueItem
from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.api import AdminApi
from tradewind.providers.shopify.documents import VARIANTS
from tradewind.providers.shopify.limits import LEVELS_PER_VARIANT, VARIANTS_PER_PAGE
from tradewind.providers.shopify.mapping import catalogue_item
from tradewind.providers.shopify.pages import with_all_levels
from tradewind.providers.shopify.wire import Page, VariantNode
from tradewind.transport import parsed


async def catalogue(api: AdminApi, connection: str) -> AsyncIterator[Sequence[CatalogueItem]]:
    """Pages of variants. Source: shopify.dev, `productVariants`."""
    variables: dict[str, Any] = {"first": VARIANTS_PER_PAGE, "after": None, "levels": LEVELS_PER_VARIANT}
    while True:
        data = await api.query(VARIANTS, variables)
        currency = _currency(data)
        page = parsed(Page[VariantNode], data.get("productVariants"), "Variants")
        variants = [await _complete(api, variant) for variant in page.nodes]
        yield [catalogue_item(variant, connection=connection, currency=currency) for variant in variants]
        if not page.page_info.has_next_page:
            return
        variables["after"] = page.page_info.end_cursor


async def _complete(api: AdminApi, variant: VariantNode) -> VariantNode:
    if not variant.inventory_item.tracked:
        return variant
    item = await with_all_levels(api, variant.inventory_item)
    return variant.model_copy(update={"inventory_item": item})


def _currency(data: dict[str, Any]) -> str:
    shop = data.get("shop")
    currency = shop.get("currencyCode") if isinstance(shop, dict) else None
    if not isinstance(currency, str):
        raise SchemaMismatch("Variants: the shop has no currency")
    return currency
