"""What the inbox takes and gives: a delivery at each point of its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from tradewind.domain.commands import Lane

Source = Literal["webhook", "poll", "outcome", "replay"]
Format = Literal["raw", "listed", "event"]
State = Literal["received", "claimed", "applied", "superseded", "parked", "dead"]
STATES: tuple[State, ...] = ("received", "claimed", "applied", "superseded", "parked", "dead")


@dataclass(frozen=True)
class Delivery:
    """Something to be taken in. body, headers: kept sealed. format: `raw` is a provider's own payload as it was
    delivered, `listed` the same as a sweep found it where the provider keeps it, `event` is ours.

    delivery_key: what makes it the same delivery, within its connection and source; each provider's webhooks.py says
    what.
    """

    connection: str
    source: Source
    delivery_key: str
    topic: str
    body: bytes
    format: Format
    headers: Mapping[str, str]
    occurred_at: datetime | None
    received_at: datetime
    lane: Lane = "critical"
    replay_of: int | None = None
    correlation: str | None = None


@dataclass(frozen=True)
class Stored:
    """id: its row. duplicate: the row was there already."""

    id: int
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Claimed(Delivery):
    """A delivery held under a lease. epoch: the fencing token. attempts: claims so far, this one counted."""

    id: int
    epoch: int
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """What became of a claimed delivery. `received` gives it back; waits_for: the link a parked one waits for.

    place: where a dead one failed (open, decode, reduce, commit), which makes it a dead letter of that place's group.
    """

    id: int
    epoch: int
    state: Literal["applied", "superseded", "parked", "dead", "received"]
    reason: str | None = None
    order_id: str | None = None
    waits_for: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as it is listed: everything but its sealed content."""

    id: int
    connection: str
    source: Source
    delivery_key: str
    topic: str
    format: Format
    lane: Lane
    state: State
    reason: str | None
    order_id: str | None
    waits_for: str | None
    attempts: int
    repeats: int
    replay_of: int | None
    correlation: str | None
    occurred_at: datetime | None
    received_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class DeliveryContent:
    """A delivery with its content; body is None once the key that sealed it is erased, or if it cannot be opened."""

    row: DeliveryRow
    body: bytes | None
    headers: Mapping[str, str]


def pack(delivery: Delivery) -> bytes:
    """Headers as one line of JSON, then the body as it came."""
    return orjson.dumps(dict(delivery.headers)) + b"\n" + delivery.body


def unpack(content: bytes) -> tuple[dict[str, str], bytes]:
    headers, _, body = content.partition(b"\n")
    return orjson.loads(headers), body
