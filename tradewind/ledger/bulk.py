"""Many rows at once on SQLite, by the driver itself.

SQLAlchemy writes a statement as long as its rows to learn what was inserted, which costs more than the insert. A writer
on SQLite is alone, so it may number the rows itself. The driver gives Python's lock away at each step of a statement,
and its executemany takes one for each row: a thread that writes beside one that answers would wait for it each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.types import TypeEngine

from tradewind.ledger.dialect import insert_new
from tradewind.ledger.prepared import driven
from tradewind.ledger.types import PlainText, UtcDateTime, plain, sqlite_time

Row = Mapping[str, Any]
_Process = Callable[[Any], Any] | None
_Plan = tuple[tuple[str, _Process], ...]
_SIZES = (64, 16, 4, 1)
"""Rows of one statement: few shapes, so that the driver finds them prepared; at most 32,766 values."""


def insert_many(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose unique key is new; all name the same columns."""
    if not rows:
        return
    if conn.dialect.name != "sqlite":
        insert_new(conn, table, rows, *table.primary_key.columns)
        return
    _insert(conn, table, rows)


def insert_numbered(
    conn: Connection, table: Table, rows: Sequence[Row], key: Sequence[str]
) -> dict[tuple[Any, ...], int]:
    """Insert into a table with a counted `id` the rows whose unique key is new; gives the ids of those by their key.

    On SQLite the transaction must have begun as one that writes.
    """
    columns = [table.c[name] for name in key]
    if not rows or conn.dialect.name != "sqlite":
        return {tuple(row[1:]): row[0] for row in insert_new(conn, table, rows, table.c.id, *columns)}
    (before,) = driven(conn, f"SELECT coalesce(max(id), 0) FROM {table.name}").fetchone()  # noqa: S608 our names
    numbered = [{"id": before + place, **row} for place, row in enumerate(rows, start=1)]
    if _insert(conn, table, numbered) == len(rows):
        return {tuple([row[name] for name in key]): row["id"] for row in numbered}
    new = f"SELECT id, {', '.join(key)} FROM {table.name} WHERE id > ?"  # noqa: S608 our names
    return {row[1:]: row[0] for row in driven(conn, new, (before,))}


def _insert(conn: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Gives how many were new."""
    names = tuple(rows[0])
    plan = _plan(table, names, conn.dialect)
    inserted = start = 0
    for size in _SIZES:
        while start + size <= len(rows):
            some = rows[start : start + size]
            values = [row[name] if process is None else process(row[name]) for row in some for name, process in plan]
            inserted += driven(conn, _statement(table, names, size), values).rowcount
            start += size
    return inserted


@lru_cache(maxsize=64)
def _statement(table: Table, names: tuple[str, ...], size: int) -> str:
    places = f"({', '.join('?' for _ in names)})"
    listed = ", ".join(table.c[name].name for name in names)
    every = ", ".join([places] * size)
    return f"INSERT INTO {table.name} ({listed}) VALUES {every} ON CONFLICT DO NOTHING"  # noqa: S608 our names


@lru_cache(maxsize=16)
def _plan(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Plan:
    return tuple((name, _process(table.c[name].type, dialect)) for name in names)


def _process(kind: TypeEngine[Any], dialect: Dialect) -> _Process:
    """As the type binds a value; without the layers between, for the two that a delivery has most of."""
    if isinstance(kind, PlainText):
        return _plain
    if isinstance(kind, UtcDateTime):
        return sqlite_time
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _plain(value: str | None) -> str | None:
    return None if value is None else plain(value)
