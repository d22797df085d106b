"""The inbox: every delivery once, claimed under a lease with an epoch, finished by whoever holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, tuple_, update

from tradewind.errors import LeaseLost
from tradewind.ledger import deaths
from tradewind.ledger.delivery import (
    STATES,
    Claimed,
    Delivery,
    DeliveryContent,
    DeliveryRow,
    Outcome,
    Stored,
    pack,
    unpack,
)
from tradewind.ledger.dialect import AnyRow, db_now, insert_new
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import LANES, order_link
from tradewind.ledger.tables import inbox as table
from tradewind.ledger.types import plain

__all__ = [
    "Claimed",
    "Delivery",
    "DeliveryContent",
    "DeliveryRow",
    "Outcome",
    "Stored",
    "claim",
    "counts",
    "finish",
    "get",
    "release_parked",
    "release_stranded",
    "replay",
    "search",
    "store",
]

CHUNK = 500
KEY_LIMIT = 512  # characters; an index row of PostgreSQL holds 2,700 bytes


def store(conn: Connection, keys: KeyRing, deliveries: Sequence[Delivery]) -> list[Stored]:
    """Store what is new and count what is repeated; one result each, in order."""
    first: dict[tuple[str, str, str], Delivery] = {}
    for delivery in deliveries:
        first.setdefault(_identity(delivery), delivery)
    # Sorted, so that parallel writers of the same keys wait for each other in one order.
    rows = [_new_row(keys, first[identity]) for identity in sorted(first)]
    columns = (table.c.id, table.c.connection, table.c.source, table.c.delivery_key)
    new = {(row[1], row[2], row[3]): row[0] for row in insert_new(conn, table, rows, *columns)}
    ids = {**new, **_existing(conn, [identity for identity in first if identity not in new])}
    results, unseen = [], set(new)
    for delivery in deliveries:
        identity = _identity(delivery)
        results.append(Stored(id=ids[identity], duplicate=identity not in unseen))
        unseen.discard(identity)
    _count_repeats(conn, sorted(stored.id for stored in results if stored.duplicate))
    return results


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
    contents = keys.open_many([(row.sealed, _row_name(row)) for row in rows])
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


def replay(conn: Connection, keys: KeyRing, id: int) -> int:
    """Store a copy of a delivery as a new one that names it; gives the new id.

    Raises LookupError when there is no such delivery, or when its key was erased.
    """
    content = get(conn, keys, id)
    if content.body is None:
        raise LookupError(f"the content of delivery {id} was erased")
    made = conn.execute(select(func.count()).where(table.c.replay_of == id)).scalar_one()
    while True:
        copy = Delivery(
            connection=content.row.connection,
            source="replay",
            delivery_key=f"{id}/{made}",
            topic=content.row.topic,
            body=content.body,
            format=content.row.format,
            headers=content.headers,
            occurred_at=content.row.occurred_at,
            received_at=db_now(conn),
            lane=content.row.lane,
            replay_of=id,
            correlation=content.row.correlation,
        )
        stored = store(conn, keys, [copy])[0]
        if not stored.duplicate:
            deaths.replayed(conn, "delivery", str(id))
            return stored.id
        made += 1


def counts(conn: Connection) -> dict[str, int]:
    """How many deliveries are in each state, zeros included."""
    found = conn.execute(select(table.c.state, func.count().label("rows")).group_by(table.c.state))
    return {**dict.fromkeys(STATES, 0), **{row.state: row.rows for row in found}}


def search(
    conn: Connection,
    *,
    state: str | None = None,
    connection: str | None = None,
    topic: str | None = None,
    order_id: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[DeliveryRow]:
    """The newest deliveries that fit, newest first. since: received at or after."""
    query = select(*_LISTED).order_by(table.c.id.desc()).limit(limit)
    wanted = {table.c.state: state, table.c.connection: connection, table.c.topic: topic, table.c.order_id: order_id}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(table.c.received_at >= since)
    return [_listed(row) for row in conn.execute(query)]


def dead_letters(conn: Connection, *, connection: str | None = None, limit: int = 500) -> list[int]:
    """Ids of the dead deliveries that nobody has replayed yet, oldest first."""
    replayed = select(table.c.replay_of).where(table.c.replay_of.is_not(None))
    query = select(table.c.id).where(table.c.state == "dead", table.c.id.not_in(replayed))
    if connection is not None:
        query = query.where(table.c.connection == connection)
    return list(conn.execute(query.order_by(table.c.id).limit(limit)).scalars())


def get(conn: Connection, keys: KeyRing, id: int) -> DeliveryContent:
    """One delivery with its content. Raises LookupError when there is none."""
    row = conn.execute(select(table).where(table.c.id == id)).one_or_none()
    if row is None:
        raise LookupError(f"there is no delivery {id}")
    opened = keys.open(row.sealed, row=_row_name(row))
    listed = _listed(row)
    if opened is None:
        return DeliveryContent(row=listed, body=None, headers={})
    headers, body = unpack(opened)
    return DeliveryContent(row=listed, body=body, headers=headers)


_LISTED = [column for column in table.c if column.name in DeliveryRow.__dataclass_fields__]


def _identity(delivery: Delivery) -> tuple[str, str, str]:
    """As the row has it: a key longer than an index takes is shortened, with the digest of the whole."""
    key = plain(delivery.delivery_key)
    if len(key) > KEY_LIMIT:
        key = f"{key[: KEY_LIMIT - 64]}{hashlib.sha256(key.encode()).hexdigest()}"
    return delivery.connection, delivery.source, key


def _row_name(row: AnyRow) -> str:
    return f"inbox/{row.connection}/{row.source}/{row.delivery_key}"


def _new_row(keys: KeyRing, delivery: Delivery) -> dict[str, Any]:
    identity = _identity(delivery)
    return {
        "connection": identity[0],
        "source": identity[1],
        "delivery_key": identity[2],
        "topic": delivery.topic,
        "format": delivery.format,
        "lane": LANES.index(delivery.lane),
        "sealed": keys.seal(pack(delivery), row="/".join(("inbox", *identity))),
        "occurred_at": delivery.occurred_at,
        "received_at": delivery.received_at,
        "state": "received",
        "replay_of": delivery.replay_of,
        "correlation": delivery.correlation,
    }


def _existing(conn: Connection, identities: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    columns = (table.c.connection, table.c.source, table.c.delivery_key)
    found: dict[tuple[str, str, str], int] = {}
    for start in range(0, len(identities), CHUNK):
        query = select(table.c.id, *columns).where(tuple_(*columns).in_(identities[start : start + CHUNK]))
        found.update({(row[1], row[2], row[3]): row[0] for row in conn.execute(query)})
    return found


def _count_repeats(conn: Connection, ids: Sequence[int]) -> None:
    if ids:
        statement = update(table).where(table.c.id == bindparam("_id")).values(repeats=table.c.repeats + 1)
        conn.execute(statement, [{"_id": id} for id in ids])


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


def _listed(row: AnyRow) -> DeliveryRow:
    values = {name: getattr(row, name) for name in DeliveryRow.__dataclass_fields__}
    return DeliveryRow(**{**values, "lane": LANES[row.lane]})


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
