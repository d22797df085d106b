"""What a customer is owed because an order costs less than was taken, and what a merchant keeps on purpose."""

from __future__ import annotations

from tradewind.domain.balance import due
from tradewind.domain.money import Money
from tradewind.domain.payment import Refund
from tradewind.domain.placed import OrderLine, PlacedOrder


def is_edited(placed: PlacedOrder) -> bool:
    """Whether units were taken off the order by an edit, or as one.

    While the storefront knows of no payment, a refund of units can give nothing back, whatever the merchant wants: it
    takes them off, as an edit does. A capture may have been on its way to the storefront.
    """
    return placed.edited or any(_is_of_unpaid(placed, refund) for refund in placed.refunds)


def _is_of_unpaid(placed: PlacedOrder, refund: Refund) -> bool:
    taken = (transaction.processed_at for transaction in placed.transactions if transaction.took_money)
    return (
        bool(refund.lines)
        and not _takes_units(refund)
        and all(at is not None and at > refund.created_at for at in taken)
    )


def taken_off_by_edits(placed: PlacedOrder, currency: str) -> Money:
    """What edits took off the order and no refund of the storefront has given back, in one of its two currencies.

    Who edits an order so that it costs less owes the customer the difference, and refunds it: Shopify's
    `totalOutstandingSet` is negative then, and `currentTotalPriceSet` is what the order costs, refunds not considered.
    Source: help.shopify.com, "Editing orders" ("If the total cost of the edited order decreases, then you need to
    update the order and issue your customer a refund"); shopify.dev, Order.
    """
    # Whether there is anything is told by the shop's own money: the other is rounded, refund by refund.
    if not is_edited(placed) or placed.total <= due(placed, placed.currency):
        return Money.zero(currency)
    total = placed.presentment_total if placed.presentment_total.currency == currency else placed.total
    open_amount = total - due(placed, currency)
    if placed.returns or any(map(_takes_units, placed.refunds)):
        # Units that came back, or that a refund took off, may be worth more than what the merchant gave back for them.
        open_amount = min(open_amount, _worth_of_edits(placed, currency))
    return max(open_amount, Money.zero(currency))


def kept(placed: PlacedOrder, currency: str) -> Money:
    """What refunds of the storefront took off the order and, on purpose, did not pay back; in one of its currencies.

    A restocking fee, say, or the tax on a shipping charge. Whoever decides on a refund decides how much it is, and the
    rest is not owed. What edits took off is, and so are units that were taken off without a refund.
    """
    nothing = Money.zero(currency)
    total = placed.presentment_total if placed.presentment_total.currency == currency else placed.total
    taken_off = total - due(placed, currency)
    if not taken_off or not any(refund.amount for refund in placed.refunds):
        return nothing
    owed = taken_off_by_edits(placed, currency) if is_edited(placed) else _worth_of_edits(placed, currency)
    return max(taken_off - owed, nothing)


def _worth_of_edits(placed: PlacedOrder, currency: str) -> Money:
    """At most so much was the price of the units that edits took off: rounded up."""
    worth = sum(_worth(placed, line) for line in placed.lines)
    if currency != placed.currency and placed.total:
        worth = -(-worth * placed.presentment_total.minor // placed.total.minor)
    return Money(minor=worth, currency=currency)


def _worth(placed: PlacedOrder, line: OrderLine) -> int:
    units = _units_taken_off(placed, line)
    price = line.unit_price.minor * line.quantity - line.discount.minor
    whole = price if placed.taxes_included else price + line.tax.minor
    return -(-whole * units // line.quantity) if units else 0


def _units_taken_off(placed: PlacedOrder, line: OrderLine) -> int:
    """Units of the line that are gone, and that neither a refund nor a return explains."""
    refunded = sum(
        units
        for refund in placed.refunds
        if _takes_units(refund)
        for name, units in refund.lines
        if name == line.external_id
    )
    told = {refund.return_id for refund in placed.refunds}
    back = sum(
        units
        for one in placed.returns
        if one.external_id not in told
        for name, units in one.lines
        if name == line.external_id
    )
    return max(line.quantity - line.current_quantity - refunded - back, 0)


def _takes_units(refund: Refund) -> bool:
    """Whether units were refunded: what an edit took off may be listed as a refund of no money, and did not come back.

    Source: github.com/microsoft/BCApps, pull request 7447 ("refunds from order edits").
    """
    return bool(refund.lines and (refund.amount or refund.restocked))
