"""Tax on top of prices, to the coin that an order's history states."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from tradewind.sandbox.replay.amounts import rounded, rounded_up, spread
from tradewind.sandbox.replay.orders import OrderLine

_NO_TAX: Final = Decimal(0)
_GRAIN: Final = Decimal("0.0001")  # rates are written in percent with two decimals
_STEPS: Final = 60


@dataclass(frozen=True)
class Taxed:
    """How an order is charged so that its tax comes out as stated."""

    lines: list[OrderLine]
    shipping: Decimal
    rate: Decimal
    is_included: bool


def taxed(lines: list[OrderLine], shipping: Decimal, tax: Decimal, *, is_included: bool, currency: str) -> Taxed:
    """Find the rate at which a store, which rounds the tax of every line and of shipping, arrives at this tax.

    Where no rate does (the history's shop rounded the sum), the tax goes into the prices: the total stays exact.
    """
    nets = [line.net for line in lines] + [shipping]
    if is_included:
        # Included tax changes no total: near is near enough.
        base = sum(nets, Decimal(0)) - tax
        return Taxed(lines, shipping, (tax / base).quantize(_GRAIN) if base > 0 else _NO_TAX, True)
    rate = _rate(nets, tax, currency)
    if rate is not None:
        return Taxed(lines, shipping, rate, False)
    *shares, of_shipping = spread(tax, nets, currency)
    dearer = [_dearer(line, share, currency) for line, share in zip(lines, shares, strict=True)]
    return Taxed(dearer, shipping + of_shipping, _NO_TAX, True)


def _rate(nets: Sequence[Decimal], tax: Decimal, currency: str) -> Decimal | None:
    """The plain rate, or by halving: the sum of rounded taxes never falls as the rate rises. None if none fits."""

    def charged_at(rate: Decimal) -> Decimal:
        return sum((rounded(net * rate, currency) for net in nets), Decimal(0))

    base = sum(nets, Decimal(0))
    plain = (tax / base).quantize(_GRAIN) if base else _NO_TAX
    if charged_at(plain) == tax:
        return plain
    low, high = _NO_TAX, 2 * plain
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if charged_at(middle) == tax:
            return middle
        low, high = (middle, high) if charged_at(middle) < tax else (low, middle)
    return None


def _dearer(line: OrderLine, tax: Decimal, currency: str) -> OrderLine:
    total = line.net + tax
    price = rounded_up(total / line.quantity, currency)
    return replace(line, unit_price=price, discount=price * line.quantity - total)
