"""Many rows at once on SQLite, by the driver's own executemany.

SQLAlchemy writes a statement as long as its rows to learn what was inserted, which costs more than the insert. A writer
on SQLite is alone, so what is new is what has a higher id than any row before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Table, func, select

from tradewind.ledger.dialect import AnyRow, insert_new

_Processors = tuple[Callable[[Any], Any] | None, ...]


def insert_many(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose unique key is new; all name the same columns."""
    if not rows:
        return
    if conn.dialect.name != "sqlite":
        insert_new(conn, table, rows, *table.primary_key.columns)
        return
    statement, names, processors = _plain_insert(table, tuple(rows[0]), conn.dialect)
    plan = tuple(zip(names, processors, strict=True))
    values = [tuple(process(row[name]) if process else row[name] for name, process in plan) for row in rows]
    conn.exec_driver_sql(statement, values)


def insert_numbered(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *returning: ColumnElement[Any]
) -> Sequence[AnyRow]:
    """Insert into a table with a counted `id` the rows whose unique key is new; gives `returning` of those."""
    if not rows or conn.dialect.name != "sqlite":
        return insert_new(conn, table, rows, *returning)
    before = conn.execute(select(func.max(table.c.id))).scalar_one() or 0
    insert_many(conn, table, rows)
    return conn.execute(select(*returning).where(table.c.id > before)).all()


@lru_cache(maxsize=16)
def _plain_insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...], _Processors]:
    """The statement, with the defaults of the columns that the rows do not name."""
    columns = [table.c[name] for name in names]
    places = ", ".join("?" for _ in columns)
    listed = ", ".join(column.name for column in columns)
    statement = f"INSERT INTO {table.name} ({listed}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608 our names
    return statement, names, tuple(column.type.bind_processor(dialect) for column in columns)
