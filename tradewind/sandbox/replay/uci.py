"""Histories with the columns of the Online Retail data set (UCI Machine Learning Repository, doi 10.24432/C5BW33).

One row is one line of an invoice; prices are pounds sterling; a number that starts with C takes a sale back, one that
starts with A adjusts a bad debt. Times carry no zone and are taken as UTC.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from tradewind.sandbox.replay.amounts import rounded
from tradewind.sandbox.replay.invoice import Entry, Invoice, InvoiceLine, InvoiceUnreadable, Refusal
from tradewind.sandbox.replay.records import Record
from tradewind.sandbox.replay.values import amount, moment, present, whole_number

COLUMNS: Final = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice")
CURRENCY: Final = "GBP"
# Codes that stand for money, not for goods. M ("manual") is goods that were keyed in by hand.
SERVICE_CODES: Final = frozenset({"POST", "DOT", "C2", "D", "S", "B", "CRUK", "BANK CHARGES", "AMAZONFEE"})
_VOUCHER: Final = "GIFT_"


def read(records: list[Record]) -> list[Entry]:
    """The invoices in the order of the file; an invoice with one unreadable row is refused as a whole."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        number = record.get("InvoiceNo") or f"row {record.row}"
        groups.setdefault(number, []).append(record)
    return [_entry(number, group) for number, group in groups.items()]


def is_service(code: str) -> bool:
    """Whether a stock code is something that is never packed."""
    return code.upper() in SERVICE_CODES or code.upper().startswith(_VOUCHER)


def _entry(number: str, group: list[Record]) -> Entry:
    try:
        return _invoice(number, group)
    except InvoiceUnreadable as unreadable:
        return Refusal(number, str(unreadable))


def _invoice(number: str, group: list[Record]) -> Invoice:
    lines = tuple(_lines(group))
    customers = {known for record in group if (known := _customer(record))}
    if len(customers) > 1:
        raise InvoiceUnreadable(
            f"row {group[0].row}: one invoice with several customers: {', '.join(sorted(customers))}"
        )
    customer = next(iter(customers), None)
    return Invoice(
        number=number,
        invoiced_at=min(moment(record, "InvoiceDate") for record in group),
        currency=CURRENCY,
        lines=lines,
        total=sum((rounded(line.quantity * line.unit_price, CURRENCY) for line in lines), Decimal(0)),
        customer=customer,
        country=group[0].get("Country") or None,
        is_cancellation=number[:1].upper() == "C",
        is_adjustment=number[:1].upper() == "A",
    )


def _lines(group: list[Record]) -> Iterator[InvoiceLine]:
    for record in group:
        if record.damage:
            raise InvoiceUnreadable(f"row {record.row}: {record.damage}")
        present(record, "InvoiceNo")
        code = present(record, "StockCode")
        yield InvoiceLine(
            sku=code,
            title=record.get("Description") or code,
            quantity=whole_number(record, "Quantity"),
            unit_price=amount(record, "UnitPrice"),
            is_service=is_service(code),
        )


def _customer(record: Record) -> str:
    """The customer's number; the file writes it as 17850.0."""
    return record.get("CustomerID").removesuffix(".0")
