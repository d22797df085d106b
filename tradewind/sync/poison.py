"""Poison: a delivery that cannot be taken in is set aside with its reason, and what it was about is read instead.

So the order that it tells of does not wait for a person. The truth is read once: when that cannot be taken in either,
nothing more is asked for until the next delivery about the same thing arrives.
"""

from __future__ import annotations

from collections.abc import Sequence

from tradewind.domain.events import (
    DisputeObserved,
    Event,
    LabelObserved,
    OrderObserved,
    PaymentObserved,
    RefundRecorded,
    Resource,
    ResourceChanged,
    TrackingScanned,
)
from tradewind.domain.reducer import resource_of
from tradewind.ledger.inbox import Claimed
from tradewind.providers.registry import provider_of

OUTCOME = "outcome/"


def about(delivery: Claimed, events: Sequence[Event] | Exception) -> list[Resource]:
    """What to read instead of a dead delivery; nothing when it names nothing, or was itself read instead of another.

    events: what was decoded, or the error with which that failed.
    """
    if delivery.topic.startswith(OUTCOME):
        return []
    if not isinstance(events, Exception):
        return list(dict.fromkeys(filter(None, map(_named, events))))
    if delivery.format == "event":
        return []
    shown = provider_of(delivery.connection).about(delivery.topic, delivery.body, connection=delivery.connection)
    return [] if shown is None else [shown]


def _named(event: Event) -> Resource | None:
    match event:
        case ResourceChanged() if event.resource.kind not in ("product", "inventory"):
            return event.resource
        case OrderObserved() | PaymentObserved() | LabelObserved() | DisputeObserved():
            return resource_of(event)
        case RefundRecorded():
            return Resource(connection=event.connection, kind="order", external_id=event.order_external_id)
        case TrackingScanned():
            number = f"tracking_number={event.tracking_number}"
            return Resource(connection=event.connection, kind="label", external_id=number)
        case _:
            return None
