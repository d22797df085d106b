"""Dead letters by cause: one group for each error class, provider and place, whatever the number of its members.

A group opens when its first member dies, closes when all its members have succeeded, and opens again when the same
cause comes again. Members are noted in the transaction in which they die (`deaths.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, and_, exists, func, or_, select, update

from tradewind.ledger import deaths, inbox, outbox
from tradewind.ledger.deaths import Death, Kind
from tradewind.ledger.dialect import AnyRow, db_now, serialise
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import inbox as deliveries
from tradewind.ledger.tables import outbox as commands
from tradewind.ledger.watch_tables import dead_letter as letters
from tradewind.ledger.watch_tables import dead_letter_group as table

REPLAY_LIMIT = 500
"""Members that one transaction tries again: a writer of SQLite lets no other in meanwhile."""


@dataclass(frozen=True)
class Group:
    """A cause of dead letters. count: members that have not succeeded yet; replaying: those of them being tried again.

    name: `error.provider.place`, e.g. `SchemaMismatch.shopify.decode`. total: every death there ever was.
    example_kind, example_id: the latest member, `delivery` with its number or `command` with its key. example_reason:
    why it died, personal data masked. announced_at: when the alert for this opening went out.
    """

    name: str
    error: str
    provider: str
    place: str
    state: Literal["open", "closed"]
    count: int
    replaying: int
    total: int
    first_seen_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    announced_at: datetime | None
    example_kind: Kind
    example_id: str
    example_reason: str


def groups(conn: Connection, *, closed: bool = False) -> list[Group]:
    """The open groups, the latest first; with `closed`, those that have closed after them."""
    query = _listed().order_by(table.c.state.desc(), table.c.last_seen_at.desc(), table.c.name)
    if not closed:
        query = query.where(table.c.state == "open")
    return [_group(row) for row in conn.execute(query)]


def group(conn: Connection, name: str) -> Group:
    """One group, open or closed. Raises LookupError when there is none of this name."""
    row = conn.execute(_listed().where(table.c.name == name)).one_or_none()
    if row is None:
        raise LookupError(f"there is no group of dead letters {name}")
    return _group(row)


def replay_group(conn: Connection, keys: KeyRing, name: str, *, limit: int = REPLAY_LIMIT) -> int:
    """Try members again that nobody has tried since they died, oldest first; gives how many, at most `limit`.

    A delivery whose content was erased cannot be taken in again and leaves the group. Raises LookupError when there is
    no group of this name.
    """
    group(conn, name)
    waiting = select(letters.c.id, letters.c.delivery_id, letters.c.command_key).where(
        letters.c.group_name == name, letters.c.resolved_at.is_(None), letters.c.replayed_at.is_(None)
    )
    members = conn.execute(waiting.order_by(letters.c.id).limit(limit)).all()
    return sum(_replay(conn, keys, row) for row in members)


def settle(conn: Connection) -> None:
    """Take note of what has succeeded by now, and close the groups in which nothing is left."""
    serialise(conn, deaths.LOCK)
    now = db_now(conn)
    open_letter = letters.c.resolved_at.is_(None)
    for done in (_succeeded_deliveries(), _settled_commands()):
        conn.execute(update(letters).where(open_letter, letters.c.id.in_(done)).values(resolved_at=now))
    left = exists().where(letters.c.group_name == table.c.name, open_letter)
    conn.execute(update(table).where(table.c.state == "open", ~left).values(state="closed", closed_at=now))


def adopt(conn: Connection) -> int:
    """Note what is dead and in no group: of a ledger from before there were groups. Gives how many."""
    known = exists().where(letters.c.delivery_id == deliveries.c.id)
    query = select(deliveries.c.id, deliveries.c.connection, deliveries.c.reason, deliveries.c.replay_of)
    replayed = exists().where(_repeat.c.replay_of == deliveries.c.id)
    dead = query.where(deliveries.c.state == "dead", deliveries.c.reason.contains(": "), ~known, ~replayed)
    found = [
        Death("delivery", str(row.id), row.connection, "apply", row.reason, row.replay_of) for row in conn.execute(dead)
    ]
    known = exists().where(letters.c.command_key == commands.c.key)
    query = select(commands.c.key, commands.c.connection, commands.c.verb, commands.c.reason)
    for row in conn.execute(query.where(commands.c.state == "dead", ~known)):
        found.append(Death("command", row.key, row.connection, row.verb, row.reason or ""))
    deaths.note(conn, found)
    return len(found)


def unannounced(conn: Connection) -> list[Group]:
    """Open groups whose alert has not gone out, oldest first."""
    query = _listed().where(table.c.state == "open", table.c.announced_at.is_(None))
    return [_group(row) for row in conn.execute(query.order_by(table.c.opened_at, table.c.name))]


def announced(conn: Connection, told: Sequence[Group]) -> None:
    """Their alert has gone out. One that has opened anew meanwhile is still to be told."""
    now = db_now(conn)
    for one in told:
        same = and_(table.c.name == one.name, table.c.opened_at == one.opened_at)
        conn.execute(update(table).where(same).values(announced_at=now))


_repeat = deliveries.alias("repeat")


def _replay(conn: Connection, keys: KeyRing, row: AnyRow) -> int:
    try:
        if row.command_key is None:
            inbox.replay(conn, keys, row.delivery_id)
        else:
            outbox.retry_dead(conn, row.command_key)
            deaths.replayed(conn, "command", row.command_key)
    except LookupError:
        _leave(conn, row)
        return 0
    return 1


def _leave(conn: Connection, row: AnyRow) -> None:
    """An erased delivery can never be taken in; a command that is not dead any more is being tried already."""
    now = db_now(conn)
    values = {"resolved_at": now} if row.command_key is None else {"replayed_at": now}
    conn.execute(update(letters).where(letters.c.id == row.id).values(values))


def _succeeded_deliveries() -> Select[int]:
    """Letters of which a replay was taken, or one of the delivery that they repeat themselves."""
    taken = and_(_repeat.c.replay_of.is_not(None), _repeat.c.state.in_(("applied", "superseded", "parked")))
    repeats = select(_repeat.c.replay_of).where(taken)
    mine = select(letters.c.id).join(deliveries, deliveries.c.id == letters.c.delivery_id)
    return mine.where(
        letters.c.resolved_at.is_(None), or_(deliveries.c.id.in_(repeats), deliveries.c.replay_of.in_(repeats))
    )


def _settled_commands() -> Select[int]:
    settled = commands.c.state.in_(("done", "cancelled"))
    mine = select(letters.c.id).join(commands, commands.c.key == letters.c.command_key)
    return mine.where(letters.c.resolved_at.is_(None), settled)


def _listed() -> Select[Any]:
    members, replaying = func.count().label("members"), func.count(letters.c.replayed_at).label("replaying")
    left = select(letters.c.group_name, members, replaying).where(letters.c.resolved_at.is_(None))
    numbers = left.group_by(letters.c.group_name).subquery()
    counted = (func.coalesce(numbers.c[name], 0).label(name) for name in ("members", "replaying"))
    return select(*table.c, *counted).outerjoin(numbers, numbers.c.group_name == table.c.name)


def _group(row: AnyRow) -> Group:
    values = {name: getattr(row, name) for name in Group.__dataclass_fields__ if name != "count"}
    return Group(**values, count=row.members)
