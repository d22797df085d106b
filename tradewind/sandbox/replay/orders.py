"""An invoice as a store takes it: lines at prices in whole coins, discounts on lines, nothing below zero."""

from dataclasses import dataclass, replace
from decimal import Decimal

from tradewind.sandbox.replay.amounts import rounded_up, spread
from tradewind.sandbox.replay.invoice import Invoice


@dataclass(frozen=True)
class OrderLine:
    """One line of an order. `net` is the line's total, exactly."""

    source: int  # index of the invoice's line
    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    requires_shipping: bool

    @property
    def net(self) -> Decimal:
        """Quantity times price less discount."""
        return self.unit_price * self.quantity - self.discount


def order_lines(invoice: Invoice) -> list[OrderLine]:
    """The lines of a sale, in the order of the invoice; together with shipping and tax they make its total.

    Lines below zero (a discount line, a negative price) and the discount of the whole order are spread over the other
    lines. A price with fractions of a coin is rounded up and the difference given as discount. Lines of quantity zero
    carry nothing and are left out.
    """
    totals = [invoice.line_total(line) for line in invoice.lines]
    kept = [index for index, line in enumerate(invoice.lines) if line.quantity > 0 and totals[index] >= 0]
    given = invoice.discount - sum((total for total in totals if total < 0), Decimal(0))
    shares = spread(given, [totals[index] for index in kept], invoice.currency)
    return [_order_line(invoice, index, totals[index], share) for index, share in zip(kept, shares, strict=True)]


def _order_line(invoice: Invoice, index: int, total: Decimal, share: Decimal) -> OrderLine:
    line = invoice.lines[index]
    price = rounded_up(line.unit_price, invoice.currency)
    return OrderLine(
        source=index,
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price=price,
        discount=price * line.quantity - total + share,
        requires_shipping=not line.is_service,
    )


@dataclass(frozen=True)
class Goods:
    """One SKU of a history. sold: units in all; is_packed: false for postage, fees, vouchers."""

    sku: str
    title: str
    price: Decimal
    sold: int
    is_packed: bool


def goods_sold(invoices: list[Invoice]) -> dict[str, Goods]:
    """Every SKU that a history names, by SKU, in the order of the file.

    Title and price are the first that a line gives; a code without any description is its own title.
    """
    goods: dict[str, Goods] = {}
    for invoice in invoices:
        for line in invoice.lines:
            before = goods.get(line.sku) or Goods(line.sku, line.sku, Decimal(0), 0, not line.is_service)
            price = rounded_up(max(line.unit_price, Decimal(0)), invoice.currency)
            goods[line.sku] = replace(
                before,
                # Descriptions of lines without a price are notes of the warehouse: "damaged", "found".
                title=line.title if before.title == line.sku and line.unit_price > 0 else before.title,
                price=before.price or price,
                sold=before.sold + max(line.quantity, 0),
            )
    return goods
