"""What a connection lists of a span of time, by its role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from tradewind.domain.events import Event
from tradewind.domain.roles import Carrier, Client, Journal, PaymentProcessor, Storefront


def listing(client: Client, since: datetime, until: datetime) -> AsyncIterator[Sequence[Event]]:
    """Pages of whole resources: orders changed, payments and labels created, documents booked in [since, until]."""
    match client:
        case Storefront():
            return client.orders(since, until)
        case PaymentProcessor():
            return client.payments(since, until)
        case Carrier():
            return client.labels(since, until)
        case Journal():
            return client.documents(since, until)
        case _:
            raise TypeError(f"{type(client).__name__} lists nothing")
