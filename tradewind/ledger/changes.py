"""What each delivery changed: the order's state, its fields, and the commands that followed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Select, select

from tradewind.domain.commands import Command, Refetch
from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.domain.order import Order
from tradewind.domain.states import state_of
from tradewind.ledger.dialect import AnyRow, insert_rows
from tradewind.ledger.orders import PERSONAL
from tradewind.ledger.page_tables import order_change as table

MOST_FIELDS = 60
LONGEST = 120
# How we compare, and times that move with every change.
_BOOKKEEPING = frozenset(("versions", "facts", "fingerprint", "updated_at"))
# What tells most of a part that is new or gone, in the order in which it is read.
_TELLING = ("name", "kind", "state", "status", "amount", "total", "captured", "refunded", "tracking_number", "title")


@dataclass(frozen=True)
class FieldChange:
    """path: as the record has it, parts of a list by their id, e.g. `payments[pi_1].state`. None: not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """What one delivery did to one order, or asked for. state_before: None for an order that it began."""

    delivery_id: int
    order_id: str | None
    state_before: str | None
    state_after: str | None
    fields: tuple[FieldChange, ...]
    commands: tuple[str, ...]
    changed_at: datetime

    @property
    def began(self) -> bool:
        """Whether the order is recorded since this change."""
        return self.state_before is None and self.state_after is not None


@dataclass(frozen=True)
class Touch:
    """A delivery as it was taken: records before and after, and what is to be read again because of it."""

    delivery_id: int
    orders: tuple[tuple[Order | None, Order], ...] = ()
    asked: tuple[Refetch, ...] = ()


def record(
    conn: Connection, touches: Sequence[Touch], commands: Iterable[Command], added: Collection[str], now: datetime
) -> None:
    """Write what a batch changed. commands: planned after it; added: the keys that the outbox took of all of them.

    A plan follows from how an order stands when the batch has been taken, so its commands are put to the delivery that
    touched the order last.
    """
    wanted = _by_order(commands, added)
    rows = []
    for touch in reversed(touches):
        rows += [
            _row(touch.delivery_id, before, after, wanted.pop(after.id, []), now) for before, after in touch.orders
        ]
        rows += [_asked_row(touch.delivery_id, one, added, now) for one in touch.asked]
    told = [row for row in reversed(rows) if row["fields"] != "[]" or row["commands"] != "[]"]
    if told:
        insert_rows(conn, table, told)


def of_delivery(conn: Connection, delivery_id: int) -> list[Change]:
    """What the delivery changed, in order."""
    return _list(conn, select(table).where(table.c.delivery_id == delivery_id))


def of_order(conn: Connection, order_id: str, *, limit: int) -> list[Change]:
    """The newest changes of the order, oldest first."""
    newest = select(table).where(table.c.order_id == order_id).order_by(table.c.id.desc()).limit(limit)
    return sorted(_list(conn, newest), key=lambda change: change.changed_at)


def differences(before: Order | None, after: Order) -> list[FieldChange]:
    """The fields that differ, `MOST_FIELDS` at most. Of personal data only that it differs, never what it says."""
    found: list[FieldChange] = []
    for change in _compared("", before, after):
        if len(found) == MOST_FIELDS:
            break
        found.append(change)
    return found


def _by_order(commands: Iterable[Command], added: Collection[str]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for command in commands:
        if command.order_id is not None and command.key in added and not isinstance(command, Refetch):
            wanted.setdefault(command.order_id, []).append(command.key)
    return wanted


def _row(
    delivery_id: int, before: Order | None, after: Order, commands: Sequence[str], now: datetime
) -> dict[str, Any]:
    fields = [[change.path, change.before, change.after] for change in differences(before, after)]
    return {
        "delivery_id": delivery_id,
        "order_id": after.id,
        "state_before": state_of(before).value if before is not None else None,
        "state_after": state_of(after).value,
        "fields": json.dumps(fields),
        "commands": json.dumps(list(commands)),
        "changed_at": now,
    }


def _asked_row(delivery_id: int, asked: Refetch, added: Collection[str], now: datetime) -> dict[str, Any]:
    # The outbox numbers refetches itself.
    prefix = f"{asked.connection}/{asked.subject}/{asked.verb}/"
    keys = [key for key in added if key.startswith(prefix)]
    return {
        "delivery_id": delivery_id,
        "order_id": asked.order_id,
        "state_before": None,
        "state_after": None,
        "fields": "[]",
        "commands": json.dumps(keys),
        "changed_at": now,
    }


def _list(conn: Connection, query: Select[Any]) -> list[Change]:
    return [_listed(row) for row in conn.execute(query)]


def _listed(row: AnyRow) -> Change:
    return Change(
        delivery_id=row.delivery_id,
        order_id=row.order_id,
        state_before=row.state_before,
        state_after=row.state_after,
        fields=tuple(FieldChange(*each) for each in json.loads(row.fields)),
        commands=tuple(json.loads(row.commands)),
        changed_at=row.changed_at,
    )


def _compared(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """Walks down to the values: comparing whole parts of models first would cost more than it saves."""
    if before is after:
        return
    if type(before) is type(after) and isinstance(after, Model) and not isinstance(after, Money):
        yield from _models(path, before, after)
    elif before is None and isinstance(after, Order):
        yield from _models(path, Order(id=after.id, connection=after.connection, external_id=after.external_id), after)
    elif _is_listing(before) and _is_listing(after):
        yield from _listings(path, before, after)
    elif before != after:
        yield FieldChange(path, _shown(before), _shown(after))


def _models(path: str, before: Model, after: Model) -> Iterator[FieldChange]:
    was = before.__dict__
    for name, other in after.__dict__.items():
        one = was.get(name)
        if one is other or name in _BOOKKEEPING:
            continue
        inner = name if not path or path == "placed" else f"{path}.{name}"
        if name in PERSONAL:
            if one != other:
                yield FieldChange(inner, None if one is None else "known", "changed" if one else "known")
        else:
            yield from _compared(inner, one, other)


def _listings(path: str, before: tuple[Model, ...], after: tuple[Model, ...]) -> Iterator[FieldChange]:
    was, now = ({part.external_id: part for part in parts} for parts in (before, after))  # type: ignore[attr-defined]
    for name in dict.fromkeys((*was, *now)):
        yield from _compared(f"{path}[{name}]", was.get(name), now.get(name))


def _is_listing(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, Model) and hasattr(part, "external_id") for part in value)


def _shown(value: Any) -> str | None:
    """A value in a few words; a part by what tells most of it."""
    if value is None:
        return None
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Model):
        told = (getattr(value, name, None) for name in _TELLING)
        return ", ".join(_shown(each) or "" for each in told if each is not None)[:LONGEST] or "there"
    if isinstance(value, tuple):
        return ", ".join(_shown(each) or "none" for each in value)[:LONGEST] or "none"
    return str(value)[:LONGEST]
