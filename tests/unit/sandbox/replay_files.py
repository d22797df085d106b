"""History files written by hand, for the replay's tests."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

UCI_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
EXPORT_COLUMNS = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method",
    "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price", "Lineitem sku",
    "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status", "Billing Name", "Billing Street",
    "Billing Address1", "Billing Address2", "Billing Company", "Billing City", "Billing Zip", "Billing Province",
    "Billing Country", "Billing Phone", "Shipping Name", "Shipping Street", "Shipping Address1", "Shipping Address2",
    "Shipping Company", "Shipping City", "Shipping Zip", "Shipping Province", "Shipping Country", "Shipping Phone",
    "Notes", "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference", "Refunded Amount", "Vendor",
    "Outstanding Balance", "Employee", "Location", "Device ID", "Id", "Tags", "Risk Level", "Source",
    "Lineitem discount",
)  # fmt: skip


def uci_row(
    invoice: str,
    code: str = "22465",
    quantity: object = 1,
    price: object = "1.65",
    *,
    description: str = "HANGING METAL STAR LANTERN",
    at: str = "2011-11-14 08:10:00",
    customer: str = "18211.0",
    country: str = "United Kingdom",
) -> tuple[str, ...]:
    """One row with the columns of the Online Retail data set."""
    return (invoice, code, description, str(quantity), at, str(price), customer, country)


def write_uci(folder: Path, rows: Iterable[tuple[str, ...]]) -> Path:
    """A file of such rows."""
    return _write(folder / "week.csv", UCI_COLUMNS, rows)


def order_row(name: str = "#1001", **changes: str) -> dict[str, str]:
    """The first row of an order in Shopify's export: two mugs for 20.00. changes: columns, blanks as underscores."""
    row = {
        "Name": name,
        "Email": "ada@example.com",
        "Financial Status": "paid",
        "Currency": "GBP",
        "Subtotal": "20.00",
        "Shipping": "0.00",
        "Taxes": "0.00",
        "Total": "20.00",
        "Created at": "2026-03-02 10:12:44 +0000",
        "Shipping Name": "Ada Abbott",
        "Shipping Address1": "1 High Street",
        "Shipping City": "Leeds",
        "Shipping Zip": "'LS1 4AP",
        "Shipping Country": "GB",
    }
    return {**row, **line_row(name), **_columns(changes)}


def line_row(name: str = "#1001", **changes: str) -> dict[str, str]:
    """A further row of an order: one more line item."""
    row = {
        "Name": name,
        "Lineitem quantity": "2",
        "Lineitem name": "Mug",
        "Lineitem price": "10.00",
        "Lineitem sku": "MUG",
        "Lineitem requires shipping": "true",
    }
    return {**row, **_columns(changes)}


def write_export(folder: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """An order export with these rows."""
    values = ([row.get(column, "") for column in EXPORT_COLUMNS] for row in rows)
    return _write(folder / "orders_export.csv", EXPORT_COLUMNS, values)


def _columns(changes: Mapping[str, str]) -> dict[str, str]:
    return {key.replace("_", " "): value for key, value in changes.items()}


def _write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path
