"""Stripe's objects ⇄ the domain.

Every webhook event is a hint: Stripe delivers in no order, so the payment or the dispute is read again. That also makes
the API version that an event was rendered with irrelevant: only its object's type and ids are used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from tradewind.domain.events import DisputeObserved, Event, Ignored, PaymentObserved, Resource, ResourceChanged
from tradewind.domain.money import Money
from tradewind.domain.order import Dispute, DisputeStatus, Payment, PaymentState, Refund
from tradewind.errors import SchemaMismatch
from tradewind.providers.stripe.money import from_stripe
from tradewind.transport import MOST_SKEW_S

EXPANDED = "latest_charge.refunds"
"""What must be expanded on a payment intent for `payment_observed`."""


_STATES = {
    "requires_capture": PaymentState.AUTHORIZED,
    "succeeded": PaymentState.CAPTURED,
    "canceled": PaymentState.CANCELLED,
}
# An appeal is the second round of one that was lost.
_DISPUTES = {
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "warning_needs_response": DisputeStatus.NEEDS_RESPONSE,
    "appeal_needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "warning_under_review": DisputeStatus.UNDER_REVIEW,
    "appeal_under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "warning_closed": DisputeStatus.PREVENTED,
    "prevented": DisputeStatus.PREVENTED,
}
VOID_REFUNDS = ("failed", "canceled")
"""Statuses of refunds that gave nothing back."""


class RefundObject(BaseModel):
    id: str
    amount: int
    currency: str
    created: int
    status: str | None = None
    balance_transaction: str | None = None
    metadata: dict[str, str] | None = None


class RefundList(BaseModel):
    data: list[RefundObject]
    has_more: bool


class ChargeObject(BaseModel):
    id: str
    status: str
    refunds: RefundList


class PaymentIntentObject(BaseModel):
    id: str
    amount: int
    amount_capturable: int
    amount_received: int
    currency: str
    created: int
    status: str
    metadata: dict[str, str] = {}
    livemode: bool | None = None
    latest_charge: ChargeObject | None = None
    last_payment_error: dict[str, Any] | None = None


class PaymentIntentPage(BaseModel):
    data: list[PaymentIntentObject]
    has_more: bool


class EvidenceDetails(BaseModel):
    due_by: int | None = None


class DisputeObject(BaseModel):
    id: str
    amount: int
    currency: str
    charge: str
    payment_intent: str | None = None
    reason: str
    status: str
    created: int
    evidence_details: EvidenceDetails
    livemode: bool | None = None


LATEST_S = 1.0 + MOST_SKEW_S
"""By so much at most is what an event tells of later than its `created` (whole seconds), by the clock of a reading."""


def events(topic: str, body: bytes, *, connection: str, received_at: datetime) -> Sequence[Event]:
    """The hint of one event. Raises SchemaMismatch when it is not Stripe's `event` object.

    Its version is the latest time of which it can tell: what was read after that needs no second look, so that what
    Stripe repeats for days costs no calls.
    """
    try:
        event = json.loads(body)
        about = event["data"]["object"]
        kind, object_id = about["object"], about["id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SchemaMismatch(f"{topic}: not an event with data.object") from error
    payment = object_id if kind == "payment_intent" else about.get("payment_intent")
    if isinstance(payment, dict):
        payment = payment.get("id")
    if not isinstance(payment, str):
        return (Ignored(connection=connection, reason=f"{topic}: a {kind} without a payment intent"),)
    resource = (
        Resource(connection=connection, kind="dispute", external_id=object_id)
        if kind == "dispute"
        else Resource(connection=connection, kind="payment", external_id=payment)
    )
    return (ResourceChanged(resource=resource, version=_latest(event.get("created"))),)


def _latest(created: Any) -> datetime | None:
    if isinstance(created, bool) or not isinstance(created, int):
        return None
    try:
        return datetime.fromtimestamp(created + LATEST_S, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def payment_observed(
    intent: PaymentIntentObject, refunds: Sequence[RefundObject], *, connection: str, version: datetime
) -> PaymentObserved:
    """A payment intent with its charge and all of its refunds. Raises SchemaMismatch."""
    given = _given_back(intent, refunds)
    captured = from_stripe(intent.amount_received, intent.currency)
    refunded = Money.total((from_stripe(r.amount, r.currency) for r in given), captured.currency)
    state = _state(intent)
    open_amount = intent.amount_capturable if state is PaymentState.AUTHORIZED else intent.amount
    payment = Payment(
        connection=connection,
        external_id=intent.id,
        charge_id=intent.latest_charge.id if intent.latest_charge else None,
        state=state,
        authorized=from_stripe(open_amount, intent.currency),
        captured=captured,
        refunded=min(refunded, captured),
        payment_id=intent.metadata.get("payment_id"),
        created_at=datetime.fromtimestamp(intent.created, UTC),
    )
    listed = tuple(_refund(refund, connection, intent.id) for refund in given)
    return PaymentObserved(version=version, payment=payment, refunds=listed)


def dispute_observed(dispute: DisputeObject, *, connection: str, version: datetime) -> DisputeObserved | Ignored:
    """A dispute of a payment; one of a charge without a payment intent is ignored. Raises SchemaMismatch.

    Source: dispute object (`status`, `evidence_details.due_by`).
    """
    if dispute.payment_intent is None:
        return Ignored(connection=connection, reason=f"{dispute.id}: a dispute without a payment intent")
    if dispute.status not in _DISPUTES:
        raise SchemaMismatch(f"{dispute.id}: a dispute cannot be {dispute.status}")
    due_by = dispute.evidence_details.due_by
    return DisputeObserved(
        connection=connection,
        version=version,
        dispute=Dispute(
            connection=connection,
            external_id=dispute.id,
            payment=dispute.payment_intent,
            charge_id=dispute.charge,
            amount=from_stripe(dispute.amount, dispute.currency),
            reason=dispute.reason,
            status=_DISPUTES[dispute.status],
            evidence_due_at=datetime.fromtimestamp(due_by, UTC) if due_by else None,
            created_at=datetime.fromtimestamp(dispute.created, UTC),
        ),
    )


def _given_back(intent: PaymentIntentObject, refunds: Sequence[RefundObject]) -> Sequence[RefundObject]:
    """The refunds of money that was taken, oldest first.

    What a capture left over, or a cancellation released, may be listed as a refund too: of money that never came in,
    so that nothing is booked on the account's balance. Source: refund object, `balance_transaction`.
    """
    given: list[RefundObject] = []
    never_taken = intent.amount - intent.amount_received
    for refund in sorted(refunds, key=lambda one: (one.created, one.id)):
        released = refund.balance_transaction is None and refund.status == "succeeded" and not refund.metadata
        if released and refund.amount <= never_taken:
            never_taken -= refund.amount
        elif refund.status not in VOID_REFUNDS:
            given.append(refund)
    return given


def _refund(refund: RefundObject, connection: str, payment: str) -> Refund:
    return Refund(
        connection=connection,
        external_id=refund.id,
        amount=from_stripe(refund.amount, refund.currency),
        created_at=datetime.fromtimestamp(refund.created, UTC),
        payment=payment,
        reference=(refund.metadata or {}).get("reference"),
    )


def _state(intent: PaymentIntentObject) -> PaymentState:
    """Source: docs.stripe.com/payments/paymentintents/lifecycle."""
    if intent.status == "requires_payment_method" and intent.last_payment_error is not None:
        return PaymentState.FAILED
    return _STATES.get(intent.status, PaymentState.PENDING)
