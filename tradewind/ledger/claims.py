"""Claims: a delivery is held under a lease with an epoch, and finished by whoever holds it.

What stands open is looked for from a position, so that a claim takes as long after a million rows as before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from tradewind.errors import LeaseLost, SealBroken
from tradewind.ledger import claim_statements, deaths
from tradewind.ledger.delivery import Claimed, Outcome, unpack
from tradewind.ledger.identity import CHUNK, name_of
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.tables import LANES, order_link
from tradewind.ledger.tables import inbox as table
from tradewind.ledger.types import plain
from tradewind.ledger.unsealing import open_each

FULL_LOOK_EVERY = 20
"""Claims. What a quick look passes over waits for no more than these; so do leases that have run out."""


class Held(NamedTuple):
    """A delivery under a lease, its content still sealed: what the database gives, as it gives it."""

    id: int
    epoch: int
    attempts: int
    lane: int
    connection: str
    source: str
    delivery_key: str
    topic: str
    format: str
    sealed: bytes
    occurred_at: datetime | str | None
    received_at: datetime | str
    replay_of: int | None
    correlation: str | None


@dataclass
class Position:
    """How far a worker has come. A quick look starts there, a full one at the first delivery.

    While another transaction is open for long, PostgreSQL cannot clear away what was claimed since it began: a look
    from the start would walk over all of it again, and each claim would take longer than the one before.
    """

    after: int = 0
    highest: int = 0
    quick_looks: int = FULL_LOOK_EVERY

    def reset(self) -> None:
        """Deliveries that have been passed are received again: look from the start."""
        self.quick_looks = FULL_LOOK_EVERY


def take(
    conn: Connection,
    *,
    worker: str,
    limit: int,
    lease_s: float,
    prefix: Sequence[str] | None = None,
    position: Position | None = None,
) -> list[Held]:
    """Take up to `limit` deliveries, by lane and then oldest first: received ones, and those whose lease ran out.

    prefix: only of connections that begin so. position: for a worker that claims again and again; it gives nothing only
    when nothing waits, and may give younger deliveries first for a moment.
    """
    lease = {"worker": worker, "lease_s": lease_s}
    if position is not None and position.quick_looks < FULL_LOOK_EVERY:
        position.quick_looks += 1
        rows = _take(conn, "received", position.after, prefix, limit, lease)
        if rows:
            position.highest = max(position.highest, *(row.id for row in rows))
            return rows
    # One statement for each, so that both walk their index in order and stop at the limit.
    expired = _take(conn, "claimed", 0, prefix, limit, lease)
    rows = _take(conn, "received", 0, prefix, limit - len(expired), lease)
    if position is not None:
        position.quick_looks = 0
        position.highest = max((position.highest, *(row.id for row in rows)))
        position.after = min((row.id for row in rows), default=position.highest + 1) - 1
    return sorted(expired + rows, key=lambda row: (row.lane, row.id))


def opened(keys: KeyRing, held: Sequence[Held]) -> tuple[list[Claimed], list[Outcome]]:
    """What is held with its content, and of those that cannot be opened that they are dead: as dead letters, unless
    their key was erased on purpose.

    It needs no database but the key store: whoever holds no transaction meanwhile keeps no other writer waiting.
    """
    names = [name_of((one.connection, one.source, one.delivery_key)) for one in held]
    contents = open_each(keys, [(one.sealed, name) for one, name in zip(held, names, strict=True)])
    claimed, dead = [], []
    for one, content in zip(held, contents, strict=True):
        if content is None:
            dead.append(Outcome(one.id, one.epoch, "dead", "its key was erased"))
        elif isinstance(content, SealBroken):
            dead.append(Outcome(one.id, one.epoch, "dead", f"SealBroken: {content}", place="open"))
        else:
            claimed.append(_claimed(one, content))
    return claimed, dead


def claim(
    conn: Connection,
    keys: KeyRing,
    *,
    worker: str,
    limit: int,
    lease_s: float,
    prefix: Sequence[str] | None = None,
) -> list[Claimed]:
    """Take and open at once, within one transaction. A delivery that cannot be opened becomes dead and is left out."""
    claimed, dead = opened(keys, take(conn, worker=worker, limit=limit, lease_s=lease_s, prefix=prefix))
    finish(conn, dead)
    return claimed


def finish(conn: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write what became of claimed deliveries. Raises LeaseLost, and nothing may be committed, if one was taken over.

    A delivery parked for a link that is known by now is received again at once.
    """
    if not outcomes:
        return
    known = _known_links(conn, {one.waits_for for one in outcomes if one.state == "parked" and one.waits_for})
    written = claim_statements.finish(conn, [_told(one, known) for one in outcomes])
    if written != len(outcomes):
        raise LeaseLost(f"{len(outcomes) - written} of {len(outcomes)} deliveries were taken over by another worker")
    _note_dead(conn, {one.id: one for one in outcomes if one.state == "dead" and one.place is not None})


def release_parked(conn: Connection, links: Collection[str]) -> int:
    """Receive again what was parked for these links; gives how many."""
    released = 0
    ordered = sorted(links)
    for start in range(0, len(ordered), CHUNK):
        released += _RELEASE.count(conn, links=ordered[start : start + CHUNK])
    return released


def release_stranded(conn: Connection) -> int:
    """Receive again what is parked for a link that an order has by now; gives how many.

    Two workers may park and link at the same moment without seeing each other: whoever sweeps calls this.
    """
    return _RELEASE_STRANDED.count(conn)


def _take(
    conn: Connection, state: str, after: int, prefix: Sequence[str] | None, limit: int, lease: Mapping[str, Any]
) -> list[Held]:
    if limit <= 0:
        return []
    told = {"after": after, "limit": limit, **lease, **{f"prefix_{n}": one for n, one in enumerate(prefix or ())}}
    prefixes = None if prefix is None else len(prefix)
    return [Held._make(row) for row in claim_statements.take(conn, state, Held._fields, prefixes, told)]


def _claimed(one: Held, content: bytes) -> Claimed:
    headers, body = unpack(content)
    return Claimed(
        connection=one.connection,
        source=one.source,  # type: ignore[arg-type]
        delivery_key=one.delivery_key,
        topic=one.topic,
        body=body,
        format=one.format,  # type: ignore[arg-type]
        headers=headers,
        occurred_at=None if one.occurred_at is None else _utc(one.occurred_at),
        received_at=_utc(one.received_at),
        lane=LANES[one.lane],
        replay_of=one.replay_of,
        correlation=one.correlation,
        id=one.id,
        epoch=one.epoch,
        attempts=one.attempts,
    )


def _utc(at: datetime | str) -> datetime:
    """SQLite holds times as text without a zone."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at.astimezone(UTC)


def _told(outcome: Outcome, known: Collection[str]) -> dict[str, object]:
    state = "received" if outcome.state == "parked" and outcome.waits_for in known else outcome.state
    waits_for = outcome.waits_for if state == "parked" else None
    texts = {"reason": outcome.reason, "order_id": outcome.order_id, "waits_for": waits_for}
    told = {name: None if value is None else plain(value) for name, value in texts.items()}
    return {"id": outcome.id, "epoch": outcome.epoch, "state": state, **told}


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


def _releasing(waiting: ColumnElement[bool]) -> Prepared:
    fresh = {"state": "received", "waits_for": None, "finished_at": None}
    return Prepared(update(table).where(table.c.state == "parked", waiting).values(fresh))


_RELEASE = _releasing(table.c.waits_for.in_(bindparam("links", expanding=True)))
_RELEASE_STRANDED = _releasing(table.c.waits_for.in_(select(order_link.c.link)))
