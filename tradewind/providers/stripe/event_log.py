"""Stripe's own log of its events: what every webhook tells, for thirty days, whether or not one arrived.

Source: events.list; docs.stripe.com/webhooks/process-undelivered-events ("Using `ending_before` with auto-pagination
returns events in chronological order", "Stripe only returns events created in the last 30 days").
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from tradewind.domain.roles import KeptDelivery
from tradewind.providers.stripe.api import PAGE_SIZE, StripeApi
from tradewind.providers.stripe.webhooks import WANTED_EVENTS
from tradewind.transport import json_of, parsed

KEPT_FOR = timedelta(days=30)
_OPERATION = "events.list"
_SAID_TWICE = ("charge.captured", "charge.failed", "charge.refunded", "charge.succeeded")
LISTED_EVENTS = tuple(kind for kind in WANTED_EVENTS if kind not in _SAID_TWICE)
"""What webhooks are wanted for, without what an event of the charge's payment intent or refund says too: nothing is
lost on the way of a list. Stripe takes at most 20 types (events.list, `types`)."""


class EventObject(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    created: int
    livemode: bool


class EventPage(BaseModel):
    data: list[EventObject]
    has_more: bool


class EventLog:
    """The events of one account."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[KeptDelivery]]:
        """Pages of the wanted events created in [since, until], oldest first.

        `ending_before` leads from an event to those after it: from the last one before the span, of whatever type, or,
        where Stripe keeps none so old, from the oldest one in the span.
        """
        before = await self._page({"created[lt]": int(since.timestamp()), "limit": 1})
        span: dict[str, Any] = {"types[]": LISTED_EVENTS, "created[lte]": int(until.timestamp()), "limit": PAGE_SIZE}
        if before.data:
            place = before.data[0].id
        else:
            oldest = await self._oldest(span)
            if oldest is None:
                return
            yield [_kept(oldest)]
            place = oldest.id
        while True:
            page = await self._page({**span, "ending_before": place})
            if page.data:
                yield [_kept(event) for event in reversed(page.data)]
                place = page.data[0].id
            if not page.has_more or not page.data:
                return

    async def newest(self) -> None:
        """Read one event. Raises RequestRejected for a key that may not."""
        await self._page({"limit": 1})

    async def _oldest(self, span: dict[str, Any]) -> EventObject | None:
        page = await self._page(span)
        while page.has_more and page.data:
            page = await self._page({**span, "starting_after": page.data[-1].id})
        return page.data[-1] if page.data else None

    async def _page(self, params: dict[str, Any]) -> EventPage:
        response = await self._api.get("/v1/events", _OPERATION, params)
        page = parsed(EventPage, json_of(response), _OPERATION)
        for event in page.data:
            self._api.check_mode(event.livemode, event.id)
        return page


def _kept(event: EventObject) -> KeptDelivery:
    body = json.dumps(event.model_dump()).encode()
    return KeptDelivery(body=body, occurred_at=datetime.fromtimestamp(event.created, UTC))
