"""The journal: documents of the back office that are no orders, each recorded once."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import Connection, select

from tradewind.domain.events import JournalLine, JournalRecorded
from tradewind.domain.money import Money
from tradewind.ledger.dialect import AnyRow, db_now, insert_new
from tradewind.ledger.tables import journal as table


def add(conn: Connection, document: JournalRecorded) -> bool:
    """Record the document; False when it is recorded already."""
    row = {
        "connection": document.connection,
        "document": document.document,
        "kind": document.kind,
        "reason": document.reason,
        "occurred_at": document.occurred_at,
        "business_day": document.business_day,
        "currency": document.total.currency,
        "total": document.total.minor,
        "lines": json.dumps([line.model_dump() for line in document.lines]),
        "recorded_at": db_now(conn),
    }
    return bool(insert_new(conn, table, [row], table.c.document))


def of_day(conn: Connection, day: date) -> list[JournalRecorded]:
    """Every document of a business day."""
    query = select(table).where(table.c.business_day == day).order_by(table.c.occurred_at, table.c.document)
    return [_document(row) for row in conn.execute(query)]


def _document(row: AnyRow) -> JournalRecorded:
    return JournalRecorded(
        connection=row.connection,
        document=row.document,
        kind=row.kind,
        reason=row.reason,
        occurred_at=row.occurred_at,
        business_day=row.business_day,
        total=Money(minor=row.total, currency=row.currency),
        lines=tuple(JournalLine(**line) for line in json.loads(row.lines)),
    )
