"""Money of an order: what was authorised, captured, refunded and disputed, as each source has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tradewind.domain.model import Model
from tradewind.domain.money import Money


def _same_as_amount(told: Mapping[str, Any]) -> Money:
    """What the customer saw is what the shop books, unless the storefront tells another currency."""
    amount: Money = told["amount"]
    return amount


class CapturedBy(StrEnum):
    """Who captures a payment: the storefront, or the processor, when the processor was charged directly."""

    STOREFRONT = "storefront"
    PROCESSOR = "processor"


class TransactionKind(StrEnum):
    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    SALE = "sale"
    REFUND = "refund"
    VOID = "void"


TAKING = (TransactionKind.SALE, TransactionKind.CAPTURE)
"""Kinds by which the customer's money is taken."""


class TransactionStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


class Transaction(Model):
    """One money movement as the storefront lists it.

    amount, presentment: the same money in the shop's currency and in the one that the customer saw. gateway: the
    storefront's name of who took it; `gift_card` is a sale that the storefront takes itself. payment_id: the checkout's
    payment id, which the processor's metadata repeats when it was charged directly. multi_capturable: an authorisation
    that may be captured in several parts; of any other the first capture releases the rest.
    """

    external_id: str
    kind: TransactionKind
    status: TransactionStatus
    amount: Money
    presentment: Money = Field(default_factory=_same_as_amount)
    gateway: str
    captured_by: CapturedBy
    payment_id: str | None = None
    parent_id: str | None = None
    processed_at: datetime | None = None
    multi_capturable: bool = False

    @property
    def took_money(self) -> bool:
        return self.kind in TAKING and self.status is TransactionStatus.SUCCESS


class PaymentState(StrEnum):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELLED = "cancelled"
    FAILED = "failed"
    PENDING = "pending"


class Payment(Model):
    """One payment as the processor has it (a Stripe payment intent with its charge), in the currency that it took.

    authorized: what may be captured of it while it is authorised. captured: less than that after a partial capture.
    """

    connection: str
    external_id: str
    charge_id: str | None
    state: PaymentState
    authorized: Money
    captured: Money
    refunded: Money
    payment_id: str | None
    created_at: datetime


def _with_location(restocked: Any) -> Any:
    """Records that were written before refunds told their location have (line, quantity)."""
    if not isinstance(restocked, list | tuple):
        return restocked
    return tuple(
        (one[0], None, one[1]) if isinstance(one, list | tuple) and len(one) == 2 else one for one in restocked
    )


class Refund(Model):
    """A refund as its source has it; each is a fact with an id of its own.

    amount, presentment: as of a transaction. lines: (line external_id, quantity) of every unit that it takes off the
    order; cancelled: of those, the units that had not been shipped. restocked: (line external_id, location, quantity)
    of the units that came back from the customer and lie on a shelf again. transactions: ids of the storefront's
    transactions that paid it. return_id: the storefront's return that it belongs to. payment, reference: of a refund at
    a processor, the payment that it was taken from and what we said that it was for; None for one made by hand.
    """

    connection: str
    external_id: str
    amount: Money
    presentment: Money = Field(default_factory=_same_as_amount)
    created_at: datetime
    lines: tuple[tuple[str, int], ...] = ()
    cancelled: tuple[tuple[str, int], ...] = ()
    restocked: Annotated[tuple[tuple[str, str | None, int], ...], BeforeValidator(_with_location)] = ()
    transactions: tuple[str, ...] = ()
    return_id: str | None = None
    payment: str | None = None
    reference: str | None = None


class DisputeStatus(StrEnum):
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"  # an inquiry that ended before money was taken back


class Dispute(Model):
    """A customer's bank takes a payment back, or asks about it. payment: the processor's payment external_id.

    amount: what is disputed, in the payment's currency. reason: the processor's word.
    """

    connection: str
    external_id: str
    payment: str
    charge_id: str | None
    amount: Money
    reason: str
    status: DisputeStatus
    evidence_due_at: datetime | None
    created_at: datetime
