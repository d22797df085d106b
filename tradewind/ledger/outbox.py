"""The outbox: every command once by its key, attempted under a lease until it is done, dead or cancelled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, true, update

from tradewind.domain.commands import WRITES, Command, Lane, Refetch, command_adapter
from tradewind.errors import LeaseLost
from tradewind.ledger import deaths
from tradewind.ledger.dialect import AnyRow, db_now, insert_new, serialise
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.tables import LANES
from tradewind.ledger.tables import outbox as table

State = Literal["pending", "in_flight", "done", "dead", "cancelled"]
STATES: tuple[State, ...] = ("pending", "in_flight", "done", "dead", "cancelled")
KEY_LIMIT = 255  # Stripe's, the shortest of the providers' limits for idempotency keys
CLAIMS = "claim outbox"
"""Held by whoever gives out leases or makes them longer."""
_NEXT = {"generation": table.c.generation + 1}
_NOW = bindparam("now", type_=table.c.created_at.type)
_CLAIMABLE: dict[State, ColumnElement[bool]] = {
    "in_flight": and_(table.c.state == "in_flight", table.c.lease_until <= _NOW),
    "pending": and_(table.c.state == "pending", table.c.next_attempt_at <= _NOW),
}
_TAKE = Prepared(
    update(table)
    # Read again: on PostgreSQL a command may have been settled since it was chosen.
    .where(table.c.id.in_(bindparam("ids", expanding=True)), or_(*_CLAIMABLE.values()))
    .values(
        epoch=table.c.epoch + 1,
        attempts=table.c.attempts + 1,
        first_attempt_at=func.coalesce(table.c.first_attempt_at, _NOW),
        state="in_flight",
        claimed_by=bindparam("claimed_by"),
        lease_until=bindparam("lease_until"),
    )
    .returning(*table.c)
)
_REFETCHED = Prepared(
    select(
        table.c.resource,
        func.count().label("made"),
        func.count().filter(table.c.state == "pending").label("pending"),
    )
    .where(table.c.resource.in_(bindparam("resources", expanding=True)), table.c.verb == "refetch")
    .group_by(table.c.resource)
)


@dataclass(frozen=True)
class Due:
    """A command to be attempted now, held under a lease.

    idempotency_key: the same for every attempt of a generation. attempts: all so far, this one counted and committed
    before the call, over every generation: more than one means that an earlier attempt may have had its effect.
    fresh: nothing can have been sent under this key yet. key_age_s: since its first attempt, by the database's clock.
    age_s: since it was asked for.
    """

    key: str
    generation: int
    idempotency_key: str
    command: Command
    attempts: int
    epoch: int
    fresh: bool
    key_age_s: float
    age_s: float


@dataclass(frozen=True)
class CommandRow:
    """A command as it is listed. first_attempt_at: of its present generation. command: None if it cannot be read."""

    key: str
    generation: int
    connection: str
    verb: str
    order_id: str | None
    lane: Lane
    state: State
    reason: str | None
    detail: str | None
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    first_attempt_at: datetime | None
    finished_at: datetime | None
    command: Command | None


def add(conn: Connection, commands: Sequence[Command], now: datetime) -> list[str]:
    """Ask for commands; gives the keys that are pending because of it.

    A key that is there asks for nothing, unless it was cancelled: then the plan wants it after all, and its next
    generation is pending. A refetch gets the next ordinal of its resource, unless one is pending already.
    """
    if not commands:
        return []
    due_at = db_now(conn)
    wanted = {command.key: command for command in commands if not isinstance(command, Refetch)}
    rows = [_new_row(wanted[key], now, due_at) for key in sorted(wanted)]
    added = [row.key for row in insert_new(conn, table, rows, table.c.key)]
    added += _revive(conn, sorted(wanted.keys() - set(added)), due_at)
    return added + _add_refetches(conn, [one for one in commands if isinstance(one, Refetch)], now, due_at)


def has_due(conn: Connection, connection: str, *, writes: bool) -> bool:
    """Whether a claim may find something; one that finds commands of busy orders alone takes none."""
    now = db_now(conn)
    return any(_open(state, writes).first(conn, connection=connection, now=now) is not None for state in _CLAIMABLE)


def claim_due(conn: Connection, connection: str, *, worker: str, limit: int, lease_s: float, writes: bool) -> list[Due]:
    """Take up to `limit` commands that are due, by lane and then by their time; those whose lease ran out too.

    writes: whether commands with an effect at the provider may go; otherwise refetches alone. One command of an order,
    and one of a resource, is in flight at a time. A command that cannot be read (of a newer tradewind, say) is dead.
    """
    # On PostgreSQL two claims that do not see each other could each take a command of one order.
    serialise(conn, CLAIMS)
    now = db_now(conn)
    # One statement for each, so that both walk their index in order and stop at the limit.
    asked = {"connection": connection, "now": now, "limit": limit * 4}
    chosen = _one_each([row for state in _CLAIMABLE for row in _due(state, writes).rows(conn, **asked)], limit)
    if not chosen:
        return []
    place = {row.id: number for number, row in enumerate(chosen)}
    fresh = {row.id for row in chosen if row.first_attempt_at is None}
    until = now + timedelta(seconds=lease_s)
    taken = _TAKE.rows(conn, ids=list(place), now=now, claimed_by=worker, lease_until=until)
    ordered = sorted(taken, key=lambda row: place[row.id])
    return [due for row in ordered if (due := _readable(conn, row, row.id in fresh, now)) is not None]


def renew(conn: Connection, due: Due, *, lease_s: float) -> None:
    """Hold the command for another `lease_s` from now, right before a call that nothing but the lease keeps single.

    Raises LeaseLost, also when the lease has run out and nobody has taken the command over: another one of its order
    may be in flight by now.
    """
    # One after another with claims, or one that runs meanwhile could find the order free and not see the new lease.
    serialise(conn, CLAIMS)
    now = db_now(conn)
    _settle(conn, due, now, lease_until=now + timedelta(seconds=lease_s))


def succeed(conn: Connection, due: Due, detail: str | None = None) -> None:
    """Raises LeaseLost, as all outcomes do."""
    _settle(conn, due, state="done", reason=None, detail=detail, finished_at=db_now(conn))


def postpone(conn: Connection, due: Due, *, reason: str, delay_s: float) -> None:
    """Try again later, under the same idempotency key."""
    _settle(conn, due, state="pending", reason=reason, next_attempt_at=db_now(conn) + timedelta(seconds=delay_s))


def fail(conn: Connection, due: Due, *, reason: str, next_generation: bool, delay_s: float = 0.0) -> None:
    """It definitely failed: either its next generation is pending, under a new idempotency key, or it is dead."""
    now = db_now(conn)
    if next_generation:
        due_at = now + timedelta(seconds=delay_s)
        _settle(conn, due, reason=reason, **_next_generation(due_at))
    else:
        _settle(conn, due, state="dead", reason=reason, finished_at=now)
        command = due.command
        deaths.note(conn, [deaths.Death("command", due.key, command.connection, command.verb, reason)])


def replan(conn: Connection, due: Due, command: Command) -> None:
    """The record now asks for it with other parameters, and nothing was sent yet: they are the ones that go."""
    values = {"command": command.model_dump_json(), "next_attempt_at": db_now(conn), "first_attempt_at": None}
    _settle(conn, due, state="pending", reason="the record asks for it with other parameters", **values)


def cancel(conn: Connection, due: Due, reason: str) -> None:
    """It is no longer wanted."""
    _settle(conn, due, state="cancelled", reason=reason, finished_at=db_now(conn))


def counts(conn: Connection) -> dict[str, int]:
    """How many commands are in each state, zeros included."""
    found = conn.execute(select(table.c.state, func.count().label("rows")).group_by(table.c.state))
    return {**dict.fromkeys(STATES, 0), **{row.state: row.rows for row in found}}


def dead(conn: Connection) -> list[CommandRow]:
    """Commands that failed for good, newest first."""
    query = select(table).where(table.c.state == "dead").order_by(table.c.id.desc())
    return [_listed(row) for row in conn.execute(query)]


def retry_dead(conn: Connection, which: str | int | Iterable[str | int]) -> list[str]:
    """Make the next generation of dead commands pending, named by key or id; gives their keys.

    Raises LookupError, and changes nothing, when one of them is not dead.
    """
    wanted = {which} if isinstance(which, str | int) else set(which)
    keys, ids = [one for one in wanted if isinstance(one, str)], [one for one in wanted if isinstance(one, int)]
    named = or_(table.c.key.in_(keys), table.c.id.in_(ids))
    known = conn.execute(select(table.c.id, table.c.key).where(named, table.c.state == "dead").with_for_update()).all()
    missing = wanted - {row.key for row in known} - {row.id for row in known}
    if missing:
        raise LookupError(f"there is no dead command {', '.join(sorted(map(str, missing)))}")
    statement = update(table).where(table.c.id.in_([row.id for row in known]))
    conn.execute(statement.values(**_next_generation(db_now(conn))))
    return sorted(row.key for row in known)


def by_order(conn: Connection, order_id: str) -> list[CommandRow]:
    """Every command of an order, in the order in which they were asked for."""
    query = select(table).where(table.c.order_id == order_id).order_by(table.c.id)
    return [_listed(row) for row in conn.execute(query)]


def idempotency_key(key: str, generation: int) -> str:
    """What the provider is told: key and generation; the digest of both when that is longer than any provider takes."""
    full = f"{key}/{generation}"
    return full if len(full) <= KEY_LIMIT else hashlib.sha256(full.encode()).hexdigest()


def _new_row(command: Command, now: datetime, due_at: datetime) -> dict[str, Any]:
    return {
        "key": command.key,
        "connection": command.connection,
        "resource": f"{command.connection}/{command.subject}",
        "verb": command.verb,
        "writes": command.verb in WRITES,
        "order_id": command.order_id,
        "lane": LANES.index(command.lane),
        "command": command.model_dump_json(),
        "state": "pending",
        "next_attempt_at": due_at,
        "created_at": now,
    }


def _revive(conn: Connection, keys: Sequence[str], due_at: datetime) -> list[str]:
    if not keys:
        return []
    return [row.key for row in _REVIVE.rows(conn, keys=keys, next_attempt_at=due_at)]


def _next_generation(due_at: datetime) -> dict[str, Any]:
    """Pending again under a key of which the provider has never heard."""
    return {
        "state": "pending",
        **_NEXT,
        "next_attempt_at": due_at,
        "first_attempt_at": None,
        "finished_at": None,
    }


def _add_refetches(conn: Connection, refetches: Iterable[Refetch], now: datetime, due_at: datetime) -> list[str]:
    wanted = {f"{one.connection}/{one.subject}": one for one in refetches}
    if not wanted:
        return []
    serialise(conn, "add refetches")
    known = {row.resource: row for row in _REFETCHED.rows(conn, resources=sorted(wanted))}
    rows = []
    for resource in sorted(wanted):
        before = known.get(resource)
        if before is not None and before.pending:
            continue
        numbered = wanted[resource].model_copy(update={"ordinal": before.made if before is not None else 0})
        rows.append(_new_row(numbered, now, due_at))
    return [row.key for row in insert_new(conn, table, rows, table.c.key)]


@cache
def _open(state: State, writes: bool) -> Prepared:
    """Whether a connection has commands of a state that a claim may take."""
    query = select(table.c.id).where(table.c.connection == bindparam("connection"), _CLAIMABLE[state])
    return Prepared(query.where(true() if writes else table.c.writes.is_(False)).limit(1))


@cache
def _due(state: State, writes: bool) -> Prepared:
    """A connection's commands of a state that may be taken now, as far as nothing about them is in flight."""
    other = table.alias("other")
    busy = (
        select(other.c.id)
        .where(
            other.c.state == "in_flight",
            other.c.lease_until > _NOW,
            or_(other.c.resource == table.c.resource, other.c.order_id == table.c.order_id),
        )
        .exists()
    )
    query = select(table.c.id, table.c.resource, table.c.order_id, table.c.first_attempt_at)
    query = query.where(table.c.connection == bindparam("connection"), _CLAIMABLE[state], ~busy)
    if not writes:
        query = query.where(table.c.writes.is_(False))
    return Prepared(query.order_by(table.c.lane, table.c.next_attempt_at, table.c.id).limit(bindparam("limit")))


def _one_each(candidates: Sequence[AnyRow], limit: int) -> list[AnyRow]:
    """The first candidate of every order and resource."""
    chosen: list[AnyRow] = []
    taken: set[tuple[str, str]] = set()
    for row in candidates:
        names = {("resource", row.resource)} | ({("order", row.order_id)} if row.order_id else set())
        if len(chosen) < limit and not names & taken:
            taken |= names
            chosen.append(row)
    return chosen


def _readable(conn: Connection, row: AnyRow, fresh: bool, now: datetime) -> Due | None:
    """None for one that was made a dead letter, so that it holds up nobody."""
    try:
        return _due_of(row, fresh, now)
    except ValidationError as error:
        # Where and why, never the values.
        told = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors(include_input=False)
        )
        reason = f"SchemaMismatch: the command is not one that this tradewind knows ({told})"
    buried = {"state": "dead", "reason": reason, "finished_at": now, "lease_until": None}
    conn.execute(update(table).where(table.c.id == row.id).values(buried))
    deaths.note(conn, [deaths.Death("command", row.key, row.connection, row.verb, reason)])
    return None


def _due_of(row: AnyRow, fresh: bool, now: datetime) -> Due:
    return Due(
        key=row.key,
        generation=row.generation,
        idempotency_key=idempotency_key(row.key, row.generation),
        command=command_adapter.validate_json(row.command),
        attempts=row.attempts,
        epoch=row.epoch,
        fresh=fresh,
        key_age_s=(now - row.first_attempt_at).total_seconds(),
        age_s=(now - row.created_at).total_seconds(),
    )


def _settle(conn: Connection, due: Due, unexpired_at: datetime | None = None, /, **values: Any) -> None:
    """unexpired_at: only while the lease runs on after this; what is over can be told later too."""
    told = {"lease_until": None, **values}
    plain = {name: value for name, value in told.items() if name != "generation"}
    statement = _settling(tuple(sorted(plain)), "generation" in told, unexpired_at is not None)
    when = {} if unexpired_at is None else {"now": unexpired_at}
    if statement.count(conn, _key=due.key, _epoch=due.epoch, **plain, **when) != 1:
        raise LeaseLost(f"{due.key}: another worker has taken it over")


@cache
def _settling(names: tuple[str, ...], next_generation: bool, unexpired: bool) -> Prepared:
    """Writes these columns of a command that is held; the bound values have the columns' names."""
    held = [table.c.key == bindparam("_key"), table.c.epoch == bindparam("_epoch"), table.c.state == "in_flight"]
    if unexpired:
        held.append(table.c.lease_until > _NOW)
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return Prepared(update(table).where(*held).values(values | (_NEXT if next_generation else {})))


def _listed(row: AnyRow) -> CommandRow:
    values = {name: getattr(row, name) for name in CommandRow.__dataclass_fields__}
    try:
        command = command_adapter.validate_json(row.command)
    except ValidationError:
        command = None
    return CommandRow(**{**values, "lane": LANES[row.lane], "command": command})


_REVIVE = Prepared(
    update(table)
    .where(table.c.key.in_(bindparam("keys", expanding=True)), table.c.state == "cancelled")
    .values(
        **_NEXT, state="pending", next_attempt_at=bindparam("next_attempt_at"), first_attempt_at=None, finished_at=None
    )
    .returning(table.c.key)
)
