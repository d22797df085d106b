"""The audit trail: who did what, each entry sealed onto the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from tradewind.ledger.dialect import AnyRow, db_now, serialise
from tradewind.ledger.tables import audit as table

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    """detail: without personal data or secrets."""

    seq: int
    at: datetime
    actor: str
    action: str
    detail: Mapping[str, Any]
    hash: str


def append(conn: Connection, actor: str, action: str, detail: Mapping[str, Any]) -> int:
    """Add an entry; gives its number. Entries are made one at a time, so the chain has no forks and no gaps."""
    serialise(conn, "audit")
    last = conn.execute(select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)).first()
    values: dict[str, Any] = {
        "seq": last.seq + 1 if last else 1,
        "at": db_now(conn),
        "actor": actor,
        "action": action,
        "detail": json.dumps(dict(detail), sort_keys=True),
        "previous_hash": last.hash if last else GENESIS,
    }
    conn.execute(table.insert().values(**values, hash=_hash(**values)))
    return int(values["seq"])


def entries(conn: Connection, *, limit: int = 100) -> list[Entry]:
    """The newest entries, newest first."""
    return [_entry(row) for row in conn.execute(select(table).order_by(table.c.seq.desc()).limit(limit))]


def first_broken(conn: Connection) -> int | None:
    """The number of the first entry that was changed, or that follows a removed one; None when the chain holds."""
    previous, expected = GENESIS, 1
    query = select(table).order_by(table.c.seq).execution_options(yield_per=1000)
    with conn.execute(query) as rows:
        for row in rows:
            values = {name: getattr(row, name) for name in ("seq", "at", "actor", "action", "detail", "previous_hash")}
            if row.seq != expected or row.previous_hash != previous or row.hash != _hash(**values):
                return int(row.seq)
            previous, expected = row.hash, expected + 1
    return None


def _hash(*, seq: int, at: datetime, actor: str, action: str, detail: str, previous_hash: str) -> str:
    content = json.dumps([seq, at.isoformat(timespec="microseconds"), actor, action, detail, previous_hash])
    return hashlib.sha256(content.encode()).hexdigest()


def _entry(row: AnyRow) -> Entry:
    detail = json.loads(row.detail)
    return Entry(seq=row.seq, at=row.at, actor=row.actor, action=row.action, detail=detail, hash=row.hash)
