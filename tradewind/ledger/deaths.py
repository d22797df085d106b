"""What dies is noted under its cause, in the transaction in which it dies; a cause that is new, or new again, opens.

A cause is the error's class, the provider and the place where it happened. `dead_letters.py` reads what is noted here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, case, update

from tradewind.ledger.dialect import db_now, insert, serialise
from tradewind.ledger.watch_tables import dead_letter as letters
from tradewind.ledger.watch_tables import dead_letter_group as groups

Kind = Literal["delivery", "command"]

LOCK = "dead letters"
"""Held by whoever opens or closes groups: one must not close what another is adding to."""

_CLASS = re.compile(r"([A-Za-z_]\w*): ")
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_PHONE = re.compile(r"\+\d[\d ()./-]{6,}\d")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”")
_NAME = re.compile(r"[\w.:/\[\]-]+")
MASK = "•••"
LONGEST_REASON = 500


@dataclass(frozen=True)
class Death:
    """kind and id: the delivery's number or the command's key. place: decode, reduce, commit, or the command's verb.

    replay_of: the delivery that a dead replay repeats.
    """

    kind: Kind
    id: str
    connection: str
    place: str
    reason: str
    replay_of: int | None = None

    @property
    def error(self) -> str:
        """The class of the error, with which every reason begins."""
        found = _CLASS.match(self.reason)
        return found[1] if found else "Unnamed"

    @property
    def provider(self) -> str:
        return self.connection.partition(":")[0]

    @property
    def group(self) -> str:
        """The cause as one word, e.g. `SchemaMismatch.shopify.decode`."""
        return f"{self.error}.{self.provider}.{self.place}"


def note(conn: Connection, deaths: Sequence[Death]) -> None:
    """Add them to their groups, and open those that are new or were closed."""
    if not deaths:
        return
    serialise(conn, LOCK)
    now = db_now(conn)
    for death in deaths:
        _put(conn, death, now)
    for name in sorted({death.group for death in deaths}):
        own = [death for death in deaths if death.group == name]
        _open(conn, own[-1], len(own), now)
    _stand_in(conn, [death.replay_of for death in deaths if death.replay_of is not None], now)


def replayed(conn: Connection, kind: Kind, id: str) -> None:
    """It is being tried again: it waits for nobody now."""
    conn.execute(update(letters).where(letter(kind, id)).values(replayed_at=db_now(conn)))


def letter(kind: Kind, id: str) -> ColumnElement[bool]:
    """The condition that chooses one letter."""
    return letters.c.delivery_id == int(id) if kind == "delivery" else letters.c.command_key == id


def masked(reason: str) -> str:
    """The reason without what may be personal: addresses, numbers, and quoted text that is no identifier."""
    text = _QUOTED.sub(lambda found: found[0] if _NAME.fullmatch(found[0][1:-1]) else MASK, reason)
    text = _PHONE.sub(MASK, _EMAIL.sub(MASK, text))
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def _put(conn: Connection, death: Death, now: datetime) -> None:
    """A command that dies again is the letter that it was, under the cause that it has now."""
    column = letters.c.delivery_id if death.kind == "delivery" else letters.c.command_key
    identity = int(death.id) if death.kind == "delivery" else death.id
    fresh = {"group_name": death.group, "seen_at": now, "replayed_at": None, "resolved_at": None}
    statement = insert(conn, letters).values({column.name: identity, **fresh})
    conn.execute(statement.on_conflict_do_update(index_elements=[column], set_=fresh))


def _open(conn: Connection, example: Death, number: int, now: datetime) -> None:
    """One that is open already stays as it is, announced or not."""
    latest = {
        "last_seen_at": now,
        "example_kind": example.kind,
        "example_id": example.id,
        "example_reason": masked(example.reason),
    }
    names = {"name": example.group, "error": example.error, "provider": example.provider, "place": example.place}
    first = {"state": "open", "total": number, "first_seen_at": now, "opened_at": now}
    was_open = groups.c.state == "open"
    again = {
        "state": "open",
        "total": groups.c.total + number,
        "opened_at": case((was_open, groups.c.opened_at), else_=now),
        "announced_at": case((was_open, groups.c.announced_at), else_=None),
        "closed_at": None,
    }
    statement = insert(conn, groups).values({**names, **first, **latest})
    conn.execute(statement.on_conflict_do_update(index_elements=[groups.c.name], set_={**latest, **again}))


def _stand_in(conn: Connection, repeated: Sequence[int], now: datetime) -> None:
    """A dead replay stands for the delivery that it repeats: one letter, however often it is tried."""
    if repeated:
        statement = update(letters).where(letters.c.delivery_id.in_(repeated), letters.c.resolved_at.is_(None))
        conn.execute(statement.values(resolved_at=now))
