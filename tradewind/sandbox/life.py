"""What may become of an order besides being paid and shipped, and how often.

The table is explained in docs/sandbox.md. All choices are made beforehand, from a stream of their own.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.checkout import PROCESSOR_STORE

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shoppers import Purchase

LIVES: Final = ("plain", "full")

# One of these at most happens to an order; a shopper who cancels does nothing else.
DOINGS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "line_added": 0.03,
        "quantity_lowered": 0.03,
        "reviewed": 0.03,
        "fraud": 0.01,
        "units_refunded": 0.03,
        "amount_refunded": 0.02,
        "shipping_refunded": 0.02,
        "returned": 0.04,
        "late_cancel": 0.02,
        "dispute_won": 0.02,
        "dispute_lost": 0.02,
        "dispute_open": 0.02,
    }
)
DISPUTES: Final = ("dispute_won", "dispute_lost", "dispute_open")  # the processor's: at its store alone
HELD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "line_added": "OTHER",
        "quantity_lowered": "OTHER",
        "reviewed": "HIGH_RISK_OF_FRAUD",
        "fraud": "HIGH_RISK_OF_FRAUD",
    }
)
# How an order is paid: each independently of the others.
TERMS: Final[Mapping[str, float]] = MappingProxyType(
    {"gift_card": 0.05, "tip": 0.05, "tax_added": 0.05, "duties": 0.03, "foreign": 0.12}
)
# The shopper's currency, at the processor's store: so much of it for one pound.
FOREIGN: Final[Mapping[str, Decimal]] = MappingProxyType(
    {"EUR": Decimal("1.17"), "USD": Decimal("1.31"), "JPY": Decimal("198.4")}
)
# How parcels travel; all others are delivered at once.
JOURNEYS: Final[Mapping[str, float]] = MappingProxyType(
    {"second_attempt": 0.05, "delayed": 0.03, "undeliverable": 0.02}
)
PENNY: Final = Decimal("0.01")


@dataclass(frozen=True)
class Fate:
    """What will become of one purchase. after_s: how long the merchant or the shopper thinks before each step."""

    doing: str | None = None
    after_s: float = 0.0
    gift_card: Decimal = Decimal(0)
    tip: Decimal = Decimal(0)
    duty_rate: Decimal = Decimal(0)
    tax_added: bool = False
    currency: str | None = None
    payment_id: str = ""  # of a second payment

    @property
    def rate(self) -> Decimal:
        """So much of the shopper's currency for one unit of the shop's."""
        return FOREIGN[self.currency] if self.currency else Decimal(1)

    @property
    def hold(self) -> str | None:
        """Why the order waits from the start."""
        return HELD.get(self.doing or "")


PLAIN: Final = Fate()


def fate_of(rng: random.Random, purchase: Purchase) -> Fate:
    """The fate of a purchase. Always draws as often, so that one choice does not move the next."""
    chance, after_s, payment_id = rng.random(), rng.uniform(2.0, 5.0), f"c{rng.getrandbits(88):022x}"
    has = {name: rng.random() < rate for name, rate in TERMS.items()}
    share, currency = Decimal(rng.randint(10, 60)) / 100, rng.choice(list(FOREIGN))
    doing = None if purchase.cancel_after_s is not None else _pick(DOINGS, chance)
    at_processor = purchase.store == PROCESSOR_STORE
    if doing in DISPUTES and not at_processor:
        doing = None
    return Fate(
        doing=doing,
        after_s=after_s,
        gift_card=(purchase.total * share).quantize(PENNY) if has["gift_card"] else Decimal(0),
        tip=(purchase.total / 10).quantize(PENNY) if has["tip"] else Decimal(0),
        duty_rate=Decimal("0.05") if has["duties"] else Decimal(0),
        tax_added=has["tax_added"],
        currency=currency if has["foreign"] and at_processor else None,
        payment_id=payment_id,
    )


def journey_of(sandbox: Sandbox, shipment: Mapping[str, Any]) -> str:
    """How the parcel of a shipment will travel: the same for the same shipment, whenever its label is bought."""
    chance = sandbox.rng(f"journey/{shipment['external_order_id']}/{shipment['external_shipment_id']}").random()
    return _pick(JOURNEYS, chance) or "delivered"


def _pick(rates: Mapping[str, float], chance: float) -> str | None:
    for name, rate in rates.items():
        chance -= rate
        if chance < 0:
            return name
    return None
