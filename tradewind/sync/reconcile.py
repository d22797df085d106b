"""Reconcile: every side of a window of the books is listed and matched; what differs is named, stored and repaired.

A repair is never a private write: the ledger's view of a resource is mended by reading the resource again through the
outbox, whose answer enters the inbox; a back office's document enters the inbox as it was listed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection as Database

from tradewind.domain.commands import Refetch
from tradewind.domain.connections import Connection, Role
from tradewind.domain.discrepancies import EXPLANATIONS, Discrepancy, DiscrepancyKind
from tradewind.domain.events import Resource
from tradewind.domain.frames import Sides
from tradewind.domain.matching import match
from tradewind.domain.model import Model
from tradewind.domain.roles import Client
from tradewind.ledger import connections, discrepancies, inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.clients import Clients
from tradewind.sync.listing import listing
from tradewind.sync.polls import poll_delivery
from tradewind.sync.recorded import beside
from tradewind.sync.seam import in_thread
from tradewind.sync.sides import Listed, Window


class RepairPolicy(StrEnum):
    """What a run may mend by itself."""

    DRY_RUN = "dry_run"  # nothing: only tell
    LEDGER = "ledger"  # the ledger's own view, where it lags behind a provider; money and parcels are never touched


class Books(Model):
    """What one run found.

    checked: rows compared, by side. discrepancies: how many of each kind. repaired: those whose resource is being read
    again. left: those that wait for a person, or for a later run. rows: each discrepancy, by kind and subject.
    """

    run_id: str
    window: Window
    checked: dict[str, int]
    discrepancies: dict[str, int]
    repaired: int
    left: int
    rows: tuple[Discrepancy, ...]


async def reconcile(
    ledger: Ledger,
    clients: Clients,
    window: Window,
    *,
    policy: RepairPolicy = RepairPolicy.LEDGER,
    limit: int = 200,
    run_id: str | None = None,
) -> Books:
    """Compare every side of the window, store what differs, and repair at most `limit` discrepancies.

    Raises the provider's errors: books of which a side could not be read to its end are not compared.
    """
    run_id = run_id or uuid.uuid4().hex
    listed = await gather(ledger, clients, window)
    sides = await in_thread(_beside, ledger, listed, window)
    found = await in_thread(match, sides)
    mended = repairable(found, policy, limit)
    seen = listed.subjects() | set(sides.orders["order_id"])
    await in_thread(_commit, ledger, run_id, found, seen, listed, mended)
    return Books(
        run_id=run_id,
        window=window,
        checked=listed.counts(),
        discrepancies=dict(Counter(one.kind.value for one in found)),
        repaired=len(mended),
        left=len(found) - len(mended),
        rows=found,
    )


async def gather(ledger: Ledger, clients: Clients, window: Window) -> Listed:
    """What every connection lists of the window, side by side. Raises the provider's errors."""
    listed = Listed()
    connected = await in_thread(_connected, ledger)
    reading = [asyncio.ensure_future(_gather_one(listed, one, clients(str(one.key)), window)) for one in connected]
    try:
        await asyncio.gather(*reading)  # not a task group: the error itself decides whether the task is retried
    finally:
        for one in reading:
            one.cancel()
    return listed


async def _gather_one(listed: Listed, connection: Connection, client: Client, window: Window) -> None:
    until = window.orders_until if connection.role is Role.STOREFRONT else window.until
    async for page in listing(client, window.since, until):
        listed.add(connection, page)
    listed.read.add(str(connection.key))


def repairable(found: Sequence[Discrepancy], policy: RepairPolicy, limit: int) -> tuple[Discrepancy, ...]:
    """Those that a run may mend: at most `limit`, so that a fault of ours cannot set off a flood of calls."""
    if policy is RepairPolicy.DRY_RUN:
        return ()
    return tuple(one for one in found if one.ledger_lags)[:limit]


def _connected(ledger: Ledger) -> list[Connection]:
    with ledger.read() as database:
        return connections.connected(database, ledger.keys)


def _beside(ledger: Ledger, listed: Listed, window: Window) -> Sides:
    with ledger.read() as database:
        return beside(database, listed, window)


def _commit(
    ledger: Ledger,
    run_id: str,
    found: Sequence[Discrepancy],
    seen: Collection[str],
    listed: Listed,
    mended: Sequence[Discrepancy],
) -> None:
    now = datetime.now(UTC)
    documents = [one for one in mended if one.kind is DiscrepancyKind.JOURNAL_MISSING]
    deliveries = [_document_again(listed, one, run_id, now) for one in documents]
    refetches = [_refetch(one) for one in mended if one.kind is not DiscrepancyKind.JOURNAL_MISSING]
    with ledger.write() as database:
        discrepancies.record(database, run_id, map(_recorded, found))
        _settle(database, found, seen)
        inbox.store(database, ledger.keys, deliveries)
        outbox.add(database, refetches, now)


def _recorded(one: Discrepancy) -> discrepancies.Discrepancy:
    return discrepancies.Discrepancy(
        kind=one.kind.value,
        subject=one.subject,
        expected=one.expected,
        found=one.found,
        amount=one.difference.minor if one.difference else None,
        currency=one.difference.currency if one.difference else None,
        detail=f"{one.name or one.subject}: {one.meaning} {one.advice}",
    )


def _settle(database: Database, found: Sequence[Discrepancy], seen: Collection[str]) -> None:
    """What an earlier run found and this one, which looked at the same, did not is settled."""
    still = {(one.kind.value, one.subject) for one in found}
    gone = [row for row in discrepancies.open(database) if row.subject in seen and (row.kind, row.subject) not in still]
    lagged = [row.id for row in gone if EXPLANATIONS[DiscrepancyKind(row.kind)].ledger_lags]
    discrepancies.resolve(database, lagged, "repaired", "the ledger has taken it in")
    others = [row.id for row in gone if row.id not in lagged]
    discrepancies.resolve(database, others, "gone", "a later run compared it and found it agreed")


def _document_again(listed: Listed, missing: Discrepancy, run_id: str, now: datetime) -> inbox.Delivery:
    delivery = poll_delivery(listed.documents_by_subject[missing.subject], read_at=now, lane="normal")
    # It may have been delivered before and died; under the key of then it would be a duplicate.
    return dataclasses.replace(delivery, delivery_key=f"{delivery.delivery_key}/{run_id}")


def _refetch(one: Discrepancy) -> Refetch:
    """Read again what the ledger has not, or has otherwise."""
    resource = _resource(one)
    return Refetch(connection=resource.connection, order_id=one.order_id, resource=resource)


def _resource(one: Discrepancy) -> Resource:
    connection, _, rest = one.subject.partition("/")
    for kind in ("payment", "label"):
        if rest.startswith(f"{kind}/"):
            return Resource.model_validate(
                {"connection": connection, "kind": kind, "external_id": rest.removeprefix(f"{kind}/")}
            )
    return Resource(connection=connection, kind="order", external_id=rest)
