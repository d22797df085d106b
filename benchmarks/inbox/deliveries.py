"""Deliveries to fill an inbox with."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import text

from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger

AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
BATCH = 500


def delivery() -> inbox.Delivery:
    """As a store's webhook: 1 KB, a random id."""
    return inbox.Delivery(
        connection="shopify:north",
        source="webhook",
        delivery_key=str(uuid.uuid4()),
        topic="orders/updated",
        body=os.urandom(1024),
        format="raw",
        headers={"x-shopify-topic": "orders/updated", "x-shopify-shop-domain": "north.example"},
        occurred_at=AT,
        received_at=datetime.now(UTC),
    )


def fill(ledger: Ledger, number: int) -> None:
    """Store so many deliveries, as a gateway does."""
    for size in _sizes(number):
        with ledger.write() as conn:
            inbox.store(conn, ledger.keys, [delivery() for _ in range(size)])


def pad(ledger: Ledger, number: int) -> None:
    """Rows that no claim takes: half are long done, half wait in the lane of a backfill, behind the orders."""
    generator = (
        f"generate_series(1, {number}) AS n"
        if ledger.dialect == "postgresql"
        else f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {number}) SELECT n FROM s)"
    )
    with ledger.write() as conn:
        conn.execute(
            text(
                "INSERT INTO inbox (connection, source, delivery_key, topic, format, lane, sealed, received_at, state) "
                "SELECT 'shopify:north', 'poll', 'order/' || n, 'poll/order', 'event', (n % 2) * 2, :sealed, :at, "
                f"CASE n % 2 WHEN 0 THEN 'applied' ELSE 'received' END FROM {generator}"
            ).bindparams(sealed=os.urandom(200), at="2026-11-01 09:00:00" if ledger.dialect == "sqlite" else AT)
        )


def settle(ledger: Ledger) -> None:
    """Let what was filled in reach its place on the disk, so that nobody pays for it later."""
    with ledger.engine.connect() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        if ledger.dialect == "postgresql":
            driver.autocommit = True
        for statement in ("ANALYZE", "CHECKPOINT" if ledger.dialect == "postgresql" else "PRAGMA wal_checkpoint"):
            driver.execute(statement).close()
        if ledger.dialect == "postgresql":
            driver.autocommit = False
    os.sync()


def _sizes(number: int) -> Iterator[int]:
    while number > 0:
        yield min(number, BATCH)
        number -= BATCH
