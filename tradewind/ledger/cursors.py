"""Cursors: how far a poll has read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, bindparam, or_, select, tuple_, update

from tradewind.ledger.dialect import insert_of
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.tables import cursor as table


@dataclass(frozen=True, order=True)
class Cursor:
    """Everything changed before (updated_at, last_id), at the provider, has been read."""

    updated_at: datetime
    last_id: str = ""


_GET = Prepared(select(table.c.updated_at, table.c.last_id).where(table.c.name == bindparam("name")))


def get(conn: Connection, name: str) -> Cursor | None:
    """name: connection and stream, e.g. `shopify:north/orders`. None before the first page."""
    row = _GET.first(conn, name=name)
    return Cursor(updated_at=row.updated_at, last_id=row.last_id) if row else None


def rewind(conn: Connection, name: str, to: datetime) -> bool:
    """Have everything since then read again; False, and nothing changed, when the cursor has not gone that far."""
    ahead = (table.c.name == name) & (table.c.updated_at > to)
    return bool(conn.execute(update(table).where(ahead).values(updated_at=to, last_id="")).rowcount)


def set(conn: Connection, name: str, cursor: Cursor) -> bool:
    """Advance the cursor; False, and nothing changed, when it has gone further already."""
    return bool(
        _advancing(conn.dialect.name).rows(conn, name=name, updated_at=cursor.updated_at, last_id=cursor.last_id)
    )


@cache
def _advancing(dialect: str) -> Prepared:
    statement = insert_of(dialect, table).values({name: bindparam(name) for name in ("name", "updated_at", "last_id")})
    new = {"updated_at": statement.excluded.updated_at, "last_id": statement.excluded.last_id}
    ahead = or_(
        statement.excluded.updated_at > table.c.updated_at,
        tuple_(statement.excluded.updated_at, statement.excluded.last_id) > tuple_(table.c.updated_at, table.c.last_id),
    )
    upsert = statement.on_conflict_do_update(index_elements=[table.c.name], set_=new, where=ahead)
    return Prepared(upsert.returning(table.c.name))
