"""Amounts: integer minor units of an ISO 4217 currency."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from pydantic import Field

from tradewind.domain.model import Model

# ISO 4217 exponents that differ from two. A provider with exponents of its own states them in its mapping.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def exponent(currency: str) -> int:
    """How many decimals the currency has in ISO 4217 (2 unless listed)."""
    return _EXPONENTS.get(currency, 2)


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""


class Money(Model):
    """An amount. minor: integer minor units (pence, yen); currency: ISO 4217 code, upper case."""

    minor: int
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(minor=0, currency=currency)

    @classmethod
    def of(cls, amount: str | Decimal | int, currency: str) -> Self:
        """From a decimal amount of major units, e.g. `Money.of("12.50", "GBP")`.

        Raises ValueError when the amount has more decimals than the currency: an amount is never rounded in silence.
        """
        scaled = Decimal(amount).scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} {currency} has more than {exponent(currency)} decimals")
        return cls(minor=int(scaled), currency=currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Self:
        """From a decimal amount of major units, rounded half up to the minor unit."""
        scaled = amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return cls(minor=int(scaled), currency=currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The sum of the amounts; zero of `currency` for none."""
        result = cls.zero(currency)
        for amount in amounts:
            result += amount
        return result

    @property
    def decimal(self) -> Decimal:
        """Major units, with exactly the currency's decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(minor=self.minor + self._same(other).minor, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(minor=self.minor - self._same(other).minor, currency=self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(minor=self.minor * quantity, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(minor=-self.minor, currency=self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other).minor

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other).minor

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not mix")
        return other
