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
    """Divide an amount in proportion to `over`, to the coin and without remainder; no part is above its weight.

    The amount is at most the sum of `over`, and none of them is negative.
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
    return _within(parts, over)


def _within(parts: list[Decimal], over: list[Decimal]) -> list[Decimal]:
    """Move what rounding put above a weight to a part that has room."""
    excess = Decimal(0)
    for index, (part, weight) in enumerate(zip(parts, over, strict=True)):
        if part > weight:
            excess += part - weight
            parts[index] = weight
    for index, (part, weight) in enumerate(zip(parts, over, strict=True)):
        moved = min(excess, weight - part)
        parts[index] = part + moved
        excess -= moved
    return parts
