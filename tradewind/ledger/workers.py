"""Live processes: who is there, so that a budget can be shared safely when nothing else divides it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select, update

from tradewind.ledger.dialect import db_now, insert
from tradewind.ledger.tables import worker as table

ALIVE_S = 30.0


def register(conn: Connection, worker_id: str, kind: str) -> None:
    """Announce a process. kind: what it does, e.g. `order-sync`."""
    now = db_now(conn)
    statement = insert(conn, table).values(id=worker_id, kind=kind, started_at=now, seen_at=now)
    conn.execute(statement.on_conflict_do_update(index_elements=[table.c.id], set_={"seen_at": now}))


def heartbeat(conn: Connection, worker_id: str) -> None:
    """Say that it is still there: at least every 10 s. Forgets processes that have been silent for a day."""
    now = db_now(conn)
    conn.execute(update(table).where(table.c.id == worker_id).values(seen_at=now))
    conn.execute(delete(table).where(table.c.seen_at < now - timedelta(days=1)))


def leave(conn: Connection, worker_id: str) -> None:
    """It ends now."""
    conn.execute(delete(table).where(table.c.id == worker_id))


def alive(conn: Connection, *, kind: str | None = None) -> int:
    """How many processes were heard of within the last 30 s."""
    query = select(func.count()).where(table.c.seen_at >= db_now(conn) - timedelta(seconds=ALIVE_S))
    if kind is not None:
        query = query.where(table.c.kind == kind)
    return conn.execute(query).scalar_one()
