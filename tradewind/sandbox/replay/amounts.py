"""Decimal amounts and the smallest coin of a currency."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Final

# ISO 4217: currencies whose smallest unit is not a hundredth.
_EXPONENTS: Final = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


def coin(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for GBP, 1 for JPY."""
    return Decimal(1).scaleb(-_EXPONENTS.get(currency, 2))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole coins, half a coin away from zero."""
    return amount.quantize(coin(currency), rounding=ROUND_HALF_UP)


def rounded_up(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole coins, never less than it was."""
    return amount.quantize(coin(currency), rounding=ROUND_CEILING)


def minor_units(amount: Decimal, currency: str) -> int:
    """How many of the currency's smallest coins this is."""
    return int(rounded(amount, currency) / coin(currency))


def spread(amount: Decimal, over: list[Decimal], currency: str) -> list[Decimal]:
    """Divide an amount in proportion to `over`, to the coin and without remainder.

    The weights are whole coins and not negative. If the amount is at most their sum, no part is above its weight.
    """
    whole = sum(over, Decimal(0))
    if not whole:
        return [Decimal(0) for _ in over]
    parts: list[Decimal] = []
    passed = given = Decimal(0)
    for weight in over:
        # Rounding the running sum, not the parts: so they add up.
        passed += weight
        part = rounded(amount * passed / whole, currency) - given
        parts.append(part)
        given += part
    return parts
