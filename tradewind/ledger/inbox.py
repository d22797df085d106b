"""The inbox: every delivery once, claimed under a lease with an epoch, finished by whoever holds it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, and_, bindparam, func, or_, select, tuple_, update

from tradewind.domain.commands import Lane
from tradewind.errors import LeaseLost
from tradewind.ledger.dialect import AnyRow, db_now, insert_new
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import LANES, order_link
from tradewind.ledger.tables import inbox as table

Source = Literal["webhook", "poll", "outcome", "replay"]
Format = Literal["raw", "event"]
State = Literal["received", "claimed", "applied", "superseded", "parked", "dead"]
STATES: tuple[State, ...] = ("received", "claimed", "applied", "superseded", "parked", "dead")
CHUNK = 500


@dataclass(frozen=True)
class Delivery:
    """Something to be taken in. body, headers: kept sealed. format: `raw` is a provider's own payload, `event` ours.

    delivery_key: what makes it the same delivery, within its connection and source; each provider's webhooks.py says
    what.
    """

    connection: str
    source: Source
    delivery_key: str
    topic: str
    body: bytes
    format: Format
    headers: Mapping[str, str]
    occurred_at: datetime | None
    received_at: datetime
    lane: Lane = "critical"
    replay_of: int | None = None
    correlation: str | None = None


@dataclass(frozen=True)
class Stored:
    """id: its row. duplicate: the row was there already."""

    id: int
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Claimed(Delivery):
    """A delivery held under a lease. epoch: the fencing token. attempts: claims so far, this one counted."""

    id: int
    epoch: int
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """What became of a claimed delivery. `received` gives it back; waits_for: the link a parked one waits for."""

    id: int
    epoch: int
    state: Literal["applied", "superseded", "parked", "dead", "received"]
    reason: str | None = None
    order_id: str | None = None
    waits_for: str | None = None


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as it is listed: everything but its sealed content."""

    id: int
    connection: str
    source: Source
    delivery_key: str
    topic: str
    format: Format
    lane: Lane
    state: State
    reason: str | None
    order_id: str | None
    waits_for: str | None
    attempts: int
    repeats: int
    replay_of: int | None
    correlation: str | None
    occurred_at: datetime | None
    received_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class DeliveryContent:
    """A delivery with its content; body is None once the key that sealed it is erased."""

    row: DeliveryRow
    body: bytes | None
    headers: Mapping[str, str]


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
    free = or_(table.c.state == "received", and_(table.c.state == "claimed", table.c.lease_until <= now))
    due = select(table.c.id).where(free).order_by(table.c.lane, table.c.id).limit(limit)
    if prefix is not None:
        due = due.where(or_(*(table.c.connection.startswith(one, autoescape=True) for one in prefix)))
    chosen = due.with_for_update(skip_locked=True).cte("due")
    taken = (
        update(table)
        .where(table.c.id.in_(select(chosen.c.id)))
        .values(
            state="claimed",
            epoch=table.c.epoch + 1,
            attempts=table.c.attempts + 1,
            claimed_by=worker,
            lease_until=now + timedelta(seconds=lease_s),
        )
        .returning(*table.c)
    )
    rows = sorted(conn.execute(taken).all(), key=lambda row: (row.lane, row.id))
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


def get(conn: Connection, keys: KeyRing, id: int) -> DeliveryContent:
    """One delivery with its content. Raises LookupError when there is none."""
    row = conn.execute(select(table).where(table.c.id == id)).one_or_none()
    if row is None:
        raise LookupError(f"there is no delivery {id}")
    opened = keys.open(row.sealed, row=_row_name(row))
    listed = _listed(row)
    if opened is None:
        return DeliveryContent(row=listed, body=None, headers={})
    headers, body = _unpack(opened)
    return DeliveryContent(row=listed, body=body, headers=headers)


_LISTED = [column for column in table.c if column.name in DeliveryRow.__dataclass_fields__]


def _identity(delivery: Delivery) -> tuple[str, str, str]:
    return delivery.connection, delivery.source, delivery.delivery_key


def _row_name(row: AnyRow) -> str:
    return f"inbox/{row.connection}/{row.source}/{row.delivery_key}"


def _new_row(keys: KeyRing, delivery: Delivery) -> dict[str, Any]:
    return {
        "connection": delivery.connection,
        "source": delivery.source,
        "delivery_key": delivery.delivery_key,
        "topic": delivery.topic,
        "format": delivery.format,
        "lane": LANES.index(delivery.lane),
        "sealed": keys.seal(_pack(delivery), row="/".join(("inbox", *_identity(delivery)))),
        "occurred_at": delivery.occurred_at,
        "received_at": delivery.received_at,
        "state": "received",
        "replay_of": delivery.replay_of,
        "correlation": delivery.correlation,
    }


def _pack(delivery: Delivery) -> bytes:
    """Headers as one line of JSON, then the body as it came."""
    return json.dumps(dict(delivery.headers)).encode() + b"\n" + delivery.body


def _unpack(content: bytes) -> tuple[dict[str, str], bytes]:
    headers, _, body = content.partition(b"\n")
    return json.loads(headers), body


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


def _claimed(row: AnyRow, content: bytes) -> Claimed:
    headers, body = _unpack(content)
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


def _known_links(conn: Connection, links: Collection[str]) -> set[str]:
    if not links:
        return set()
    return set(conn.execute(select(order_link.c.link).where(order_link.c.link.in_(sorted(links)))).scalars())


def _release(conn: Connection, waiting: Any) -> int:
    fresh = {"state": "received", "waits_for": None, "finished_at": None}
    return conn.execute(update(table).where(table.c.state == "parked", waiting).values(fresh)).rowcount
