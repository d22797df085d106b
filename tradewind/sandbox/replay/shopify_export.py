"""Histories in Shopify's own order export (Admin, Orders, Export; Shopify Help Center, "Exporting orders").

The first row of an order carries the order; each further row with the same Name carries one more line item, with the
order's own columns empty or repeated.
"""

from decimal import Decimal
from hashlib import sha256
from typing import Final

from tradewind.sandbox.replay.amounts import coin, rounded
from tradewind.sandbox.replay.invoice import Entry, Invoice, InvoiceLine, InvoiceUnreadable, Refusal
from tradewind.sandbox.replay.records import Record
from tradewind.sandbox.replay.values import amount, moment, present, whole_number

COLUMNS: Final = ("Name", "Total", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price")
_NEVER_PAID: Final = frozenset({"voided", "expired"})
_ADDRESS: Final = {
    "name": "Name",
    "company": "Company",
    "address1": "Address1",
    "address2": "Address2",
    "city": "City",
    "zip": "Zip",
    "province_code": "Province",
    "country_code": "Country",
    "phone": "Phone",
}
_ZERO: Final = Decimal(0)


def read(records: list[Record]) -> list[Entry]:
    """The orders in the order of the file; an order with one unreadable row is refused as a whole.

    Orders in another currency than most of the file are refused: a shop sells in one.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.get("Name") or f"row {record.row}", []).append(record)
    return _in_one_currency([_entry(name, group) for name, group in groups.items()])


def _in_one_currency(entries: list[Entry]) -> list[Entry]:
    currencies = [entry.currency for entry in entries if isinstance(entry, Invoice)]
    if not currencies:
        return entries
    shop = max(dict.fromkeys(currencies), key=currencies.count)
    return [
        Refusal(entry.number, f"its currency is {entry.currency}, the shop's is {shop}")
        if isinstance(entry, Invoice) and entry.currency != shop
        else entry
        for entry in entries
    ]


def _entry(name: str, group: list[Record]) -> Entry:
    try:
        return _order(group)
    except InvoiceUnreadable as unreadable:
        return Refusal(name, str(unreadable))


def _order(group: list[Record]) -> Invoice:
    _check_rows(group)
    head = group[0]
    currency = _currency(head)
    lines = tuple(_line(record) for record in group if _has_line(record))
    if not lines:
        raise InvoiceUnreadable(f"row {head.row}: the order has no line item")
    cancelled = bool(head.get("Cancelled at")) or head.get("Financial Status").lower() in _NEVER_PAID
    status = head.get("Financial Status").lower()
    total = rounded(amount(head, "Total"), currency)
    tax = rounded(amount(head, "Taxes", _ZERO), currency)
    shipping = rounded(amount(head, "Shipping", _ZERO) + amount(head, "Duties", _ZERO), currency)
    discount, taxes_included = _discount(head, group, currency, lines, total, shipping, tax)
    refunded = rounded(amount(head, "Refunded Amount", total if status == "refunded" else _ZERO), currency)
    address = _address(head)
    return Invoice(
        number=present(head, "Name"),
        invoiced_at=moment(head, "Created at"),
        currency=currency,
        lines=lines,
        total=total,
        customer=head.get("Email") or None,
        discount=discount,
        shipping=shipping,
        tax=tax,
        taxes_included=taxes_included,
        email=head.get("Email") or None,
        country=address.get("country_code") if address else None,
        address=address,
        note=head.get("Notes") or None,
        tags=tuple(tag.strip() for tag in head.get("Tags").split(",") if tag.strip()),
        was_cancelled=cancelled,
        refunded=_ZERO if cancelled else min(refunded, total),
    )


def _check_rows(group: list[Record]) -> None:
    """A damaged row, or rows that contradict the first, make the order unreadable."""
    head = group[0]
    present(head, "Name")
    for record in group:
        if record.damage:
            raise InvoiceUnreadable(f"row {record.row}: {record.damage}")
        for column in ("Total", "Id"):
            if record.get(column) not in ("", head.get(column)):
                values = f"{head.get(column)!r} and {record.get(column)!r}"
                raise InvoiceUnreadable(f"row {record.row}: two different values of {column} for one order: {values}")


def _currency(head: Record) -> str:
    currency = head.get("Currency").upper() or "GBP"
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise InvoiceUnreadable(f"row {head.row}: Currency {currency!r} is not a code of three letters")
    return currency


def _has_line(record: Record) -> bool:
    """Rows of payments and gift cards carry no line item."""
    return any(record.get(f"Lineitem {what}") for what in ("quantity", "name", "price", "sku"))


def _line(record: Record) -> InvoiceLine:
    title = record.get("Lineitem name") or present(record, "Lineitem sku")
    quantity = whole_number(record, "Lineitem quantity")
    price = amount(record, "Lineitem price")
    if quantity < 0 or price < 0:
        raise InvoiceUnreadable(f"row {record.row}: a line item is below zero: {quantity} x {price}")
    return InvoiceLine(
        sku=record.get("Lineitem sku") or _sku_of(title),
        title=title,
        quantity=quantity,
        unit_price=price,
        is_service=record.get("Lineitem requires shipping").lower() == "false",
    )


def _sku_of(title: str) -> str:
    """A stand-in for a line without SKU: the same for the same name."""
    return f"NAME-{sha256(title.encode()).hexdigest()[:10].upper()}"


def _discount(
    head: Record,
    group: list[Record],
    currency: str,
    lines: tuple[InvoiceLine, ...],
    total: Decimal,
    shipping: Decimal,
    tax: Decimal,
) -> tuple[Decimal, bool]:
    """What was taken off the lines, and whether prices contain the tax: the reading under which the amounts add up."""
    gross = sum((rounded(line.quantity * line.unit_price, currency) for line in lines), _ZERO)
    taken_off = amount(head, "Discount Amount", _ZERO)
    by_line = sum((amount(record, "Lineitem discount", _ZERO) for record in group), _ZERO)
    subtotals = [amount(head, "Subtotal")] if head.get("Subtotal") else []
    # Subtotal is documented as after discounts; files written by hand often mean before. A discount may be on shipping.
    for net in (*subtotals, gross - taken_off, gross - by_line, gross - by_line - taken_off, gross):
        for extra, taxes_included in ((tax, False), (_ZERO, True)):
            taxable = net + shipping
            if abs(taxable + extra - total) < coin(currency) and _ZERO <= net <= gross and (taxable or not extra):
                return gross - rounded(total - shipping - extra, currency), taxes_included or not tax
    parts = f"lines {gross}, discount {taken_off}, shipping {shipping}, taxes {tax}"
    raise InvoiceUnreadable(f"row {head.row}: the amounts do not add up to Total {total}: {parts}")


def _address(head: Record) -> dict[str, str] | None:
    """The shipping address, or else the billing address. A spreadsheet's apostrophe before a code is no part of it."""
    for side in ("Shipping", "Billing"):
        found = {key: head.get(f"{side} {column}").lstrip("'") for key, column in _ADDRESS.items()}
        found["address1"] = found["address1"] or head.get(f"{side} Street")
        if found["address1"] and found["city"]:
            return {key: value for key, value in found.items() if value}
    return None
