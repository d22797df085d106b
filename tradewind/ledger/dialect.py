"""The few statements that SQLite and PostgreSQL write differently."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from tradewind.ledger.prepared import driven, inserting, inserting_new

Upsert = postgresql.Insert | sqlite.Insert
AnyRow = Row[*tuple[Any, ...]]


def insert(conn: Connection, table: Table) -> Upsert:
    """An INSERT of the connection's dialect, which knows ON CONFLICT."""
    return insert_of(conn.dialect.name, table)


def insert_of(dialect: str, table: Table) -> Upsert:
    """The same by the dialect's name, for a statement that is written once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_new(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *returning: ColumnElement[Any]
) -> Sequence[AnyRow]:
    """Insert the rows whose unique key is new; gives `returning` of those, in no order.

    Parallel writers of the same keys should sort them, or PostgreSQL may find a deadlock.
    """
    if not rows:
        return []
    if conn.dialect.name == "sqlite":
        return inserting_new(table, tuple(rows[0]), returning).rows_of_each(conn, rows)
    statement = insert(conn, table).on_conflict_do_nothing().returning(*returning)
    return conn.execute(statement, [dict(row) for row in rows]).all()


def insert_rows(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, all of which name the same columns."""
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        inserting(table, tuple(rows[0])).each(conn, rows)
    else:
        conn.execute(table.insert(), [dict(row) for row in rows])


def db_now(conn: Connection) -> datetime:
    """The database's clock, UTC: leases expire by it, whatever the clocks of the workers say."""
    if conn.dialect.name == "postgresql":
        # now() would be the time at which the transaction began.
        moment = conn.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert isinstance(moment, datetime)
        return moment.astimezone(UTC)
    (stamp,) = driven(conn, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')").fetchone()
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)


def serialise(conn: Connection, name: str) -> None:
    """Let one transaction at a time go past here, until it ends. SQLite's writers are one at a time already."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_number(name)})


def lock_number(name: str) -> int:
    """The 64-bit number by which PostgreSQL's advisory locks know a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
