"""Claim and acknowledge, through the ledger and in bare SQL through the driver, in turn on one table."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.inbox.deliveries import fill
from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Outcome

BATCH = 100
LEASE_S = 60.0
WARMING = 5
ORDER = "shopify:north/1"

_CLAIM = """
UPDATE inbox SET state = 'claimed', claimed_by = {p}, lease_until = {p}, epoch = epoch + 1, attempts = attempts + 1
WHERE id IN (SELECT id FROM inbox WHERE state = 'received' ORDER BY lane, id LIMIT 100 {lock})
RETURNING id, epoch, attempts, lane, connection, source, delivery_key, topic, format, sealed, occurred_at, received_at,
          replay_of, correlation"""
_ACKNOWLEDGE = {
    "sqlite": """
UPDATE inbox SET state = ?, reason = ?, order_id = ?, waits_for = ?, finished_at = ?, lease_until = NULL
WHERE id = ? AND epoch = ? AND state = 'claimed'""",
    # A statement for each row, pipelined by the driver, takes longer.
    "postgresql": """
UPDATE inbox SET state = t.state, reason = t.reason, order_id = t.order_id, waits_for = t.waits_for,
                 finished_at = t.finished_at, lease_until = NULL
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::integer[])
     AS t(state, reason, order_id, waits_for, finished_at, id, epoch)
WHERE inbox.id = t.id AND inbox.epoch = t.epoch AND inbox.state = 'claimed'""",
}

Step = Callable[[], int]


def ours(ledger: Ledger, position: inbox.Position) -> int:
    """One batch through `ledger.inbox` as apply works it, its contents left sealed; gives how many."""
    with ledger.write() as conn:
        held = inbox.take(conn, worker="w", limit=BATCH, lease_s=LEASE_S, position=position)
    with ledger.write() as conn:
        inbox.finish(conn, [Outcome(one.id, one.epoch, "applied", order_id=ORDER) for one in held])
    return len(held)


@contextmanager
def bare(ledger: Ledger) -> Iterator[Step]:
    """The same work in the driver's own terms: nothing is decrypted, and nothing becomes an object."""
    step = _bare_sqlite(ledger) if ledger.dialect == "sqlite" else _bare_postgresql(ledger)
    conn = next(step)
    try:
        yield lambda: next(step)
    finally:
        conn.close()


def _bare_sqlite(ledger: Ledger) -> Iterator[Any]:
    conn = sqlite3.connect(str(ledger.engine.url.database), isolation_level=None)
    conn.execute("PRAGMA synchronous = FULL")
    yield conn
    claim = _CLAIM.format(p="?", lock="")
    while True:
        now = datetime.now(UTC)
        stamp, until = (f"{at:%Y-%m-%d %H:%M:%S.%f}" for at in (now, now + timedelta(seconds=LEASE_S)))
        conn.execute("BEGIN IMMEDIATE")
        held = conn.execute(claim, ("w", until)).fetchall()
        conn.execute("COMMIT")
        conn.execute("BEGIN IMMEDIATE")
        rows = [("applied", None, ORDER, None, stamp, row[0], row[1]) for row in held]
        assert conn.executemany(_ACKNOWLEDGE["sqlite"], rows).rowcount == len(rows)
        conn.execute("COMMIT")
        yield len(held)


def _bare_postgresql(ledger: Ledger) -> Iterator[Any]:
    import psycopg

    address = ledger.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    conn = psycopg.connect(address, autocommit=True)
    yield conn
    claim = _CLAIM.format(p="%s", lock="FOR UPDATE SKIP LOCKED")
    while True:
        now = datetime.now(UTC)
        conn.execute("BEGIN")
        held = conn.execute(claim, ("w", now + timedelta(seconds=LEASE_S))).fetchall()
        conn.execute("COMMIT")
        conn.execute("BEGIN")
        rows = [("applied", None, ORDER, None, now, row[0], row[1]) for row in held]
        written = conn.execute(_ACKNOWLEDGE["postgresql"], [list(column) for column in zip(*rows, strict=True)])
        assert written.rowcount == len(rows)
        conn.execute("COMMIT")
        yield len(held)


def over_ceiling(ledger: Ledger, *, batches: int) -> dict[str, float]:
    """Both in deliveries a second, and ours over bare: medians of so many batches of each, taken in turn."""
    fill(ledger, 2 * BATCH * (batches + WARMING))
    position = inbox.Position()
    mine: list[float] = []
    others: list[float] = []
    with bare(ledger) as other:
        for number in range(batches + WARMING):
            for step, times in ((lambda: ours(ledger, position), mine), (other, others))[:: 1 if number % 2 else -1]:
                times.append(timed(step))
    ours_s, bare_s = (statistics.median(times[WARMING:]) for times in (mine, others))
    return {"over_ceiling": bare_s / ours_s, "ours_per_s": BATCH / ours_s, "bare_per_s": BATCH / bare_s}


def timed(step: Step) -> float:
    """Seconds for one full batch."""
    began = time.perf_counter()
    assert step() == BATCH
    return time.perf_counter() - began
