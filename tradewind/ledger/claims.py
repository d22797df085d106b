"""Claims: a delivery is held under a lease with an epoch, and finished by whoever holds it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, update

from tradewind.errors import LeaseLost
from tradewind.ledger import deaths
from tradewind.ledger.delivery import Claimed, Outcome, unpack
from tradewind.ledger.dialect import AnyRow, db_now
from tradewind.ledger.identity import CHUNK, row_name
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import LANES, order_link
from tradewind.ledger.tables import inbox as table


def claim(
    conn: Connection,
    keys: KeyRing,
    *,
    worker: str,
    limit: int,
    lease_s: float,
    prefix: Sequence[str] | None = None,
) -> list[Claimed]:
    """Take up to `limit` deliveries, by lane and then oldest first: received ones, and those whose lease ran out.

    prefix: only of connections that begin so. A delivery whose key was erased becomes dead and is left out.
    """
    now = db_now(conn)
    lease_until = now + timedelta(seconds=lease_s)
    # One statement for each, so that both walk their index in order and stop at the limit.
    expired = and_(table.c.state == "claimed", table.c.lease_until <= now)
    rows = _take(conn, expired, prefix, limit, worker, lease_until)
    rows += _take(conn, table.c.state == "received", prefix, limit - len(rows), worker, lease_until)
    rows.sort(key=lambda row: (row.lane, row.id))
    contents = keys.open_many([(row.sealed, row_name(row)) for row in rows])
    pairs = list(zip(rows, contents, strict=True))
    erased = [Outcome(row.id, row.epoch, "dead", "its key was erased") for row, content in pairs if content is None]
    finish(conn, erased)
    return [_claimed(row, content) for row, content in pairs if content is not None]


def finish(conn: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write what became of claimed deliveries. Raises LeaseLost, and nothing may be committed, if one was taken over.

    A delivery parked for a link that is known by now is received again at once.
    """
    if not outcomes:
        return
    now = db_now(conn)
    known = _known_links(conn, {one.waits_for for one in outcomes if one.state == "parked" and one.waits_for})
    statement = (
        update(table)
        .where(table.c.id == bindparam("_id"), table.c.epoch == bindparam("_epoch"), table.c.state == "claimed")
        .values(
            state=bindparam("_state"),
            reason=bindparam("_reason"),
            order_id=func.coalesce(bindparam("_order_id"), table.c.order_id),
            waits_for=bindparam("_waits_for"),
            finished_at=bindparam("_finished_at"),
            lease_until=None,
        )
    )
    written = conn.execute(statement, [_outcome_values(one, known, now) for one in outcomes]).rowcount
    if written != len(outcomes):
        raise LeaseLost(f"{len(outcomes) - written} of {len(outcomes)} deliveries were taken over by another worker")
    _note_dead(conn, {one.id: one for one in outcomes if one.state == "dead" and one.place is not None})


def release_parked(conn: Connection, links: Collection[str]) -> int:
    """Receive again what was parked for these links; gives how many."""
    released = 0
    ordered = sorted(links)
    for start in range(0, len(ordered), CHUNK):
        released += _release(conn, table.c.waits_for.in_(ordered[start : start + CHUNK]))
    return released


def release_stranded(conn: Connection) -> int:
    """Receive again what is parked for a link that an order has by now; gives how many.

    Two workers may park and link at the same moment without seeing each other: whoever sweeps calls this.
    """
    return _release(conn, table.c.waits_for.in_(select(order_link.c.link)))


def _take(
    conn: Connection,
    free: ColumnElement[bool],
    prefix: Sequence[str] | None,
    limit: int,
    worker: str,
    lease_until: datetime,
) -> list[AnyRow]:
    if limit <= 0:
        return []
    due = select(table.c.id).where(free).order_by(table.c.lane, table.c.id).limit(limit)
    if prefix is not None:
        due = due.where(or_(*(table.c.connection.startswith(one, autoescape=True) for one in prefix)))
    # Workers that claim at the same time pass over each other's rows; SQLite's are one at a time already.
    chosen = due.with_for_update(skip_locked=True).cte("due")
    held = {"state": "claimed", "claimed_by": worker, "lease_until": lease_until}
    statement = update(table).where(table.c.id.in_(select(chosen.c.id))).returning(*table.c)
    counted = statement.values(epoch=table.c.epoch + 1, attempts=table.c.attempts + 1, **held)
    return list(conn.execute(counted))


def _claimed(row: AnyRow, content: bytes) -> Claimed:
    headers, body = unpack(content)
    return Claimed(
        connection=row.connection,
        source=row.source,
        delivery_key=row.delivery_key,
        topic=row.topic,
        body=body,
        format=row.format,
        headers=headers,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        lane=LANES[row.lane],
        replay_of=row.replay_of,
        correlation=row.correlation,
        id=row.id,
        epoch=row.epoch,
        attempts=row.attempts,
    )


def _outcome_values(outcome: Outcome, known: Collection[str], now: datetime) -> dict[str, Any]:
    state = "received" if outcome.state == "parked" and outcome.waits_for in known else outcome.state
    return {
        "_id": outcome.id,
        "_epoch": outcome.epoch,
        "_state": state,
        "_reason": outcome.reason,
        "_order_id": outcome.order_id,
        "_waits_for": outcome.waits_for if state == "parked" else None,
        "_finished_at": None if state == "received" else now,
    }


def _note_dead(conn: Connection, dead: Mapping[int, Outcome]) -> None:
    if not dead:
        return
    query = select(table.c.id, table.c.connection, table.c.replay_of).where(table.c.id.in_(sorted(dead)))
    told = [(dead[row.id], row) for row in conn.execute(query.order_by(table.c.id))]
    deaths.note(
        conn,
        [
            deaths.Death("delivery", str(one.id), row.connection, one.place or "", one.reason or "", row.replay_of)
            for one, row in told
        ],
    )


def _known_links(conn: Connection, links: Collection[str]) -> set[str]:
    if not links:
        return set()
    return set(conn.execute(select(order_link.c.link).where(order_link.c.link.in_(sorted(links)))).scalars())


def _release(conn: Connection, waiting: ColumnElement[bool]) -> int:
    fresh = {"state": "received", "waits_for": None, "finished_at": None}
    return conn.execute(update(table).where(table.c.state == "parked", waiting).values(fresh)).rowcount
