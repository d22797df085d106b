"""Stripe's smallest units and ISO 4217's, which are not always the same.

Source: docs.stripe.com/currencies (zero-decimal, three-decimal and special-case currencies).
"""

from __future__ import annotations

from tradewind.domain.money import Money, exponent
from tradewind.errors import RequestRejected, SchemaMismatch

_ZERO_DECIMAL = (
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
_THREE_DECIMAL = ("BHD", "JOD", "KWD", "OMR", "TND")
# ISK and UGX have no decimals, but Stripe still takes them with two; whatever else differs from two is listed above.


def from_stripe(amount: int, currency: str) -> Money:
    """An amount as Stripe states it. Raises SchemaMismatch when the currency has no such fraction."""
    code = currency.upper()
    minor, rest = _scaled(amount, exponent(code) - _stripe_exponent(code))
    if rest:
        raise SchemaMismatch(f"{amount} of Stripe's smallest units of {code} is no whole minor unit")
    return Money(minor=minor, currency=code)


def to_stripe(amount: Money) -> int:
    """The amount in Stripe's smallest unit. Raises RequestRejected when Stripe has no unit so small.

    Of three decimals the last must be zero: 5.124 KWD cannot be moved, 5.120 can.
    """
    units, rest = _scaled(amount.minor, _stripe_exponent(amount.currency) - exponent(amount.currency))
    if rest or (amount.currency in _THREE_DECIMAL and units % 10):
        raise RequestRejected(f"Stripe has no unit small enough for {amount}", code="amount_too_fine")
    return units


def _stripe_exponent(currency: str) -> int:
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def _scaled(amount: int, power: int) -> tuple[int, int]:
    if power >= 0:
        return amount * 10**power, 0
    whole, rest = divmod(amount, 10**-power)
    return whole, rest
