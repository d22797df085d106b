"""Sweep: what the provider lists against what the inbox has seen; what is missing enters the inbox.

A cursor per connection is the time up to which everything was listed. Each sweep reads again from a little before it,
up to a little behind now, because providers index late. The cursor moves when the whole listing was read, and after
every page of a listing that comes in the order of its changes, so that a sweep cut short goes on where it stopped. It
never passes the time at which the provider, by its own clock, began to answer: ours may be fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, ResourceChanged
from tradewind.domain.roles import (
    Client,
    Journal,
    KeepsDeliveries,
    KeptDelivery,
    PaymentProcessor,
    Storefront,
    TracksParcels,
)
from tradewind.ledger import cursors, hearing, inbox
from tradewind.ledger.engine import Ledger
from tradewind.sync import parcels
from tradewind.sync.polls import kept_delivery, poll_delivery
from tradewind.sync.seam import in_thread
from tradewind.transport import ProviderClock, provider_clock

OVERLAP = timedelta(minutes=2)
LAG = timedelta(seconds=2)
CURSOR = "sweep"
Page = Sequence[Event] | Sequence[KeptDelivery]


@dataclass(frozen=True)
class Swept:
    """listed: what the provider listed. new: what the inbox had not seen from any listing, or, of what a provider keeps
    of its webhooks, had not seen at all. until: the end of the span, by the provider's clock where it shows one.

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
    since, is_first = await in_thread(_start, ledger, connection, now)
    until = now - LAG
    listed = new = 0
    complete = False
    with provider_clock() as theirs:
        try:
            async with asyncio.timeout(within_s) as time:
                async for page in _changes(ledger, key, client, since, until):
                    new += await in_thread(_store, ledger, key, page, now, since)
                    listed += len(page)
                    if reached := _reached(page):
                        await in_thread(_advance, ledger, key, min(reached, _bound(until, theirs)))
            complete = True
        except TimeoutError:
            if not time.expired():
                raise
    until = _bound(until, theirs)
    if complete and listed:
        await in_thread(_advance, ledger, key, until)
    elif complete and is_first:
        # Nothing yet: the next sweep begins where this one did, not at its own time.
        await in_thread(_advance, ledger, key, min(since + OVERLAP, until))
    return Swept(key, listed, new, since, until, complete)


def store_page(
    ledger: Ledger, page: Sequence[Event], read_at: datetime, *, changed_since: datetime | None = None
) -> int:
    """Store one page in the inbox; gives how many rows are new. changed_since: see `poll_delivery`."""
    rows = [poll_delivery(event, read_at=read_at, changed_since=changed_since) for event in page]
    with ledger.write() as database:
        stored = inbox.store(database, ledger.keys, rows)
    return sum(not row.duplicate for row in stored)


async def measure(ledger: Ledger, key: str, client: Client, *, now: datetime) -> hearing.Hearing:
    """Judge what was listed more than five minutes ago: had a webhook told of it? Gives how well the connection hears.

    Only for a connection that has webhook subscriptions.
    """
    kept = client.kept_topics if isinstance(client, KeepsDeliveries) else frozenset[str]()
    return await in_thread(_measure, ledger, key, kept, now)


def _store(ledger: Ledger, key: str, page: Page, now: datetime, since: datetime) -> int:
    if page and isinstance(page[0], KeptDelivery):
        return _store_kept(ledger, key, cast(Sequence[KeptDelivery], page), now)
    return store_page(ledger, cast(Sequence[Event], page), now, changed_since=since)


def _store_kept(ledger: Ledger, key: str, page: Sequence[KeptDelivery], now: datetime) -> int:
    """What its webhook has brought is no repetition of it: only what is missing is written."""
    rows = [kept_delivery(key, kept, read_at=now) for kept in page]
    with ledger.read() as database:
        missing = inbox.unseen(database, ledger.keys, rows)
    if not missing:
        return 0
    with ledger.write() as database:
        stored = inbox.store(database, ledger.keys, missing)
    return sum(not row.duplicate for row in stored)


def _changes(ledger: Ledger, key: str, client: Client, since: datetime, until: datetime) -> AsyncIterator[Page]:
    """What the connection's role tells of [since, until]; of a carrier, whose labels are ours, the parcels' scans."""
    match client:
        case KeepsDeliveries():
            return _kept(client, since, until)
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


async def _kept(client: KeepsDeliveries, since: datetime, until: datetime) -> AsyncIterator[Page]:
    """What it tells by webhook; from before it keeps that, the payments that were made then."""
    oldest = until - client.kept_for + OVERLAP
    if since < oldest and isinstance(client, PaymentProcessor):
        async for page in client.payments(since, oldest):
            yield page
    async for kept in client.deliveries(max(since, oldest), until):
        yield kept


def _reached(page: Page) -> datetime | None:
    """Up to when the listing is read with this page, if it tells: what comes oldest first does, nothing else."""
    match page[-1] if page else None:
        case ResourceChanged(version=version):
            return version
        case KeptDelivery(occurred_at=occurred_at):
            return occurred_at
        case _:
            return None


def _bound(until: datetime, theirs: ProviderClock) -> datetime:
    """What a provider has not listed yet is later than its first answer, whatever our clock says."""
    return until if theirs.first_at is None else min(until, theirs.first_at - LAG)


def _measure(ledger: Ledger, key: str, kept: frozenset[str], now: datetime) -> hearing.Hearing:
    with ledger.read() as database:
        since, heard = hearing.unjudged(database, key, now, kept=kept)
    with ledger.write() as database:
        hearing.judge(database, key, now, since, heard)
        return hearing.of(database, key, now)


async def _nothing() -> AsyncIterator[Sequence[Event]]:
    return
    yield


def _start(ledger: Ledger, connection: Connection, now: datetime) -> tuple[datetime, bool]:
    with ledger.read() as database:
        cursor = cursors.get(database, f"{connection.key}/{CURSOR}")
    return (cursor.updated_at if cursor else connection.live_from or now) - OVERLAP, cursor is None


def _advance(ledger: Ledger, key: str, until: datetime) -> None:
    with ledger.write() as database:
        cursors.set(database, f"{key}/{CURSOR}", cursors.Cursor(until))
