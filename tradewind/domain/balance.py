"""What an order's customer owes, has paid and was given back, in one currency.

The storefront states every amount twice, in the shop's currency and in the one that the customer saw; a processor
states only what it took. So amounts are compared in the customer's currency, unless a processor took the shop's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tradewind.domain.money import Money
from tradewind.domain.payment import (
    TAKING,
    CapturedBy,
    Dispute,
    DisputeStatus,
    Payment,
    Refund,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.placed import PlacedOrder


class Balance(NamedTuple):
    """due: what the order costs as it is now, and what was given back of it. taken: captured, before refunds.

    given_back: refunded, or lost in a dispute.
    """

    due: Money
    taken: Money
    given_back: Money

    @property
    def outstanding(self) -> Money:
        """What is still to be captured; nothing when too much was."""
        return max(self.due - self.taken, Money.zero(self.due.currency))


def balance_of(placed: PlacedOrder, payments: Sequence[Payment], disputes: Sequence[Dispute] = ()) -> Balance:
    """In the customer's currency, or in the shop's when a processor took that."""
    currency = placed.presentment_total.currency
    if any(payment.captured.currency != currency for payment in payments):
        currency = placed.currency
    return _balance(placed, payments, disputes, currency)


def shop_balance_of(placed: PlacedOrder, payments: Sequence[Payment], disputes: Sequence[Dispute] = ()) -> Balance:
    """In the shop's currency. What a processor took in the customer's is converted at the order's own rate."""
    exact, shop = balance_of(placed, payments, disputes), _balance(placed, payments, disputes, placed.currency)
    # Several converted amounts, each rounded down, may miss what is known to be the whole.
    taken = max(shop.taken, shop.due) if exact.taken >= exact.due else shop.taken
    given_back = shop.given_back
    # So may what was given back, when what is kept is known to be what the order costs.
    if exact.given_back and exact.taken - exact.given_back == exact.due - returned(placed, exact.due.currency):
        given_back = taken - (shop.due - returned(placed, placed.currency))
    return shop._replace(taken=taken, given_back=given_back)


def told_amount(told: Transaction | Refund, currency: str) -> Money:
    """An amount that the storefront tells, in the currency if it is one of the two that it is told in."""
    return told.presentment if told.presentment.currency == currency else told.amount


def owed_by_processor(placed: PlacedOrder, refund: Refund, currency: str) -> Money:
    """What of a storefront's refund the storefront has not given back itself, e.g. on a gift card."""
    own = (
        told_amount(transaction, currency)
        for transaction in placed.transactions
        if transaction.external_id in refund.transactions
        and transaction.kind is TransactionKind.REFUND
        and _is_made_by_storefront(transaction)
    )
    return max(told_amount(refund, currency) - Money.total(own, currency), Money.zero(currency))


def _balance(placed: PlacedOrder, payments: Iterable[Payment], disputes: Iterable[Dispute], currency: str) -> Balance:
    payments = tuple(payments)
    taken = (*_own(placed, TAKING, currency), *(_converted(placed, p.captured, currency) for p in payments))
    refunded = (
        *_own(placed, (TransactionKind.REFUND,), currency),
        *(_converted(placed, payment.refunded, currency) for payment in payments),
        *(_converted(placed, d.amount, currency) for d in disputes if d.status is DisputeStatus.LOST),
    )
    whole = Money.total(taken, currency)
    given_back = min(Money.total(refunded, currency), whole)
    return Balance(due(placed, currency), whole, given_back)


def due(placed: PlacedOrder, currency: str) -> Money:
    """What the order costs, in one of its two currencies.

    Units that were taken off and paid back were due all the same; units taken off before never were.
    """
    shown = placed.presentment_total.currency == currency
    total = placed.presentment_total if shown else placed.total
    if placed.current_total + returned(placed, placed.currency) >= placed.total:
        # Told by the shop's own money: in the customer's, which is rounded refund by refund, a penny may be missing.
        return total
    current = placed.presentment_current_total if shown else placed.current_total
    return min(total, current + returned(placed, currency))


def returned(placed: PlacedOrder, currency: str) -> Money:
    """What the storefront has refunded, in one of the order's two currencies."""
    return Money.total((told_amount(refund, currency) for refund in placed.refunds), currency)


def captured_by_store(placed: PlacedOrder, currency: str) -> Money:
    """What the storefront took itself, in one of the order's two currencies."""
    return Money.total(_own(placed, TAKING, currency), currency)


def _own(placed: PlacedOrder, kinds: Sequence[TransactionKind], currency: str) -> Iterator[Money]:
    for transaction in placed.transactions:
        if transaction.kind in kinds and _is_made_by_storefront(transaction):
            yield told_amount(transaction, currency)


def _is_made_by_storefront(transaction: Transaction) -> bool:
    made = transaction.status is TransactionStatus.SUCCESS
    return made and transaction.captured_by is CapturedBy.STOREFRONT


def _converted(placed: PlacedOrder, amount: Money, currency: str) -> Money:
    """At the rate of the order's totals, rounded down, so that a part never counts as the whole."""
    if amount.currency == currency:
        return amount
    shown, total = placed.presentment_total, placed.total
    source, target = (shown, total) if amount.currency == shown.currency else (total, shown)
    if not source:
        return Money.zero(currency)
    return Money(minor=amount.minor * target.minor // source.minor, currency=currency)
