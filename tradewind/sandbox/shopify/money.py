"""Amounts as the store counts them: decimals rounded half up to the currency's smallest unit."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

# ISO 4217: currencies that do not have two decimals.
_EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}

ZERO: Final = Decimal(0)


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
