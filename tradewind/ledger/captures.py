"""Capture on request: what is sent to a path that nobody answers for, kept apart and never applied.

What is captured is not verified. It is sealed, bounded in number, size and age, and deleted with its keys.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, delete, func, select

from tradewind.ledger import audit
from tradewind.ledger.delivery import unpack
from tradewind.ledger.dialect import AnyRow, db_now, insert
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.page_tables import capture as table
from tradewind.ledger.page_tables import captured

MOST_MINUTES = 120
MOST_OF_A_PATH = 100
MOST_TOGETHER = 1000
MOST_BYTES = 256 * 1024
"""Of one body; the rest is counted and not kept."""
KEPT_H = 24

_PATH = re.compile(r"/(hooks/[a-z0-9_]{1,40}/[a-z0-9][a-z0-9_-]{0,60}|capture/[a-z0-9][a-z0-9_-]{0,60})")


@dataclass(frozen=True)
class Capture:
    """path: as requests name it. kept: requests that are there now."""

    path: str
    started_at: datetime
    until_at: datetime
    started_by: str
    kept: int


@dataclass(frozen=True)
class Request:
    """A request to be kept. answered: the status that its sender heard. size: of the body, also what is not kept."""

    path: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    size: int
    answered: int
    received_at: datetime


@dataclass(frozen=True)
class Captured:
    """A request that was kept. body: None once it was erased."""

    id: int
    path: str
    method: str
    answered: int
    size: int
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes | None


def start(conn: Connection, path: str, *, minutes: int, actor: str) -> datetime:
    """Capture on this path from now on; gives until when. Audited.

    Raises ValueError for a path other than `/hooks/{provider}/{account}` and `/capture/{name}`, or too long a time.
    """
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path} must be /capture/NAME or /hooks/PROVIDER/ACCOUNT, in lower case")
    if not 1 <= minutes <= MOST_MINUTES:
        raise ValueError(f"{minutes} minutes must be between 1 and {MOST_MINUTES}")
    now = db_now(conn)
    until_at = now + timedelta(minutes=minutes)
    values = {"started_at": now, "until_at": until_at, "started_by": actor}
    statement = insert(conn, table).values(path=path, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["path"], set_=values))
    audit.append(conn, actor, "capture.started", {"path": path, "minutes": minutes})
    return until_at


def stop(conn: Connection, keys: KeyRing, path: str, *, actor: str) -> None:
    """Capture there no more, and delete what was captured. Audited. Raises LookupError when nothing is there."""
    found = conn.execute(delete(table).where(table.c.path == path)).rowcount
    found += _delete(conn, keys, select(captured.c.id).where(captured.c.path == path).order_by(captured.c.id))
    if not found:
        raise LookupError(f"nothing is captured at {path}")
    audit.append(conn, actor, "capture.stopped", {"path": path})


def active(conn: Connection) -> dict[str, datetime]:
    """The paths that are captured now, and until when."""
    query = select(table.c.path, table.c.until_at).where(table.c.until_at > db_now(conn))
    return {row.path: row.until_at for row in conn.execute(query)}


def listed(conn: Connection) -> list[Capture]:
    """Every capture, those that have ended included while something of them is kept; the latest first."""
    kept = select(captured.c.path, func.count().label("kept")).group_by(captured.c.path).subquery()
    query = select(table, func.coalesce(kept.c.kept, 0).label("kept")).outerjoin(kept, kept.c.path == table.c.path)
    return [Capture(**row) for row in conn.execute(query.order_by(table.c.started_at.desc())).mappings()]


def keep(conn: Connection, keys: KeyRing, request: Request) -> int:
    """Keep a request, and delete the oldest beyond the bounds; gives its id."""
    key = uuid.uuid4().hex
    content = json.dumps(dict(request.headers)).encode() + b"\n" + request.body[:MOST_BYTES]
    values = {
        "key": key,
        "path": request.path,
        "method": request.method,
        "answered": request.answered,
        "size": request.size,
        "sealed": keys.seal(content, row=f"captured/{key}"),
        "received_at": request.received_at,
    }
    id = int(conn.execute(captured.insert().values(values).returning(captured.c.id)).scalar_one())
    mine = select(captured.c.id).where(captured.c.path == request.path)
    _delete(conn, keys, mine.order_by(captured.c.id.desc()).offset(MOST_OF_A_PATH))
    _delete(conn, keys, select(captured.c.id).order_by(captured.c.id.desc()).offset(MOST_TOGETHER))
    return id


def requests(conn: Connection, keys: KeyRing, path: str, *, limit: int = MOST_OF_A_PATH) -> list[Captured]:
    """What was captured at a path, the latest first."""
    query = select(captured).where(captured.c.path == path).order_by(captured.c.id.desc()).limit(limit)
    rows: Sequence[AnyRow] = conn.execute(query).all()
    contents = keys.open_many([(row.sealed, f"captured/{row.key}") for row in rows])
    return [_opened(row, content) for row, content in zip(rows, contents, strict=True)]


def purge(conn: Connection, keys: KeyRing) -> int:
    """Delete what is older than `KEPT_H` hours, and captures that ended so long ago; gives how many requests."""
    before = db_now(conn) - timedelta(hours=KEPT_H)
    conn.execute(delete(table).where(table.c.until_at < before))
    return _delete(conn, keys, select(captured.c.id).where(captured.c.received_at < before))


def _delete(conn: Connection, keys: KeyRing, ids: Select[int]) -> int:
    found = list(conn.execute(ids).scalars())
    if not found:
        return 0
    keys.erase(list(conn.execute(select(captured.c.sealed).where(captured.c.id.in_(found))).scalars()))
    return conn.execute(delete(captured).where(captured.c.id.in_(found))).rowcount


def _opened(row: AnyRow, content: bytes | None) -> Captured:
    headers, body = unpack(content) if content is not None else ({}, None)
    return Captured(
        id=row.id,
        path=row.path,
        method=row.method,
        answered=row.answered,
        size=row.size,
        received_at=row.received_at,
        headers=headers,
        body=body,
    )
