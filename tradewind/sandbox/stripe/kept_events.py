"""The events that an account keeps, and how they are listed.

Source: Stripe API reference, "List all events" (`created`, `type` with `*`, up to 20 `types`, `delivery_success`; going
back up to 30 days), and docs.stripe.com/webhooks/process-undelivered-events.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final

from tradewind.sandbox.clock import Clock
from tradewind.sandbox.stripe.errors import StripeError, not_found
from tradewind.sandbox.stripe.lists import COMPARE, listed, page_limit
from tradewind.sandbox.stripe.objects import Json
from tradewind.sandbox.stripe.params import Params

KEPT_FOR: Final = timedelta(days=30)
MOST_TYPES: Final = 20
# Stripe keeps every one; the sandbox's memory is bounded, the oldest go first.
KEPT_EVENTS: Final = 50_000


@dataclass
class KeptEvent:
    """text: the event as it was rendered when it happened. waiting: endpoints to which it has not been delivered."""

    id: str
    created: int
    kind: str
    text: str
    waiting: set[str] = field(default_factory=set)

    def render(self) -> Json:
        event: Json = json.loads(self.text)
        return {**event, "pending_webhooks": len(self.waiting)}


class KeptEvents:
    """Oldest first, by their place in the list."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: list[KeptEvent] = []
        self._places: dict[str, int] = {}
        self._gone = 0

    def add(self, event: KeptEvent) -> None:
        self._places[event.id] = self._gone + len(self._kept)
        self._kept.append(event)
        if len(self._kept) > KEPT_EVENTS:
            self._drop(len(self._kept) // 10)

    def newest_first(self) -> list[Json]:
        """Every one of the last 30 days."""
        self._expire()
        return [event.render() for event in reversed(self._kept)]

    def find(self, event_id: str) -> Json | None:
        self._expire()
        place = self._places.get(event_id)
        return None if place is None else self._kept[place - self._gone].render()

    def page(self, params: Params) -> Json:
        """One page, newest first. `ending_before` gives those that came right after the one it names."""
        self._expire()
        limit, wanted = page_limit(params), _Wanted.of(params)
        upwards = params.text("ending_before") is not None
        found: list[KeptEvent] = []
        for event in self._walk(params, upwards):
            if wanted.takes(event):
                found.append(event)
            if len(found) > limit:
                break
        data = found[:limit]
        ordered = reversed(data) if upwards else data
        return listed("/v1/events", [event.render() for event in ordered], has_more=len(found) > limit)

    def _walk(self, params: Params, upwards: bool) -> Iterator[KeptEvent]:
        if upwards:
            start = self._place(params, "ending_before") + 1
            stop = self._place(params, "starting_after") if params.text("starting_after") else len(self._kept)
            return (self._kept[index] for index in range(start, stop))
        start = self._place(params, "starting_after") if params.text("starting_after") else len(self._kept)
        return (self._kept[index] for index in range(start - 1, -1, -1))

    def _place(self, params: Params, name: str) -> int:
        event_id = params.required_text(name)
        if event_id not in self._places:
            raise not_found("event", event_id, name)
        return self._places[event_id] - self._gone

    def _expire(self) -> None:
        oldest = (self._clock.now() - KEPT_FOR).timestamp()
        expired = next((n for n, event in enumerate(self._kept) if event.created >= oldest), len(self._kept))
        if expired:
            self._drop(expired)

    def _drop(self, number: int) -> None:
        for event in self._kept[:number]:
            del self._places[event.id]
        del self._kept[:number]
        self._gone += number


@dataclass(frozen=True)
class _Wanted:
    kind: str | None
    kinds: frozenset[str]
    created: dict[str, int]
    delivered: bool | None

    @classmethod
    def of(cls, params: Params) -> "_Wanted":
        kind, kinds = params.text("type"), params.texts("types")
        if kind and kinds:
            raise StripeError(400, "You may only specify one of these parameters: type, types.", param="types")
        if len(kinds) > MOST_TYPES:
            raise StripeError(400, f"Array types exceeded maximum {MOST_TYPES} allowed elements.", param="types")
        return cls(kind, frozenset(kinds), params.bounds("created"), params.boolean("delivery_success"))

    def takes(self, event: KeptEvent) -> bool:
        return (
            (self.kind is None or fnmatchcase(event.kind, self.kind))
            and (not self.kinds or event.kind in self.kinds)
            and self._delivery_fits(event.waiting)
            and all(COMPARE[name](event.created, bound) for name, bound in self.created.items())
        )

    def _delivery_fits(self, waiting: Iterable[str]) -> bool:
        return self.delivered is None or self.delivered is not any(waiting)
