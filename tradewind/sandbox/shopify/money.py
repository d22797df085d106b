"""Amounts as the store counts them: decimals rounded half up to the currency's smallest unit."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

# ISO 4217: currencies that do not have two decimals.
_EXPONENTS: Final = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)

ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Currencies:
    """The shop's currency and the one that the shopper saw. rate: so much of the shopper's for one of the shop's."""

    shop: str
    presentment: str
    rate: Decimal = Decimal(1)

    def presented(self, amount: Decimal) -> Decimal:
        """An amount of the shop's currency as the shopper sees it."""
        return amount if self.presentment == self.shop else rounded(amount * self.rate, self.presentment)

    def in_shop(self, amount: Decimal) -> Decimal:
        """An amount of the shopper's currency as the shop counts it."""
        return amount if self.presentment == self.shop else rounded(amount / self.rate, self.shop)


def exponent(currency: str) -> int:
    """How many decimals the currency has."""
    return _EXPONENTS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)


def minor_units(amount: Decimal, currency: str) -> int:
    """The amount as an integer of smallest units."""
    return int(rounded(amount, currency).scaleb(exponent(currency)))


def text(amount: Decimal, currency: str) -> str:
    """The amount as the API writes it: "12.50". A unit price below the smallest unit keeps its digits."""
    exact = rounded(amount, currency)
    return f"{exact if exact == amount else amount.normalize():f}"


def parsed_amount(value: Any) -> Decimal:
    """A Money scalar of the API, string or number. Raises ValueError."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"Invalid Money value: {value!r}") from None


def part(whole: Decimal, *, of: int, done: int, more: int, currency: str) -> Decimal:
    """What falls on `more` of `of` units when `done` are settled already: all parts add up to the whole."""
    if of == 0:
        return ZERO
    before = rounded(whole * done / of, currency)
    return rounded(whole * (done + more) / of, currency) - before
