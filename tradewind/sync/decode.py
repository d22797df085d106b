"""From a stored delivery to events."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from tradewind.domain.events import ConnectionRevoked, Event, events_adapter
from tradewind.errors import SchemaMismatch
from tradewind.ledger.inbox import Claimed
from tradewind.providers.registry import provider_of

REFETCH_TOPIC = "outcome/refetch"
"""Topic of an inbox row that holds what a refetch read: such a snapshot is authoritative."""


def decode(delivery: Claimed) -> Sequence[Event]:
    """The delivery's events: a raw body through its provider's mapping, our own polls and outcomes from JSON.

    Raises SchemaMismatch when the body does not have the documented shape.
    """
    if delivery.format != "event":
        mapping = provider_of(delivery.connection).events
        found = mapping(delivery.topic, delivery.body, connection=delivery.connection, received_at=delivery.received_at)
        return [_dated(event, delivery) for event in found]
    try:
        return events_adapter.validate_json(delivery.body)
    except ValidationError as error:
        # Where and why, never the values: they may be personal, and a reason is not sealed.
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:5])
        raise SchemaMismatch(f"{delivery.topic}: {error.error_count()} fields do not fit: {told}") from None


def _dated(event: Event, delivery: Claimed) -> Event:
    """The end of access happened when the provider says so, in the delivery's headers; it may come hours later."""
    if isinstance(event, ConnectionRevoked) and delivery.occurred_at is not None:
        return event.model_copy(update={"occurred_at": delivery.occurred_at})
    return event
