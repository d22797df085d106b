"""Discrepancies: what two sides say differently, from the run that finds it until it is settled."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from tradewind.ledger.dialect import AnyRow, db_now, serialise
from tradewind.ledger.tables import discrepancy as table

Resolution = Literal["repaired", "explained", "gone"]


@dataclass(frozen=True)
class Discrepancy:
    """kind: what differs. subject: of which order, payment or document. expected, found: what each side says.

    amount: the difference, in minor units of currency. detail: what to do; without personal data.
    """

    kind: str
    subject: str
    expected: str | None = None
    found: str | None = None
    amount: int | None = None
    currency: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class DiscrepancyRow(Discrepancy):
    """run_id: the latest run that found it."""

    id: int = 0
    run_id: str = ""
    state: str = "open"
    resolution: str | None = None
    first_found_at: datetime | None = None
    last_found_at: datetime | None = None
    resolved_at: datetime | None = None


def record(conn: Connection, run_id: str, items: Iterable[Discrepancy]) -> builtins.list[int]:
    """Store what a run found; one that is open already, by kind and subject, is found again. Gives their ids."""
    serialise(conn, "discrepancies")
    now = db_now(conn)
    known = {
        (row.kind, row.subject): row.id
        for row in conn.execute(select(table.c.id, table.c.kind, table.c.subject).where(table.c.state == "open"))
    }
    ids = []
    for item in items:
        values: dict[str, Any] = {**asdict(item), "run_id": run_id, "last_found_at": now}
        identity = (item.kind, item.subject)
        if identity in known:
            conn.execute(update(table).where(table.c.id == known[identity]).values(values))
        else:
            fresh = {**values, "state": "open", "first_found_at": now}
            known[identity] = conn.execute(table.insert().returning(table.c.id), [fresh]).scalar_one()
        ids.append(known[identity])
    return ids


def open(conn: Connection) -> builtins.list[DiscrepancyRow]:
    """What is not settled, oldest first."""
    query = select(table).where(table.c.state == "open").order_by(table.c.first_found_at, table.c.id)
    return [_row(row) for row in conn.execute(query)]


def of_run(conn: Connection, run_id: str) -> builtins.list[DiscrepancyRow]:
    """What a run found and no later run found again, settled or not."""
    return [_row(row) for row in conn.execute(select(table).where(table.c.run_id == run_id).order_by(table.c.id))]


def resolve(conn: Connection, ids: Iterable[int], how: Resolution, resolution: str) -> int:
    """Settle open ones; gives how many were open. resolution: what was done, or why it is right as it is."""
    wanted = sorted(ids)
    values = {"state": how, "resolution": resolution, "resolved_at": db_now(conn)}
    return conn.execute(update(table).where(table.c.id.in_(wanted), table.c.state == "open").values(values)).rowcount


def _row(row: AnyRow) -> DiscrepancyRow:
    return DiscrepancyRow(**row._mapping)
