"""Event + current record → new record. Pure: the same events in any order end in the same record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from tradewind.domain.events import (
    DisputeObserved,
    HoldReleased,
    LabelObserved,
    OrderObserved,
    PaymentObserved,
    RefundRecorded,
    Resource,
    TrackingScanned,
)
from tradewind.domain.model import Model
from tradewind.domain.order import (
    HELD_FOR_RISK,
    HOLD_RELEASED,
    Dispute,
    HoldReason,
    Label,
    Order,
    Payment,
    Refund,
    TrackingStatus,
)

Snapshot = OrderObserved | PaymentObserved | LabelObserved | DisputeObserved
OrderEvent = Snapshot | RefundRecorded | TrackingScanned | HoldReleased

_SCAN = "tracking/"
CLOCKS = timedelta(seconds=3)
"""How far apart the clocks of two readers, corrected by the provider's `Date` of whole seconds, may date one moment."""


class Verdict(StrEnum):
    APPLIED = "applied"
    SUPERSEDED = "superseded"  # a newer version, or the same one, is in the record already
    TIE = "tie"  # other content, and no telling which is newer: only reading the resource again can


class Reduction(NamedTuple):
    order: Order
    verdict: Verdict


def new_order(connection: str, external_id: str) -> Order:
    """The empty record that whichever event comes first fills."""
    return Order(id=f"{connection}/{external_id}", connection=connection, external_id=external_id)


def reduce_order(order: Order, event: OrderEvent, *, authoritative: bool = False) -> Reduction:
    """The record after the event.

    authoritative: the event is a fresh read that was made to settle what is current; it wins a tie. Reads of one
    resource are made one at a time, so the later of two authoritative ones is the newer.
    """
    match event:
        case OrderObserved() | PaymentObserved() | LabelObserved() | DisputeObserved():
            return _reduce_snapshot(order, resource_of(event).address, event, authoritative)
        case RefundRecorded():
            return _add_refund(order, event.refund)
        case TrackingScanned():
            return _add_scan(order, event)
        case HoldReleased():
            return _add_fact(order, f"{HOLD_RELEASED}{event.reason}/{event.fulfillment_order}")


def resource_of(snapshot: Snapshot) -> Resource:
    """What the snapshot shows: by it versions are compared, and it is read again when they do not tell."""
    match snapshot:
        case OrderObserved():
            return Resource(connection=snapshot.connection, kind="order", external_id=snapshot.external_id)
        case PaymentObserved():
            payment = snapshot.payment
            return Resource(connection=payment.connection, kind="payment", external_id=payment.external_id)
        case LabelObserved():
            label = snapshot.label
            return Resource(connection=label.connection, kind="label", external_id=label.external_id)
        case DisputeObserved():
            return Resource(connection=snapshot.connection, kind="dispute", external_id=snapshot.dispute.external_id)


def links_of(order: Order) -> frozenset[str]:
    """The names under which events of other systems refer to this order."""
    links: set[str] = set()
    if order.placed is not None:
        links.update(payment_link(t.payment_id) for t in order.placed.transactions if t.payment_id)
        works = (work.external_id for work in order.placed.fulfillment_orders)
        links.update(resource_link(order.connection, "fulfillment_order", work) for work in works)
    for payment in order.payments:
        links.add(resource_link(payment.connection, "payment", payment.external_id))
    for dispute in order.disputes:
        links.add(resource_link(dispute.connection, "dispute", dispute.external_id))
    for label in order.labels:
        links.add(shipment_link(label.external_shipment_id))
        links.add(resource_link(label.connection, "label", label.external_id))
        if label.tracking_number:
            links.add(tracking_link(label.tracking_number))
    return frozenset(links)


def payment_link(payment_id: str) -> str:
    return f"payment_id/{payment_id}"


def shipment_link(external_shipment_id: str) -> str:
    return f"shipment/{external_shipment_id}"


def tracking_link(tracking_number: str) -> str:
    return f"tracking/{tracking_number}"


def resource_link(connection: str, kind: str, external_id: str) -> str:
    return f"{connection}/{kind}/{external_id}"


def links_to(event: OrderEvent) -> tuple[str, ...]:
    """The links by which the event may name its order, the surest first; empty when it names the order itself.

    The last is the one that its order has before the event is taken: an event without an order waits for it.
    """
    match event:
        case PaymentObserved():
            own = resource_link(event.payment.connection, "payment", event.payment.external_id)
            return (own, payment_link(event.payment.payment_id)) if event.payment.payment_id else (own,)
        case LabelObserved():
            own = resource_link(event.label.connection, "label", event.label.external_id)
            return (own, shipment_link(event.label.external_shipment_id))
        case DisputeObserved() if event.order_external_id is None:
            own = resource_link(event.connection, "dispute", event.dispute.external_id)
            return (own, resource_link(event.connection, "payment", event.dispute.payment))
        case TrackingScanned():
            return (tracking_link(event.tracking_number),)
        case HoldReleased():
            return (resource_link(event.connection, "fulfillment_order", event.fulfillment_order),)
        case _:
            return ()


def is_news(order: Order | None, resource: str, version: datetime | None, fingerprint: str | None) -> bool:
    """Whether a hint with this version and fingerprint tells more than the record holds.

    Providers stamp whole seconds: of two changes within one second the later has the same version, so an equal version
    is old only when its fingerprint is that of the record.
    """
    if order is None or version is None or resource not in order.versions:
        return True
    known, _ = order.versions[resource]
    if version != known:
        return version > known
    return fingerprint is None or order.placed is None or fingerprint != order.placed.fingerprint


def _reduce_snapshot(order: Order, resource: str, event: Snapshot, authoritative: bool) -> Reduction:
    if isinstance(event, OrderObserved):
        order = _with_risk_holds(order, event)
    digest, version = _digest(event), event.version
    if resource in order.versions:
        known, known_digest = order.versions[resource]
        doubtful = digest != known_digest and _is_doubtful(order, event, known)
        if event.version <= known and not doubtful:
            return Reduction(order, Verdict.SUPERSEDED)
        if doubtful and not authoritative:
            return Reduction(order, Verdict.TIE)
        version = max(version, known)
    versions = {**order.versions, resource: (version, digest)}
    return Reduction(_with_snapshot(order, event).model_copy(update={"versions": versions}), Verdict.APPLIED)


def _is_doubtful(order: Order, event: Snapshot, known: datetime) -> bool:
    """Whether only reading the resource again can tell which of two differing snapshots is the newer.

    A storefront states the version. What a processor or carrier shows is dated by the clocks of those who read it,
    which are known to within CLOCKS alone: of a payment, less captured or given back than before is older.
    """
    if isinstance(event, OrderObserved):
        return event.version == known
    if event.version <= known:
        return known - event.version <= CLOCKS
    return isinstance(event, PaymentObserved) and any(
        event.payment.captured.minor < payment.captured.minor or event.payment.refunded.minor < payment.refunded.minor
        for payment in order.payments
        if _name(payment) == _name(event.payment)
    )


def _with_snapshot(order: Order, event: Snapshot) -> Order:
    match event:
        case OrderObserved():
            refunds = _merged_refunds(order.refunds, event.placed.refunds)
            return order.model_copy(update={"placed": event.placed, "refunds": refunds})
        case PaymentObserved():
            payments = _replaced_payment(order.payments, event.payment)
            return order.model_copy(
                update={"payments": payments, "refunds": _merged_refunds(order.refunds, event.refunds)}
            )
        case DisputeObserved():
            return order.model_copy(update={"disputes": _replaced_dispute(order.disputes, event.dispute)})
        case LabelObserved():
            return _with_scans(order.model_copy(update={"labels": _replaced_label(order.labels, event.label)}))


def _with_risk_holds(order: Order, event: OrderObserved) -> Order:
    """What was held for the risk is remembered, however old the snapshot is that shows it."""
    for work in event.placed.fulfillment_orders:
        if HoldReason.RISK in work.holds:
            order = _add_fact(order, HELD_FOR_RISK + work.external_id).order
    return order


def _add_refund(order: Order, refund: Refund) -> Reduction:
    added, verdict = _add_fact(order, f"{refund.connection}/refund/{refund.external_id}")
    if verdict is Verdict.SUPERSEDED:
        return Reduction(order, verdict)
    return Reduction(added.model_copy(update={"refunds": _merged_refunds(order.refunds, (refund,))}), verdict)


def _add_scan(order: Order, scan: TrackingScanned) -> Reduction:
    at = scan.occurred_at.astimezone(UTC).isoformat()
    added, verdict = _add_fact(order, f"{_SCAN}{scan.tracking_number}/{at}/{scan.status}")
    return Reduction(_with_scans(added), verdict)


def _add_fact(order: Order, fact: str) -> Reduction:
    if fact in order.facts:
        return Reduction(order, Verdict.SUPERSEDED)
    # Sorted, so that the record does not tell in which order facts arrived.
    return Reduction(order.model_copy(update={"facts": tuple(sorted((*order.facts, fact)))}), Verdict.APPLIED)


def _with_scans(order: Order) -> Order:
    """Labels with the status of their parcel's latest scan that says one; until then the label's own word."""
    scans = (fact.removeprefix(_SCAN).rsplit("/", 2) for fact in order.facts if fact.startswith(_SCAN))
    latest = {number: TrackingStatus(status) for number, _, status in scans if status != TrackingStatus.UNKNOWN}
    labels = tuple(
        label.model_copy(update={"tracking_status": latest.get(label.tracking_number or "", label.tracking_status)})
        for label in order.labels
    )
    return order.model_copy(update={"labels": labels})


def _merged_refunds(known: Iterable[Refund], told: Iterable[Refund]) -> tuple[Refund, ...]:
    """Refunds are facts: added by their id, never taken away; of two tellings of one the fuller stays."""
    merged: dict[tuple[str, str], Refund] = {}
    for refund in (*known, *told):
        key = _name(refund)
        merged[key] = max(merged.get(key, refund), refund, key=_fullness)
    return tuple(merged[key] for key in sorted(merged))


def _fullness(refund: Refund) -> tuple[int, int, str]:
    told = len(refund.restocked) + len(refund.cancelled) + len(refund.transactions)
    told += sum(name is not None for name in (refund.return_id, refund.payment, refund.reference))
    return len(refund.lines), told, refund.model_dump_json()


def _replaced_payment(payments: tuple[Payment, ...], payment: Payment) -> tuple[Payment, ...]:
    others = [known for known in payments if _name(known) != _name(payment)]
    return tuple(sorted((*others, payment), key=_name))


def _replaced_dispute(disputes: tuple[Dispute, ...], dispute: Dispute) -> tuple[Dispute, ...]:
    others = [known for known in disputes if _name(known) != _name(dispute)]
    return tuple(sorted((*others, dispute), key=_name))


def _replaced_label(labels: tuple[Label, ...], label: Label) -> tuple[Label, ...]:
    others = [known for known in labels if _name(known) != _name(label)]
    return tuple(sorted((*others, label), key=lambda one: (one.created_at, *_name(one))))


def _name(one: Payment | Label | Refund | Dispute) -> tuple[str, str]:
    return one.connection, one.external_id


def _digest(event: Model) -> str:
    content = event.model_dump_json(exclude={"version"})
    return hashlib.sha256(content.encode()).hexdigest()[:16]
