"""One invoice of a shop's history, whatever file it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tradewind.sandbox.replay.amounts import rounded


@dataclass(frozen=True)
class InvoiceLine:
    """One line. A negative quantity takes goods back, a negative price gives money back."""

    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    is_service: bool = False  # postage, fees, discounts, vouchers: nothing that is packed


@dataclass(frozen=True)
class Invoice:
    """What was invoiced. Amounts are Decimal in `currency`; `total` is the file's, with tax and shipping."""

    number: str
    invoiced_at: datetime
    currency: str
    lines: tuple[InvoiceLine, ...]
    total: Decimal
    customer: str | None = None
    discount: Decimal = Decimal(0)  # off the whole order, above zero
    shipping: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    taxes_included: bool = True
    email: str | None = None
    country: str | None = None
    address: Mapping[str, str] | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    is_cancellation: bool = False  # a document that takes back an earlier sale
    is_adjustment: bool = False  # a document of the books: bad debt
    was_cancelled: bool = False  # an order that was cancelled later
    refunded: Decimal = field(default=Decimal(0))  # given back later, without cancelling

    @property
    def day(self) -> str:
        """The day it belongs to, ISO 8601, in UTC."""
        return self.invoiced_at.date().isoformat()

    def line_total(self, line: InvoiceLine) -> Decimal:
        """Quantity times price, to the coin, half up."""
        return rounded(line.quantity * line.unit_price, self.currency)


@dataclass(frozen=True)
class Refusal:
    """An invoice that cannot be replayed, and why."""

    number: str
    reason: str


class InvoiceUnreadable(Exception):
    """This invoice cannot be understood. The message says which row and value, and what would be right."""


Entry = Invoice | Refusal
