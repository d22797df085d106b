"""Money that is to go back at processors: for a storefront's refunds, for a cancelled order, and what is too much.

A refund at a processor names its cause, and the record holds what was given back for which cause: so that a cause is
served once. What was captured too much goes back once too, whoever is first: we, the storefront, or a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from tradewind.domain.balance import balance_of, owed_by_processor, returned
from tradewind.domain.commands import RefundPayment
from tradewind.domain.connections import OvercaptureRefund
from tradewind.domain.money import Money
from tradewind.domain.order import Order, Payment, PlacedOrder, Refund
from tradewind.domain.overcapture import is_edited, taken_off_by_edits

CANCELLATION = "cancellation"
OVERCAPTURE = "overcapture"
"""Begins the reference of a refund of what was captured too much; `-` and the number of the refund follow."""


class _Share(NamedTuple):
    """What one payment is to give back, and for which cause."""

    payment: Payment
    amount: Money
    reference: str


def refunds(order: Order, placed: PlacedOrder, policy: OvercaptureRefund) -> Iterator[RefundPayment]:
    """Every refund that the order wants and that its record does not show, of no more than its payment has left.

    A person may have given some of it back at the processor for a cause of their own; the books tell of that.
    A disputed payment is left alone: the bank has taken that money already, and would not give it back twice.
    """
    rest = {
        one.external_id: one.captured - _given(order, one, OVERCAPTURE) for one in order.payments if one.captured
    }  # fmt: skip
    shares = list(_of_storefront(order, placed, rest))
    if placed.cancelled_at is not None:
        shares += _of_cancellation(order, rest)
    elif policy == "automatic":
        shares += _of_excess(order, placed, shares)
    for payment, amount, reference in shares:
        possible = min(amount, payment.captured - payment.refunded)
        if possible.minor > 0 and not order.is_disputed(payment):
            yield RefundPayment(
                connection=payment.connection,
                order_id=order.id,
                payment=payment.external_id,
                amount=possible,
                reference=reference,
            )


def is_of_excess(command: RefundPayment) -> bool:
    """Whether it gives back what was captured too much."""
    return _cause(command.reference) == OVERCAPTURE


def _of_storefront(order: Order, placed: PlacedOrder, rest: dict[str, Money]) -> Iterator[_Share]:
    """The storefront's refunds, taken from the payments one after another; `rest`, what is left of each, is reduced.

    What went back ahead of them, and may be what they are the storefront's record of, counts against them.
    """
    ahead = _ahead(order, placed)
    for refund in sorted(placed.refunds, key=lambda one: (one.created_at, one.external_id)):
        made = {one.external_id: _given(order, one, refund.external_id) for one in order.payments if one.captured}
        wanted = {left.currency: owed_by_processor(placed, refund, left.currency) for left in rest.values()}
        for name, amount in made.items():
            rest[name] -= amount
            wanted[amount.currency] -= amount
        if ahead.currency in wanted:
            counted = max(min(ahead, wanted[ahead.currency]), Money.zero(ahead.currency))
            ahead -= counted
            wanted[ahead.currency] -= counted
        yield from _shares(order, refund, wanted, rest, {name for name, amount in made.items() if amount})


def _shares(
    order: Order, refund: Refund, wanted: Mapping[str, Money], rest: dict[str, Money], made: Collection[str]
) -> Iterator[_Share]:
    """How much of a refund each payment is to give back. made: the payments that have given their share."""
    given = 0
    for payment in order.payments:
        left = rest.get(payment.external_id)
        if left is None or payment.external_id in made:
            continue
        share = min(left.minor, wanted[left.currency].minor - given)
        if share > 0:
            given += share
            amount = Money(minor=share, currency=left.currency)
            rest[payment.external_id] = left - amount
            yield _Share(payment, amount, refund.external_id)


def _of_cancellation(order: Order, rest: Mapping[str, Money]) -> Iterator[_Share]:
    """Everything that is left: what the storefront refunded, or a person at the processor, is not."""
    for payment in order.payments:
        left = min(rest.get(payment.external_id, payment.captured), payment.captured - payment.refunded)
        yield _Share(payment, left, CANCELLATION)


def _of_excess(order: Order, placed: PlacedOrder, others: Sequence[_Share]) -> list[_Share]:
    """What is kept beyond what the order costs since it was edited, once all others have gone back.

    Only of processors: what a storefront took itself is refunded there, by whoever edits.
    """
    currency = _currency(order, placed)
    if currency is None:
        return []
    balance = balance_of(placed, order.payments, order.disputes)
    kept = balance.taken - balance.given_back - Money.total((share.amount for share in others), currency)
    worth = balance.due - returned(placed, currency)
    excess = min(kept - worth, taken_off_by_edits(placed, currency))
    shares = []
    for payment in order.payments:
        asked = Money.total((share.amount for share in others if share.payment is payment), currency)
        amount = min(excess, payment.captured - payment.refunded - asked)
        if amount.minor > 0 and not order.is_disputed(payment):
            excess -= amount
            shares.append(_Share(payment, amount, f"{OVERCAPTURE}-{_count(order, payment)}"))
    return shares


def _ahead(order: Order, placed: PlacedOrder) -> Money:
    """What processors gave back of an edited order for none of the storefront's refunds, and is not owed besides them.

    Whoever gave the difference back there tells the storefront afterwards: that refund is made already.
    """
    currency = _currency(order, placed)
    if currency is None or not is_edited(placed):
        return Money.zero(placed.currency)
    causes = {refund.external_id for refund in placed.refunds}
    caused = (
        refund.amount for payment in order.payments for refund in _made(order, payment) if refund.reference in causes
    )
    given = Money.total((payment.refunded for payment in order.payments), currency) - Money.total(caused, currency)
    owed = Money.zero(currency) if placed.cancelled_at is not None else taken_off_by_edits(placed, currency)
    return max(given - owed, Money.zero(currency))


def _currency(order: Order, placed: PlacedOrder) -> str | None:
    """The one that all of the order's payments took; None for several, whose rate is not known, and for none."""
    currencies = {payment.captured.currency for payment in order.payments}
    known = currencies & {placed.currency, placed.presentment_total.currency}
    return known.pop() if len(currencies) == 1 and known else None


def _given(order: Order, payment: Payment, cause: str) -> Money:
    made = (refund.amount for refund in _made(order, payment) if _cause(refund.reference) == cause)
    return Money.total(made, payment.captured.currency)


def _count(order: Order, payment: Payment) -> int:
    return sum(_cause(refund.reference) == OVERCAPTURE for refund in _made(order, payment))


def _made(order: Order, payment: Payment) -> Iterator[Refund]:
    """The refunds of a payment that its processor tells of."""
    for refund in order.refunds:
        if (refund.connection, refund.payment) == (payment.connection, payment.external_id):
            yield refund


def _cause(reference: str | None) -> str | None:
    return OVERCAPTURE if reference is not None and reference.startswith(f"{OVERCAPTURE}-") else reference
