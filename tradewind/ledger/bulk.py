"""Many rows at once on SQLite, by the driver's own executemany.

SQLAlchemy writes a statement as long as its rows to learn what was inserted, which costs more than the insert. A writer
on SQLite is alone, so it may number the rows itself.
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


def insert_many(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose unique key is new; all name the same columns."""
    if not rows:
        return
    if conn.dialect.name != "sqlite":
        insert_new(conn, table, rows, *table.primary_key.columns)
        return
    statement, plan = _plain_insert(table, tuple(rows[0]), conn.dialect)
    driven(conn, statement, [_values(plan, row) for row in rows], many=True)


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
    statement, plan = _plain_insert(table, ("id", *rows[0]), conn.dialect)
    numbered = [{"id": before + place, **row} for place, row in enumerate(rows, start=1)]
    inserted = driven(conn, statement, [_values(plan, row) for row in numbered], many=True).rowcount
    if inserted == len(rows):
        return {tuple([row[name] for name in key]): row["id"] for row in numbered}
    new = f"SELECT id, {', '.join(key)} FROM {table.name} WHERE id > ?"  # noqa: S608 our names
    return {row[1:]: row[0] for row in driven(conn, new, (before,))}


def _values(plan: _Plan, row: Row) -> tuple[Any, ...]:
    return tuple([row[name] if process is None else process(row[name]) for name, process in plan])


@lru_cache(maxsize=16)
def _plain_insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, _Plan]:
    """The statement, with the defaults of the columns that the rows do not name."""
    columns = [table.c[name] for name in names]
    places = ", ".join("?" for _ in columns)
    listed = ", ".join(column.name for column in columns)
    statement = f"INSERT INTO {table.name} ({listed}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608 our names
    return statement, tuple((column.name, _process(column.type, dialect)) for column in columns)


def _process(kind: TypeEngine[Any], dialect: Dialect) -> _Process:
    """As the type binds a value; without the layers between, for the two that a delivery has most of."""
    if isinstance(kind, PlainText):
        return _plain
    if isinstance(kind, UtcDateTime):
        return sqlite_time
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _plain(value: str | None) -> str | None:
    return None if value is None else plain(value)
