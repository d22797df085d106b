"""Products, their variants, and the locations that stock them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tradewind.sandbox.shopify.people import Address


@dataclass(eq=False)
class Location:
    """A place with stock."""

    id: int
    name: str
    address: Address
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False)
class Variant:
    """One SKU. Its inventory item has an id of its own."""

    id: int
    item_id: int
    product: "Product"
    sku: str
    title: str
    price: Decimal
    requires_shipping: bool
    position: int
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False)
class Product:
    """What a shopper finds in the store."""

    id: int
    title: str
    vendor: str
    handle: str
    created_at: datetime
    updated_at: datetime
    variants: list[Variant] = field(default_factory=list)


class Catalog:
    """All products and locations of a store, found by their ids, names and SKUs."""

    def __init__(self) -> None:
        self.products: dict[int, Product] = {}
        self.variants: dict[int, Variant] = {}
        self.by_item: dict[int, Variant] = {}
        self.by_sku: dict[str, Variant] = {}
        self.locations: dict[int, Location] = {}

    def add(self, product: Product) -> None:
        """Put a product on sale."""
        self.products[product.id] = product
        for variant in product.variants:
            self.variants[variant.id] = variant
            self.by_item[variant.item_id] = variant
            self.by_sku[variant.sku] = variant

    def location_named(self, name: str) -> Location:
        """Raises KeyError if no location has this name."""
        for location in self.locations.values():
            if location.name == name:
                return location
        raise KeyError(f"no location is named {name!r}")

    def by_priority(self) -> Iterator[Location]:
        """Locations in the order in which orders are routed to them: as they were added."""
        return iter(self.locations.values())
