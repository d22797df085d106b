"""What has been paid on an order, read from its transactions."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from tradewind.sandbox.shopify.money import ZERO
from tradewind.sandbox.shopify.order import StoreOrder, Transaction

# Where the store itself moves the money.
OWN_GATEWAYS: Final = ("shopify_payments", "gift_card")


def succeeded(order: StoreOrder, *kinds: str) -> Iterable[Transaction]:
    """The successful transactions of these kinds."""
    return (each for each in order.transactions if each.status == "SUCCESS" and each.kind in kinds)


def received(order: StoreOrder) -> Decimal:
    """Money taken, before refunds."""
    return sum((each.amount for each in succeeded(order, "SALE", "CAPTURE")), ZERO)


def refunded(order: StoreOrder) -> Decimal:
    """Money given back."""
    return sum((each.amount for each in succeeded(order, "REFUND")), ZERO)


def presented(order: StoreOrder, *kinds: str) -> Decimal:
    """What successful transactions of these kinds come to in the shopper's currency."""
    return sum((each.presented for each in succeeded(order, *kinds)), ZERO)


def outstanding(order: StoreOrder) -> Decimal:
    """What is still to be paid for what is on the order now; negative when too much was paid."""
    return order.current_total - received(order) + refunded(order)


def owed(order: StoreOrder) -> Decimal:
    """What is outstanding and neither announced nor authorised: nobody has promised it yet."""
    promised = sum((each.amount for each in pending(order)), total_capturable(order))
    return outstanding(order) - promised


def owed_presented(order: StoreOrder) -> Decimal:
    """The same in the shopper's currency: what is left of the total there, so that all payments add up to it."""
    paid = presented(order, "SALE", "CAPTURE") - presented(order, "REFUND")
    held = (each for each in order.transactions if capturable(order, each))
    promised = sum((each.presented for each in (*pending(order), *held)), ZERO)
    return order.money.presented(order.current_total) - paid - promised


def children(order: StoreOrder, parent: Transaction, *kinds: str) -> Decimal:
    """What successful transactions of these kinds have done to one transaction."""
    return sum((each.amount for each in succeeded(order, *kinds) if each.parent is parent), ZERO)


def is_voided(order: StoreOrder, transaction: Transaction) -> bool:
    """Whether an authorisation or a pending payment was released."""
    return any(each.parent is transaction for each in succeeded(order, "VOID"))


def capturable(order: StoreOrder, authorization: Transaction) -> Decimal:
    """What can still be captured of an authorisation: nothing after the first capture.

    Capturing several times is for the Plus plan. Source: shopify.dev, orderCapture.
    """
    open_ = authorization.kind == "AUTHORIZATION" and authorization.status == "SUCCESS"
    if not open_ or is_voided(order, authorization) or children(order, authorization, "CAPTURE"):
        return ZERO
    return authorization.amount


def total_capturable(order: StoreOrder) -> Decimal:
    """What can still be captured on the order."""
    return sum((capturable(order, each) for each in order.transactions), ZERO)


def refundable(order: StoreOrder, paid: Transaction) -> Decimal:
    """What can still be given back of one sale or capture."""
    if paid.kind not in ("SALE", "CAPTURE") or paid.status != "SUCCESS":
        return ZERO
    return paid.amount - children(order, paid, "REFUND")


def presented_left(order: StoreOrder, paid: Transaction) -> Decimal:
    """The same in the shopper's currency."""
    if not refundable(order, paid):
        return ZERO
    return paid.presented - sum((each.presented for each in succeeded(order, "REFUND") if each.parent is paid), ZERO)


def pending(order: StoreOrder) -> list[Transaction]:
    """Payments that were announced and neither arrived nor were released."""
    return [
        each
        for each in order.transactions
        if each.status == "PENDING" and not is_voided(order, each) and not children(order, each, "SALE")
    ]


def financial_status(order: StoreOrder) -> str:
    """The status that the API calls displayFinancialStatus."""
    taken, given_back = received(order), refunded(order)
    if given_back:
        return "REFUNDED" if given_back >= taken else "PARTIALLY_REFUNDED"
    if taken and taken >= order.current_total:
        return "PAID"
    if taken:
        return "PARTIALLY_PAID"
    if any(succeeded(order, "VOID")):
        return "VOIDED"
    if total_capturable(order):
        return "AUTHORIZED"
    return "PENDING" if order.total else "PAID"


def can_be_marked_as_paid(order: StoreOrder) -> bool:
    """Whether orderMarkAsPaid would do something: money is outstanding on an order that stands."""
    return order.cancelled_at is None and financial_status(order) != "PAID" and outstanding(order) > 0


def fulfillment_status(order: StoreOrder) -> str:
    """The status that the API calls displayFulfillmentStatus."""
    shipped = any(line.fulfilled for line in order.lines)
    remains = any(line.remaining for each in order.fulfillment_orders for line in each.lines)
    if not shipped:
        return "UNFULFILLED"
    return "PARTIALLY_FULFILLED" if remains else "FULFILLED"
