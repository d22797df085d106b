"""The back office's documents → the domain. Times without offset are UTC; amounts are decimal strings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import BaseModel, Field

from tradewind.domain.events import Event, JournalLine, JournalRecorded
from tradewind.domain.money import Money
from tradewind.errors import SchemaMismatch
from tradewind.providers.hooks import moment
from tradewind.transport import parsed


class LineObject(BaseModel):
    sku: str
    description: str | None = None
    quantity: int
    unit_price: str


class DocumentObject(BaseModel):
    document: str = Field(min_length=1)
    kind: Literal["credit", "write_off", "adjustment", "zero_value", "service"]
    reason: str
    occurred_at: datetime
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    total: str
    lines: list[LineObject]


class DocumentPage(BaseModel):
    documents: list[dict[str, Any]]


def events(topic: str, body: bytes, *, connection: str, received_at: datetime) -> Sequence[Event]:
    """The document as a fact. Raises SchemaMismatch."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SchemaMismatch(f"{topic}: not JSON") from error
    return (journal_recorded(value, connection),)


def journal_recorded(value: Any, connection: str) -> JournalRecorded:
    """business_day: the UTC day on which it occurred. Raises SchemaMismatch."""
    document = parsed(DocumentObject, value, "document")
    occurred_at = moment(document.occurred_at.isoformat())
    if occurred_at is None:
        raise SchemaMismatch("document: occurred_at is out of range")
    return JournalRecorded(
        connection=connection,
        document=document.document,
        kind=document.kind,
        reason=document.reason,
        occurred_at=occurred_at,
        business_day=occurred_at.date(),
        total=_money(document.total, document.currency),
        lines=tuple(
            JournalLine(
                sku=line.sku, description=line.description or "", quantity=line.quantity, unit_price=line.unit_price
            )
            for line in document.lines
        ),
    )


def _money(total: str, currency: str) -> Money:
    try:
        return Money.of(Decimal(total), currency)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise SchemaMismatch(f"document: total is no amount of {currency}") from error
