"""What an invoice is: something a store can carry, or something only the books can. Explained in docs/replay.md."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from tradewind.sandbox.replay.invoice import Entry, Invoice, Refusal


class InvoiceClass(StrEnum):
    """The fate of an invoice."""

    SALE = "sale"
    CANCELLED_SALE = "cancelled_sale"
    CANCELLATION = "cancellation"
    CREDIT = "credit"
    WRITE_OFF = "write_off"
    ZERO_VALUE = "zero_value"
    ADJUSTMENT = "adjustment"
    SERVICE = "service"
    REFUSED = "refused"


PLACED: Final = frozenset({InvoiceClass.SALE, InvoiceClass.CANCELLED_SALE})
BOOKED: Final = frozenset(
    {
        InvoiceClass.CREDIT,
        InvoiceClass.WRITE_OFF,
        InvoiceClass.ZERO_VALUE,
        InvoiceClass.ADJUSTMENT,
        InvoiceClass.SERVICE,
    }
)


@dataclass(frozen=True)
class Classified:
    """One entry of the file with its class. A cancellation says which sale it takes back, and of each line how much."""

    entry: Entry
    kind: InvoiceClass
    sale: str | None = None
    returned: tuple[tuple[int, int], ...] = ()  # (index of the sale's line, quantity)
    is_whole: bool = False

    @property
    def invoice(self) -> Invoice:
        """The invoice; of a refusal there is none."""
        assert isinstance(self.entry, Invoice)
        return self.entry


def classify(entries: Iterable[Entry]) -> list[Classified]:
    """Every entry with its class, in the order of the file; a cancellation only takes back what was sold before it."""
    sales: dict[str, list[_OpenSale]] = {}
    classified: list[Classified] = []
    for entry in entries:
        found = _classify_one(entry, sales)
        classified.append(found)
        if found.kind is InvoiceClass.SALE and found.invoice.customer:
            sales.setdefault(found.invoice.customer, []).append(_OpenSale(found.invoice))
    return classified


def _classify_one(entry: Entry, sales: dict[str, list["_OpenSale"]]) -> Classified:
    if isinstance(entry, Refusal):
        return Classified(entry, InvoiceClass.REFUSED)
    if entry.is_cancellation and (matched := _matched(entry, sales.get(entry.customer or "", []))):
        return matched
    kind = _kind(entry)
    if kind in PLACED and any(line.quantity < 0 and not line.unit_price for line in entry.lines):
        reason = "a sale with a line of negative quantity at no price: neither an order nor a write-off"
        return Classified(Refusal(entry.number, reason), InvoiceClass.REFUSED)
    return Classified(entry, kind)


def _kind(invoice: Invoice) -> InvoiceClass:
    """The class of an invoice on its own."""
    if invoice.is_cancellation and invoice.total < 0:
        return InvoiceClass.CREDIT
    if invoice.is_cancellation or invoice.is_adjustment or invoice.total < 0:
        return InvoiceClass.ADJUSTMENT
    if invoice.total == 0:
        taken_out = sum(line.quantity for line in invoice.lines) < 0
        return InvoiceClass.WRITE_OFF if taken_out else InvoiceClass.ZERO_VALUE
    if all(line.is_service for line in invoice.lines if line.quantity):
        return InvoiceClass.SERVICE
    return InvoiceClass.CANCELLED_SALE if invoice.was_cancelled else InvoiceClass.SALE


@dataclass
class _OpenSale:
    """A sale and what of it has not been taken back yet."""

    invoice: Invoice
    left: list[int] = field(init=False)
    value_left: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.left = [max(line.quantity, 0) for line in self.invoice.lines]
        self.value_left = self.invoice.total

    def parts(self, cancellation: Invoice) -> dict[int, int] | None:
        """How much of which line the cancellation takes back; None if this is not the sale it speaks of."""
        if -cancellation.total > self.value_left:
            return None
        taken: Counter[int] = Counter()
        for line in cancellation.lines:
            wanted = -line.quantity
            if wanted <= 0:
                return None
            for index, sold in enumerate(self.invoice.lines):
                if (sold.sku, sold.unit_price) == (line.sku, line.unit_price):
                    found = min(wanted, self.left[index] - taken[index])
                    taken[index] += found
                    wanted -= found
            if wanted:
                return None
        return {index: quantity for index, quantity in sorted(taken.items()) if quantity}

    def is_whole(self, parts: dict[int, int], cancellation: Invoice) -> bool:
        """Whether nothing of the sale remains, and nothing was taken back before."""
        sold = {index: line.quantity for index, line in enumerate(self.invoice.lines) if line.quantity > 0}
        return parts == sold and -cancellation.total == self.invoice.total

    def take(self, parts: dict[int, int], cancellation: Invoice) -> None:
        """Remember what was taken back."""
        for index, quantity in parts.items():
            self.left[index] -= quantity
        self.value_left += cancellation.total


def _matched(cancellation: Invoice, sales: list[_OpenSale]) -> Classified | None:
    """The latest sale of this customer that the cancellation takes back, one that it takes back whole before others."""
    found = [(sale, parts) for sale in reversed(sales) if (parts := sale.parts(cancellation))]
    if not found or cancellation.total >= 0:
        return None
    whole = [(sale, parts) for sale, parts in found if sale.is_whole(parts, cancellation)]
    sale, parts = (whole or found)[0]
    sale.take(parts, cancellation)
    return Classified(
        entry=cancellation,
        kind=InvoiceClass.CANCELLATION,
        sale=sale.invoice.number,
        returned=tuple(parts.items()),
        is_whole=bool(whole),
    )
