"""Find deliveries page by page, within a bound of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError

from tradewind.errors import TransientError
from tradewind.ledger import orders
from tradewind.ledger.delivery import DeliveryRow
from tradewind.ledger.tables import LANES
from tradewind.ledger.tables import inbox as table

_STEPS = 10_000  # of SQLite's virtual machine between two looks at the clock: a few milliseconds


class SearchTooSlow(TransientError):
    """A query was ended because it took longer than it may."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for. order: its name at the store, or its id here. topic: whole, or its beginning with a `*`.

    since, until: of receipt; until is not included. before: ids below it, which is how one goes on to the next page.
    """

    order: str | None = None
    topic: str | None = None
    connection: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class Found:
    """A page, newest first. next_before: `before` of the next page; None when this is the last."""

    rows: tuple[DeliveryRow, ...]
    next_before: int | None


def find(conn: Connection, wanted: Wanted, *, limit: int) -> Found:
    """The newest deliveries that fit."""
    query = select(*_LISTED).order_by(table.c.id.desc()).limit(limit + 1)
    for column, value in ((table.c.connection, wanted.connection), (table.c.state, wanted.state)):
        if value is not None:
            query = query.where(column == value)
    if wanted.topic is not None:
        start = wanted.topic.removesuffix("*")
        whole = start == wanted.topic
        query = query.where(table.c.topic == start if whole else table.c.topic.startswith(start, autoescape=True))
    if wanted.order is not None:
        # Two stores may each have an order of this name.
        named = orders.by_name(conn, wanted.order) or orders.by_name(conn, f"#{wanted.order}")
        query = query.where(table.c.order_id.in_([row.id for row in named] or [wanted.order]))
    if wanted.since is not None:
        query = query.where(table.c.received_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(table.c.received_at < wanted.until)
    if wanted.before is not None:
        query = query.where(table.c.id < wanted.before)
    rows = conn.execute(query).mappings().all()
    page = [DeliveryRow(**{**row, "lane": LANES[row["lane"]]}) for row in rows[:limit]]
    return Found(tuple(page), page[-1].id if len(rows) > limit else None)


@contextmanager
def within(conn: Connection, within_s: float) -> Iterator[None]:
    """End a statement that runs when the time is over. Raises SearchTooSlow."""
    began = time.monotonic()
    driver = conn.connection.driver_connection
    assert driver is not None
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(int(within_s * 1000))})
    else:
        driver.set_progress_handler(lambda: time.monotonic() - began > within_s, _STEPS)
    try:
        yield
    except OperationalError as error:
        if time.monotonic() - began >= within_s:
            raise SearchTooSlow(f"not found within {within_s:g} s: narrow the search") from error
        raise
    finally:
        if conn.dialect.name != "postgresql":
            driver.set_progress_handler(None, 0)


_LISTED = [column for column in table.c if column.name in DeliveryRow.__dataclass_fields__]
