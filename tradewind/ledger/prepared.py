"""Statements that are written once, and on SQLite handed to the driver as they are.

Building a statement anew, finding it in SQLAlchemy's cache and wrapping what it gives costs ten times what SQLite takes
to run it. On PostgreSQL the same statements go SQLAlchemy's way: there the round trip is what counts.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import BindParameter, Connection, Delete, Dialect, Insert, Select, Table, Update, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import iterate

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Processor = Callable[[Any], Any] | None


class _Bind(NamedTuple):
    """Where a place of the statement has its value from: a name, of a list the n-th, or a value that is always so."""

    name: str | None
    place: int | None
    fixed: Any
    process: Processor

    def value(self, given: Mapping[str, Any]) -> Any:
        if self.name is None:
            return self.fixed
        value = given[self.name] if self.place is None else given[self.name][self.place]
        return value if self.process is None else self.process(value)


class _Plan(NamedTuple):
    text: str
    binds: tuple[_Bind, ...]
    row: Callable[[Iterable[Any]], Any] | None
    processes: tuple[Processor, ...] | None

    def arguments(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([bind.value(given) for bind in self.binds])

    def rows(self, found: Iterable[Sequence[Any]]) -> list[Any]:
        assert self.row is not None
        if self.processes is None:
            return list(map(self.row, found))
        plan = self.processes
        return [
            self.row([value if process is None else process(value) for value, process in zip(row, plan, strict=True)])
            for row in found
        ]


class Prepared:
    """A statement with named binds; its errors are SQLAlchemy's. On SQLite it begins no transaction of its own.

    A list is bound by `bindparam(name, expanding=True)`: one plan is kept for each length, so it should be short.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._lists = tuple(sorted(_lists(statement)))
        self._plans: dict[tuple[int, ...], _Plan] = {}

    def rows(self, conn: Connection, **given: Any) -> list[Any]:
        """What it gives, as named tuples."""
        if conn.dialect.name != "sqlite":
            return list(conn.execute(self._statement, given).all())
        plan, cursor = self._run(conn, given)
        return plan.rows(cursor.fetchall())

    def first(self, conn: Connection, **given: Any) -> Any | None:
        """The first row, if there is one."""
        found = self.rows(conn, **given)
        return found[0] if found else None

    def scalar(self, conn: Connection, **given: Any) -> Any | None:
        """The first column of the first row; None without one."""
        found = self.first(conn, **given)
        return None if found is None else found[0]

    def count(self, conn: Connection, **given: Any) -> int:
        """How many rows it changed."""
        if conn.dialect.name != "sqlite":
            return conn.execute(self._statement, given).rowcount
        return int(self._run(conn, given)[1].rowcount)

    def each(self, conn: Connection, many: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of them; gives how many rows it changed. Without lists, and without rows to give."""
        if conn.dialect.name != "sqlite":
            return conn.execute(self._statement, [dict(one) for one in many]).rowcount
        plan = self._plan(conn.dialect, ())
        return driven(conn, plan.text, [plan.arguments(one) for one in many], many=True).rowcount

    def rows_of_each(self, conn: Connection, many: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Run it for each of them, and give what all of them give."""
        if conn.dialect.name != "sqlite":
            return list(conn.execute(self._statement, [dict(one) for one in many]).all())
        return [row for one in many for row in self.rows(conn, **one)]

    def _run(self, conn: Connection, given: Mapping[str, Any]) -> tuple[_Plan, sqlite3.Cursor]:
        plan = self._plan(conn.dialect, tuple([len(given[name]) for name in self._lists]))
        return plan, driven(conn, plan.text, plan.arguments(given))

    def _plan(self, dialect: Dialect, lengths: tuple[int, ...]) -> _Plan:
        plan = self._plans.get(lengths)
        if plan is None:
            plan = self._plans[lengths] = _planned(
                self._statement, dialect, dict(zip(self._lists, lengths, strict=True))
            )
        return plan


def _lists(statement: Statement) -> set[str]:
    return {str(one.key) for one in iterate(statement) if isinstance(one, BindParameter) and one.expanding}


def _planned(statement: Statement, dialect: Dialect, lengths: Mapping[str, int]) -> _Plan:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    given: dict[str, Any] = {name: None for name, bound in compiled.binds.items() if bound.required}
    state = compiled.construct_expanded_state(given | {name: [None] * length for name, length in lengths.items()})
    places = {part: (name, n) for name, parts in state.parameter_expansion.items() for n, part in enumerate(parts)}
    fixed = {column.name: column.default.arg for column in compiled.insert_prefetch}  # type: ignore[union-attr]
    binds = []
    for part in state.positiontup or ():
        name, place = places.get(part, (part, None))
        bound = compiled.binds[name]
        process = bound.type.dialect_impl(dialect).bind_processor(dialect)
        if name in fixed or not bound.required:
            value = fixed.get(name, bound.value)
            binds.append(_Bind(None, None, value if process is None else process(value), None))
        else:
            binds.append(_Bind(name, place, None, process))
    columns = list(_given_by(statement))
    processes = tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
    return _Plan(
        text=state.statement,
        binds=tuple(binds),
        row=_row([str(column.key) for column in columns]) if columns else None,
        processes=processes if any(processes) else None,
    )


def _row(names: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    made: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    return cast(Callable[[Iterable[Any]], Any], made._make)


def _given_by(statement: Statement) -> Iterable[ColumnElement[Any]]:
    return statement.exported_columns


def driven(conn: Connection, text: str, arguments: Any = (), *, many: bool = False) -> sqlite3.Cursor:
    """Run a text on SQLite's own driver. Raises SQLAlchemy's errors, without the values, which must not be logged."""
    driver = cast(sqlite3.Connection, conn.connection.dbapi_connection)
    try:
        return driver.executemany(text, arguments) if many else driver.execute(text, arguments)
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            text, None, error, sqlite3.Error, hide_parameters=True, dialect=conn.dialect
        ) from error


@cache
def inserting(table: Table, names: tuple[str, ...]) -> Prepared:
    """Inserts a row of these columns."""
    return Prepared(table.insert().values(_bound(table, names)))


@cache
def inserting_new(table: Table, names: tuple[str, ...], returning: tuple[ColumnElement[Any], ...]) -> Prepared:
    """On SQLite: inserts a row of these columns unless its key is there; gives `returning` of one that is new."""
    new = sqlite.insert(table).values(_bound(table, names)).on_conflict_do_nothing()
    return Prepared(new.returning(*returning))


def _bound(table: Table, names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(name, type_=table.c[name].type) for name in names}
