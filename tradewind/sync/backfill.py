"""Backfill: a span of a connection's past, into the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tradewind.domain.roles import Client
from tradewind.ledger.engine import Ledger
from tradewind.sync.listing import listing
from tradewind.sync.seam import in_thread
from tradewind.sync.sweep import store_page


@dataclass(frozen=True)
class Backfilled:
    """listed: what the provider listed. new: what the inbox had not seen from any listing."""

    connection: str
    listed: int
    new: int


async def backfill_connection(
    ledger: Ledger, connection: str, client: Client, since: datetime, until: datetime
) -> Backfilled:
    """List a span and store what is new. Orders from before the connection went live are recorded, never commanded.

    Raises the provider's errors; pages read before stay stored, and running it again repeats nothing.
    """
    listed = new = 0
    async for page in listing(client, since, until):
        listed += len(page)
        new += await in_thread(store_page, ledger, page, datetime.now(UTC))
    return Backfilled(connection, listed, new)
