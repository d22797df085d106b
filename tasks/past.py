"""Steps of backfill and replay."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import task

from tasks.retries import BATCH_RETRIES
from tasks.spans import utc
from tasks.work import Work, work
from tradewind.ledger import inbox
from tradewind.sync.backfill import Backfilled, backfill_connection
from tradewind.sync.seam import in_thread


@task(task_run_name="past of {connection}", **BATCH_RETRIES)
async def read_past(connection: str, since: datetime, until: datetime | None) -> Backfilled:
    """Bring a span of a connection's past into the inbox."""
    async with work("deferred") as at:
        client = at.client(connection)
        end = utc(until) if until else datetime.now(UTC)
        return await backfill_connection(at.ledger, connection, client, utc(since), end)


@task(task_run_name="take in again")
async def replay_deliveries(ids: list[int]) -> list[int]:
    """Take deliveries in again; gives the ids of the new rows."""
    async with work("normal") as at:
        return await in_thread(_replay, at, ids)


@task(task_run_name="find dead deliveries")
async def dead_deliveries(connection: str | None, limit: int) -> list[int]:
    """The dead deliveries that nobody has replayed yet, oldest first."""
    async with work("normal") as at:
        return await in_thread(_dead, at, connection, limit)


def _replay(at: Work, ids: list[int]) -> list[int]:
    with at.ledger.write() as database:
        return [inbox.replay(database, at.ledger.keys, one) for one in ids]


def _dead(at: Work, connection: str | None, limit: int) -> list[int]:
    with at.ledger.read() as database:
        return inbox.dead_letters(database, connection=connection, limit=limit)
