"""What the merchant sells, and where it lies: 216 SKUs of its own, or the goods of a replayed history."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.replay.orders import Goods

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

VENDOR: Final = "Tradewind Trading Company"
LOCATIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "London": {"address1": "14 Wapping Lane", "city": "London", "zip": "E1W 2RL", "country_code": "GB"},
        "Leeds": {"address1": "3 Canal Wharf", "city": "Leeds", "zip": "LS11 5PS", "country_code": "GB"},
        "Bristol": {"address1": "27 Redcliff Street", "city": "Bristol", "zip": "BS1 6NZ", "country_code": "GB"},
    }
)
_THINGS: Final = (
    "Teapot", "Mug", "Bowl", "Plate", "Jug", "Vase", "Lantern", "Candle", "Cushion", "Throw", "Apron", "Tea Towel",
    "Doormat", "Clock", "Mirror", "Basket", "Hook", "Notebook", "Card Set", "Jigsaw", "Kite", "Lunch Box", "Umbrella",
    "Bunting",
)  # fmt: skip
_STYLES: Final = ("Rose", "Stripe", "Polkadot")
_SIZES: Final = (("Small", Decimal("1.00")), ("Medium", Decimal("1.60")), ("Large", Decimal("2.40")))
_PENNY: Final = Decimal("0.01")


@dataclass(frozen=True)
class Variant:
    """One SKU."""

    sku: str
    title: str
    price: Decimal
    requires_shipping: bool = True


@dataclass(frozen=True)
class Product:
    """A product, its variants, and the stock of each: {sku: {location: quantity}}."""

    title: str
    variants: tuple[Variant, ...]
    stock: Mapping[str, Mapping[str, int]]


def invent_products(rng: random.Random) -> list[Product]:
    """The merchant's own range: every thing in every style and size."""
    return [_invented(thing, style, rng) for thing in _THINGS for style in _STYLES]


def products_of(goods: Mapping[str, Goods]) -> list[Product]:
    """The goods of a history: codes that differ only in their letters (85123A, 85123B) are variants of one product.

    Every location has more of each than was sold in all, so that a replay never runs out.
    """
    families: dict[str, list[Goods]] = {}
    for good in goods.values():
        families.setdefault(_family(good.sku), []).append(good)
    return [_from_history(family) for family in families.values()]


def stock_store(store: "ShopifyStore", products: list[Product]) -> None:
    """Put products and their stock into a store."""
    for product in products:
        variants: list[dict[str, Any]] = [
            {
                "sku": variant.sku,
                "title": variant.title,
                "price": variant.price,
                "requires_shipping": variant.requires_shipping,
            }
            for variant in product.variants
        ]
        store.add_product(
            product.title, VENDOR, variants=variants, stock={sku: dict(held) for sku, held in product.stock.items()}
        )


def _invented(thing: str, style: str, rng: random.Random) -> Product:
    base = Decimal(rng.randint(195, 1995)) / 100
    code = "".join(word[0] for word in thing.split()) + thing[1:3].upper()
    variants = tuple(
        Variant(f"{code}-{style[:3].upper()}-{size[0]}", size, (base * factor).quantize(_PENNY))
        for size, factor in _SIZES
    )
    stock = {variant.sku: {name: rng.randint(2_000, 5_000) for name in LOCATIONS} for variant in variants}
    return Product(f"{style} {thing}", variants, stock)


def _family(sku: str) -> str:
    found = re.match(r"[0-9]{5}", sku)
    return found.group() if found else sku


def _from_history(family: list[Goods]) -> Product:
    # Two codes may carry the same description; a product's variants need titles of their own.
    variants = tuple(Variant(good.sku, good.sku, good.price, good.is_packed) for good in family)
    stock = {good.sku: dict.fromkeys(LOCATIONS, good.sold + 100) for good in family if good.is_packed}
    return Product(family[0].title, variants, stock)
