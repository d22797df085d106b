"""The table of what is remembered of deliveries that are kept no longer: sixteen bytes each, and the number it had."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from tradewind.ledger.metadata import metadata
from tradewind.ledger.types import Digest

pruned_delivery = Table(
    "pruned_delivery",
    metadata,
    Column("digest", Digest, primary_key=True),  # of connection, source and delivery key
    Column("inbox_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,  # the table is its index
)
