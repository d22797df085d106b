"""Retention: what was finished long ago is kept no longer; that it came is remembered for ever.

A row and its place in `pruned_delivery` change hands in one transaction, so a repetition finds the one or the other;
what the delivery changed is forgotten with it.
Dead and parked deliveries wait for a person or for their order, and stay. So does a replay beside the delivery that it
repeats, which it shows to be settled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, and_, delete, exists, func, or_, select

from tradewind.ledger.dialect import AnyRow, db_now, insert
from tradewind.ledger.engine import Ledger
from tradewind.ledger.identity import name_of
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.page_tables import order_change
from tradewind.ledger.pruned_tables import pruned_delivery
from tradewind.ledger.tables import inbox as table

BATCH = 500
"""Rows a transaction looks at: SQLite has one writer at a time, and the gateway must not wait for this one."""
PAUSE_S = 0.005
FINISHED = ("applied", "superseded")


@dataclass(frozen=True)
class Pruned:
    """deliveries: how many went. complete: nothing else is old enough."""

    deliveries: int
    complete: bool


def prune(
    ledger: Ledger,
    older_than: timedelta,
    *,
    limit: int | None = None,
    pause_s: float = PAUSE_S,
    stopped: Callable[[], bool] = lambda: False,
) -> Pruned:
    """Delete deliveries that were finished longer ago, oldest first, in short transactions with pauses between.

    limit: about how many rows to delete at most. stopped: asked between the transactions. What is deleted can be read
    in no backup of the ledger either: its data key goes with it.
    """
    after, gone = 0, 0
    while not stopped() and (limit is None or gone < limit):
        with ledger.write() as conn:
            before = db_now(conn) - older_than
            looked_at = conn.execute(_oldest(after)).all()
            old = [row for row in looked_at if row.received_at < before]
            doomed = [row.id for row in old if row.state in FINISHED and row.finished_at < before]
            gone += _forget(conn, ledger.keys, doomed)
        if not old:
            return Pruned(gone, complete=True)
        after = looked_at[-1].id
        time.sleep(pause_s)
    return Pruned(gone, complete=False)


def _oldest(after: int) -> Select[int, str, datetime, datetime]:
    """By their ids, which rise with the time of receipt: the look ends where nothing is old enough."""
    columns = (table.c.id, table.c.state, table.c.received_at, table.c.finished_at)
    return select(*columns).where(table.c.id > after).order_by(table.c.id).limit(BATCH)


def _forget(conn: Connection, keys: KeyRing, ids: Sequence[int]) -> int:
    rows = conn.execute(_doomed(ids)).all() if ids else []
    if not rows:
        return 0
    remembered = sorted((_remembered(keys, row) for row in rows), key=lambda one: one["digest"])
    conn.execute(insert(conn, pruned_delivery).on_conflict_do_nothing(), remembered)
    gone = [row.id for row in rows]
    conn.execute(delete(order_change).where(order_change.c.delivery_id.in_(gone)))
    conn.execute(delete(table).where(table.c.id.in_(gone)))
    # Before the commit: should it fail, the rows are still there to name their keys, and nothing needs their content.
    keys.discard(row.sealed for row in rows)
    return len(rows)


def _doomed(ids: Sequence[int]) -> Select[int, str, str, str, bytes]:
    original = table.alias("original")
    repeats_what_stays = exists().where(original.c.id == table.c.replay_of)
    # SQLite counts on from the highest id that is there: without it, ids would be given twice.
    newest = select(func.max(table.c.id)).scalar_subquery()
    settled = and_(table.c.state.in_(FINISHED), or_(table.c.replay_of.is_(None), ~repeats_what_stays))
    columns = (table.c.id, table.c.connection, table.c.source, table.c.delivery_key, table.c.sealed)
    query = select(*columns).where(table.c.id.in_(ids), settled, table.c.id < newest)
    return query.order_by(table.c.id).with_for_update(of=table)


def _remembered(keys: KeyRing, row: AnyRow) -> dict[str, bytes | int]:
    return {"digest": keys.identity(name_of((row.connection, row.source, row.delivery_key))), "inbox_id": row.id}
