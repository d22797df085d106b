"""How what was read from a provider enters the inbox: by the same door as a webhook."""

from __future__ import annotations

import hashlib
from datetime import datetime

from tradewind.domain.commands import Lane
from tradewind.domain.events import (
    DisputeObserved,
    Event,
    JournalRecorded,
    LabelObserved,
    OrderObserved,
    PaymentObserved,
    ResourceChanged,
    TrackingScanned,
    events_adapter,
)
from tradewind.domain.roles import KeptDelivery
from tradewind.ledger.inbox import Delivery
from tradewind.providers.hooks import HookRequest
from tradewind.providers.registry import provider_of


def poll_delivery(
    event: Event, *, read_at: datetime, lane: Lane = "normal", changed_since: datetime | None = None
) -> Delivery:
    """The inbox row of an event that was read, not delivered.

    changed_since: given by whoever lists what changed from then on; the row then says when this one changed, and is
    counted when it is measured what webhooks bring (`ledger/hearing.py`).

    Its delivery key is the resource's address with a digest of what was read: reading the same again is the same
    delivery. The version is left out of the digest where it is only the time of the reading.
    """
    connection, address = _address(event)
    excluded = {"version"} if isinstance(event, PaymentObserved | LabelObserved | DisputeObserved) else set()
    digest = hashlib.sha256(event.model_dump_json(exclude=excluded).encode()).hexdigest()[:24]
    return Delivery(
        connection=connection,
        source="poll",
        delivery_key=f"{address}/{digest}",
        topic=f"poll/{event.type}",
        body=events_adapter.dump_json((event,)),
        format="event",
        headers={},
        occurred_at=None if changed_since is None else _changed_at(event, changed_since),
        received_at=read_at,
        lane=lane,
        correlation=event.document if isinstance(event, JournalRecorded) else None,
    )


def kept_delivery(connection: str, kept: KeptDelivery, *, read_at: datetime) -> Delivery:
    """The inbox row of what its provider has kept: the very delivery that its webhook is, whichever comes first."""
    identity = provider_of(connection).identify(HookRequest({}, kept.body, ""))
    return Delivery(
        connection=connection,
        source="webhook",
        delivery_key=identity.delivery_key,
        topic=identity.topic,
        body=kept.body,
        format="listed",
        headers={},
        occurred_at=identity.occurred_at,
        received_at=read_at,
        lane="normal",
        correlation=identity.correlation,
    )


def _changed_at(event: Event, since: datetime) -> datetime:
    """As the listing tells it, else the earliest that it may have been: a document may be booked years late."""
    match event:
        case ResourceChanged(version=datetime() as version):
            return version
        case PaymentObserved():
            return event.payment.created_at
        case TrackingScanned():
            return event.occurred_at
        case _:
            return since


def _address(event: Event) -> tuple[str, str]:
    match event:
        case OrderObserved():
            return event.connection, f"order/{event.external_id}"
        case PaymentObserved():
            return event.payment.connection, f"payment/{event.payment.external_id}"
        case LabelObserved():
            return event.label.connection, f"label/{event.label.external_id}"
        case DisputeObserved():
            return event.connection, f"dispute/{event.dispute.external_id}"
        case TrackingScanned():
            return event.connection, f"scan/{event.tracking_number}/{event.status}"
        case ResourceChanged():
            return event.resource.connection, f"{event.resource.kind}/{event.resource.external_id}"
        case JournalRecorded():
            return event.connection, f"document/{event.document}"
        case _:
            raise TypeError(f"a {event.type} is not polled")
