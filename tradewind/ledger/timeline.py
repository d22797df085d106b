"""The timeline of one order: what arrived, what it changed, what was asked for, and where it hangs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from tradewind.domain.commands import WRITES
from tradewind.ledger import changes, orders, outbox
from tradewind.ledger.changes import Change
from tradewind.ledger.delivery import DeliveryRow
from tradewind.ledger.orders import OrderRow
from tradewind.ledger.outbox import CommandRow
from tradewind.ledger.search import Wanted, find
from tradewind.ledger.tables import connection as connections
from tradewind.ledger.tables import fulfillment, label, payment, refund
from tradewind.ledger.tables import orders as table

MOST = 500
"""Deliveries, and changes, of one order that are shown: the newest."""

Kind = Literal["order", "payment", "charge", "refund", "label", "fulfillment"]


@dataclass(frozen=True)
class Part:
    """Something of the order that a provider keeps under an id. note: its state or amount in a word or two."""

    kind: Kind
    connection: str
    external_id: str
    note: str


@dataclass(frozen=True)
class Hang:
    """Why something of the order does not go on. until_at: when it is tried again by itself, None: never by itself."""

    what: str
    why: str
    until_at: datetime | None = None
    delivery_id: int | None = None


@dataclass(frozen=True)
class Entry:
    """One moment. Exactly one of delivery, change, command is there."""

    at: datetime
    delivery: DeliveryRow | None = None
    change: Change | None = None
    command: CommandRow | None = None


@dataclass(frozen=True)
class Timeline:
    """entries: oldest first. cut: there is more than is shown. pruned: how it began is kept no longer."""

    order: OrderRow
    on_hold: bool
    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]
    hangs: tuple[Hang, ...]
    cut: bool
    pruned: bool


@dataclass(frozen=True)
class _Paused:
    state: str
    reason: str | None


def timeline(conn: Connection, order_id: str) -> Timeline:
    """Everything of the order. Raises LookupError when there is none of this id."""
    order, on_hold = _order(conn, order_id)
    found = find(conn, Wanted(order=order_id), limit=MOST)
    changed = changes.of_order(conn, order_id, limit=MOST)
    commands = outbox.by_order(conn, order_id)
    entries = [
        *(Entry(one.received_at, delivery=one) for one in found.rows),
        *(Entry(one.changed_at, change=one) for one in changed),
        *(Entry(one.created_at, command=one) for one in commands),
    ]
    entries.sort(key=lambda entry: (entry.at, entry.delivery is None, entry.change is None))
    hangs = [*_order_hangs(order, on_hold), *_delivery_hangs(found.rows), *_command_hangs(commands, _held(conn))]
    cut = found.next_before is not None or len(changed) == MOST
    return Timeline(
        order=order,
        on_hold=on_hold,
        entries=tuple(entries),
        parts=_parts(conn, order),
        hangs=tuple(hangs),
        cut=cut,
        pruned=not cut and not any(one.began for one in changed),
    )


def find_orders(conn: Connection, asked: str, *, limit: int = 50) -> list[OrderRow]:
    """Orders of this name, with or without its `#`, or the one of this id: each store may have one."""
    asked = asked.strip()
    named = orders.by_name(conn, asked) or orders.by_name(conn, f"#{asked}")
    if named:
        return named[:limit]
    query = select(*_LISTED).where(table.c.id == asked)
    return [OrderRow(**row) for row in conn.execute(query).mappings()]


def newest_orders(conn: Connection, *, limit: int) -> list[OrderRow]:
    """The orders placed last, latest first."""
    placed = select(*_LISTED).where(table.c.placed_at.is_not(None)).order_by(table.c.placed_at.desc()).limit(limit)
    return [OrderRow(**row) for row in conn.execute(placed).mappings()]


def _order(conn: Connection, order_id: str) -> tuple[OrderRow, bool]:
    row = conn.execute(select(*_LISTED, table.c.on_hold).where(table.c.id == order_id)).mappings().one_or_none()
    if row is None:
        raise LookupError(f"there is no order {order_id}")
    values = {name: value for name, value in row.items() if name != "on_hold"}
    return OrderRow(**values), bool(row["on_hold"])


def _parts(conn: Connection, order: OrderRow) -> tuple[Part, ...]:
    parts = [Part("order", order.connection, order.external_id, order.name or "")]
    for row in conn.execute(select(payment).where(payment.c.order_id == order.id)):
        # What the storefront lists as transactions is on the order's own page there.
        if row.connection == order.connection:
            continue
        parts.append(Part("payment", row.connection, row.external_id, row.state))
        if row.charge_id:
            parts.append(Part("charge", row.connection, row.charge_id, row.state))
    for row in conn.execute(select(refund).where(refund.c.order_id == order.id).order_by(refund.c.created_at)):
        parts.append(Part("refund", row.connection, row.external_id, ""))
    for row in conn.execute(select(label).where(label.c.order_id == order.id).order_by(label.c.created_at)):
        note = ", ".join(filter(None, (row.state, row.tracking_number, row.tracking_status)))
        parts.append(Part("label", row.connection, row.external_id, note))
    for row in conn.execute(select(fulfillment).where(fulfillment.c.order_id == order.id)):
        parts.append(Part("fulfillment", order.connection, row.external_id, row.status))
    return tuple(parts)


def _held(conn: Connection) -> Mapping[str, _Paused]:
    """Connections to which nothing is written now."""
    query = select(connections.c.key, connections.c.state, connections.c.paused_reason)
    rows = conn.execute(query.where(connections.c.state != "live"))
    return {row.key: _Paused(row.state.replace("_", "-"), row.paused_reason) for row in rows}


def _order_hangs(order: OrderRow, on_hold: bool) -> list[Hang]:
    hangs = []
    if order.state == "unknown":
        hangs.append(Hang("the order", "something refers to it, but its store has not described it yet"))
    if on_hold:
        hangs.append(Hang("the order", "is on hold at the store: it goes on when the hold is released there"))
    if not order.live and order.state != "unknown":
        hangs.append(Hang("the order", "is recorded only: it was placed before its connection went live"))
    return hangs


def _delivery_hangs(rows: tuple[DeliveryRow, ...]) -> list[Hang]:
    hangs = []
    repeated = {row.replay_of for row in rows}
    for row in reversed(rows):
        what = f"delivery {row.id}, {row.topic}"
        if row.state == "dead" and row.id not in repeated:
            hangs.append(Hang(what, f"is dead: {row.reason or 'no reason was kept'}", delivery_id=row.id))
        elif row.state == "parked":
            hangs.append(Hang(what, f"is parked until {row.waits_for} is known", delivery_id=row.id))
        elif row.state in ("received", "claimed"):
            hangs.append(Hang(what, "waits for the order sync", delivery_id=row.id))
    return hangs


def _command_hangs(commands: list[CommandRow], held: Mapping[str, _Paused]) -> list[Hang]:
    hangs = []
    for one in commands:
        what = f"{one.verb.replace('_', ' ')} at {one.connection}"
        paused = held.get(one.connection)
        if one.state == "dead":
            hangs.append(Hang(what, f"has failed for good: {one.reason or 'no reason was kept'}"))
        elif one.state == "pending" and paused is not None and one.verb in WRITES:
            reason = f" ({paused.reason})" if paused.reason else ""
            hangs.append(Hang(what, f"waits: the connection is {paused.state}{reason}"))
        elif one.state == "pending":
            hangs.append(Hang(what, f"waits: {one.reason or 'its turn'}", until_at=one.next_attempt_at))
        elif one.state == "in_flight":
            hangs.append(Hang(what, f"is under way, attempt {one.attempts}"))
    return hangs


_LISTED = [column for column in table.c if column.name in OrderRow.__dataclass_fields__]
