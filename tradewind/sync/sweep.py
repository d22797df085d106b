"""Sweep: what the provider lists against what the inbox has seen; what is missing enters the inbox.

A cursor per connection is the time up to which everything was listed. Each sweep reads again from a little before it,
up to a little behind now, because providers index late. The cursor moves when the whole listing was read, and after
every page of a listing that comes in the order of its changes, so that a sweep cut short goes on where it stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, ResourceChanged
from tradewind.domain.roles import Client, Journal, PaymentProcessor, Storefront, TracksParcels
from tradewind.ledger import cursors, hearing, inbox
from tradewind.ledger.engine import Ledger
from tradewind.sync import parcels
from tradewind.sync.polls import poll_delivery
from tradewind.sync.seam import in_thread

OVERLAP = timedelta(minutes=2)
LAG = timedelta(seconds=2)
CURSOR = "sweep"


@dataclass(frozen=True)
class Swept:
    """listed: what the provider listed. new: what the inbox had not seen from any listing. until: the end of the span.

    complete: the listing was read to its end within its time.
    """

    connection: str
    listed: int
    new: int
    since: datetime
    until: datetime
    complete: bool = True


async def sweep(
    ledger: Ledger, connection: Connection, client: Client, *, now: datetime, within_s: float | None = None
) -> Swept:
    """List what changed since the last sweep (the first one: since the connection went live).

    within_s: when to stop reading, for the next sweep to go on. Raises the provider's errors; what was read is stored.
    """
    key = str(connection.key)
    since = await in_thread(_start, ledger, connection, now)
    until = now - LAG
    listed = new = 0
    complete = False
    try:
        async with asyncio.timeout(within_s) as time:
            async for page in _changes(ledger, key, client, since, until):
                new += await in_thread(store_page, ledger, page, now, changed_since=since)
                listed += len(page)
                if reached := _reached(page):
                    await in_thread(_advance, ledger, key, min(reached, until))
        complete = True
    except TimeoutError:
        if not time.expired():
            raise
    if complete and listed:
        await in_thread(_advance, ledger, key, until)
    return Swept(key, listed, new, since, until, complete)


def store_page(
    ledger: Ledger, page: Sequence[Event], read_at: datetime, *, changed_since: datetime | None = None
) -> int:
    """Store one page in the inbox; gives how many rows are new. changed_since: see `poll_delivery`."""
    rows = [poll_delivery(event, read_at=read_at, changed_since=changed_since) for event in page]
    with ledger.write() as database:
        stored = inbox.store(database, ledger.keys, rows)
    return sum(not row.duplicate for row in stored)


async def measure(ledger: Ledger, key: str, *, now: datetime) -> hearing.Hearing:
    """Judge what was listed more than five minutes ago: had a webhook told of it? Gives how well the connection hears.

    Only for a connection that has webhook subscriptions.
    """
    return await in_thread(_measure, ledger, key, now)


def _changes(
    ledger: Ledger, key: str, client: Client, since: datetime, until: datetime
) -> AsyncIterator[Sequence[Event]]:
    """What the connection's role tells of [since, until]; of a carrier, whose labels are ours, the parcels' scans."""
    match client:
        case TracksParcels():
            return parcels.told_by_carrier(ledger, key, client, until)
        case Storefront():
            return client.changes(since, until)
        case PaymentProcessor():
            return client.payments(since, until)
        case Journal():
            return client.documents(since, until)
        case _:
            return _nothing()


def _reached(page: Sequence[Event]) -> datetime | None:
    """Up to when the listing is read with this page, if it tells: changes are listed oldest first, nothing else is."""
    last = page[-1] if page else None
    return last.version if isinstance(last, ResourceChanged) else None


def _measure(ledger: Ledger, key: str, now: datetime) -> hearing.Hearing:
    with ledger.read() as database:
        since, heard = hearing.unjudged(database, key, now)
    with ledger.write() as database:
        hearing.judge(database, key, now, since, heard)
        return hearing.of(database, key, now)


async def _nothing() -> AsyncIterator[Sequence[Event]]:
    return
    yield


def _start(ledger: Ledger, connection: Connection, now: datetime) -> datetime:
    with ledger.read() as database:
        cursor = cursors.get(database, f"{connection.key}/{CURSOR}")
    return (cursor.updated_at if cursor else connection.live_from or now) - OVERLAP


def _advance(ledger: Ledger, key: str, until: datetime) -> None:
    with ledger.write() as database:
        cursors.set(database, f"{key}/{CURSOR}", cursors.Cursor(until))
