"""The tables of what watches over the rest: dead letters by cause, and what sweeps found that no webhook brought."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table

from tradewind.ledger.metadata import metadata
from tradewind.ledger.types import BigId, PlainText, UtcDateTime

dead_letter_group = Table(
    "dead_letter_group",
    metadata,
    Column("name", PlainText, primary_key=True),  # error.provider.place
    Column("error", PlainText, nullable=False),
    Column("provider", PlainText, nullable=False),
    Column("place", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),  # open, closed
    Column("total", Integer, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("announced_at", UtcDateTime),  # none: the alert for this opening has not gone out
    Column("example_kind", PlainText, nullable=False),  # delivery, command
    Column("example_id", PlainText, nullable=False),
    Column("example_reason", PlainText, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("group_name", PlainText, nullable=False),
    Column("delivery_id", BigInteger, unique=True),  # either this
    Column("command_key", PlainText, unique=True),  # or this
    Column("seen_at", UtcDateTime, nullable=False),
    Column("replayed_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Index(None, "group_name", "resolved_at"),
)

sweep_day = Table(
    "sweep_day",
    metadata,
    Column("connection", PlainText, primary_key=True),
    Column("day", Date, primary_key=True),  # UTC
    Column("listed", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
)
