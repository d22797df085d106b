"""What a storefront sells, as the catalog sync reads it."""

from __future__ import annotations

from datetime import datetime

from tradewind.domain.model import Model
from tradewind.domain.money import Money


class StockLevel(Model):
    """A storefront's own count of one item at one location."""

    location: str
    location_name: str
    on_hand: int
    available: int


class CatalogueItem(Model):
    """One sellable variant. backorders: whether the storefront sells it at zero stock."""

    connection: str
    external_id: str
    inventory_item_id: str | None
    sku: str | None
    title: str
    price: Money
    updated_at: datetime
    backorders: bool = False
    levels: tuple[StockLevel, ...] = ()
