"""The people who buy, and what they will do: planned beforehand from the seed, so that timing changes no choice."""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tradewind.sandbox.catalogue import Product, Variant
from tradewind.sandbox.places import town_in

CANCEL_PROBABILITY: Final = 0.06
CANCEL_AFTER_S: Final = (0.2, 6.0)
AUTHORIZATION_PROBABILITY: Final = 0.3  # at a store that takes the card itself; the rest is a sale at once
_VOUCHER_PROBABILITY: Final = 0.1
_FREE_SHIPPING_FROM: Final = Decimal(50)
_SHIPPING: Final = Decimal("3.95")
_PENNY: Final = Decimal("0.01")
_ABROAD: Final = ("France", "Germany", "EIRE", "Netherlands", "USA", "Australia")
_FIRST: Final = ("Ada", "Bilal", "Chloe", "Dev", "Emma", "Finn", "Grace", "Hugo", "Isla", "Jamal", "Kira", "Liam")
_LAST: Final = ("Abbott", "Brown", "Clarke", "Davies", "Evans", "Fraser", "Green", "Hughes", "Irwin", "Jones", "Khan")
_STREETS: Final = ("High Street", "Station Road", "Church Lane", "Mill Road", "Park Avenue", "Queen Street")


@dataclass(frozen=True)
class Shopper:
    """Someone with a name, an e-mail address and an address for parcels."""

    first_name: str
    last_name: str
    email: str
    address: dict[str, Any]


@dataclass(frozen=True)
class BasketLine:
    """So much of one SKU."""

    variant: Variant
    title: str
    quantity: int
    discount: Decimal


@dataclass(frozen=True)
class Purchase:
    """What one shopper will do. after_s: since the start; cancel_after_s: since the order, None for never."""

    after_s: float
    store: str
    shopper: Shopper
    lines: tuple[BasketLine, ...]
    shipping: Decimal
    kind: str  # "sale" or "authorization", where the store takes the card
    payment_id: str
    cancel_after_s: float | None

    @property
    def total(self) -> Decimal:
        """What the shopper pays: prices contain the tax."""
        return _value(self.lines) + self.shipping


def invent_shopper(rng: random.Random, *, country: str | None = None, email: str | None = None) -> Shopper:
    """A shopper; country: name or code of where they live, None for at home."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    town = town_in(country, rng)
    address: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "address1": f"{rng.randint(1, 240)} {rng.choice(_STREETS)}",
        "city": town.city,
        "zip": town.postal_code,
        "country_code": town.country_code,
        "phone": f"+4420{rng.randint(70000000, 79999999)}",
    }
    if town.province:
        address["province_code"] = town.province
    return Shopper(first, last, email or f"{first}.{last}{rng.randint(1, 9999)}@example.com".lower(), address)


def invent_payment_id(rng: random.Random) -> str:
    """The checkout's name for one payment: the store's transaction and the processor's metadata both carry it."""
    return f"c{rng.getrandbits(88):022x}"


def plan_purchases(
    rng: random.Random, products: list[Product], *, stores: tuple[str, ...], count: int, rate_per_s: float
) -> list[Purchase]:
    """The purchases to come. Shoppers arrive independently of each other (Poisson), rate_per_s of them on average."""
    after_s = 0.0
    planned: list[Purchase] = []
    for _ in range(count):
        after_s += rng.expovariate(rate_per_s)
        planned.append(_plan_purchase(rng, products, stores, after_s))
    return planned


def _plan_purchase(rng: random.Random, products: list[Product], stores: tuple[str, ...], after_s: float) -> Purchase:
    shopper = invent_shopper(rng, country=rng.choice(_ABROAD) if rng.random() < 0.2 else None)
    lines = _fill_basket(rng, products)
    return Purchase(
        after_s=after_s,
        store=rng.choice(stores),
        shopper=shopper,
        lines=lines,
        shipping=Decimal(0) if _value(lines) >= _FREE_SHIPPING_FROM else _SHIPPING,
        kind="authorization" if rng.random() < AUTHORIZATION_PROBABILITY else "sale",
        payment_id=invent_payment_id(rng),
        cancel_after_s=rng.uniform(*CANCEL_AFTER_S) if rng.random() < CANCEL_PROBABILITY else None,
    )


def _fill_basket(rng: random.Random, products: list[Product]) -> tuple[BasketLine, ...]:
    """One to four different SKUs; now and then a voucher takes a tenth off every line."""
    chosen = rng.sample(products, rng.randint(1, 4))
    rebate = Decimal("0.10") if rng.random() < _VOUCHER_PROBABILITY else Decimal(0)
    lines = []
    for product in chosen:
        variant = rng.choice(product.variants)
        quantity = rng.choice((1, 1, 1, 2, 2, 3, 6))
        discount = (variant.price * quantity * rebate).quantize(_PENNY)
        lines.append(BasketLine(variant, f"{product.title} - {variant.title}", quantity, discount))
    return tuple(lines)


def _value(lines: tuple[BasketLine, ...]) -> Decimal:
    return sum((line.variant.price * line.quantity - line.discount for line in lines), Decimal(0))
