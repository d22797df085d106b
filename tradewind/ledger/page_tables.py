"""The tables of what people look at: what each delivery changed, and what is captured on request."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from tradewind.ledger.metadata import metadata
from tradewind.ledger.types import BigId, PlainText, UtcDateTime

order_change = Table(
    "order_change",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("delivery_id", BigInteger, nullable=False, index=True),
    Column("order_id", PlainText, index=True),
    Column("state_before", PlainText),
    Column("state_after", PlainText),
    Column("fields", PlainText, nullable=False),  # what changed, as JSON, without personal data
    Column("commands", PlainText, nullable=False),  # keys of the commands that followed, as JSON
    Column("changed_at", UtcDateTime, nullable=False),
)

capture = Table(
    "capture",
    metadata,
    Column("path", PlainText, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False),
    Column("started_by", PlainText, nullable=False),
)

captured = Table(
    "captured",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("path", PlainText, nullable=False),
    Column("method", PlainText, nullable=False),
    Column("answered", Integer, nullable=False),  # HTTP status
    Column("size", BigInteger, nullable=False),  # bytes of the body, also those that were not kept
    Column("sealed", LargeBinary, nullable=False),  # headers and body
    Column("received_at", UtcDateTime, nullable=False),
    Index(None, "path", "id"),
    Index(None, "received_at"),
)
