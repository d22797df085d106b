"""A ledger connected to a sandbox on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.sandboxes import eventually, in_loop
from tradewind.demo.sandbox import connections_of
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.sandbox import Sandbox

LONG_S = 90.0
"""Bound on what takes a second or two on an idle machine."""


def connect(ledger: Ledger, sandbox: Sandbox) -> list[str]:
    """Every account of the sandbox, live for a minute; gives the connections' keys."""
    live_from = datetime.now(UTC) - timedelta(minutes=1)
    found = connections_of(sandbox.describe(), live_from)
    with ledger.write() as database:
        for connection in found:
            connections.put(database, ledger.keys, connection, actor="test")
    return [str(connection.key) for connection in found]


async def sell(sandbox: Sandbox, orders: int) -> None:
    """Let the shoppers place orders, and wait until the last has."""
    await asyncio.to_thread(in_loop, sandbox, lambda: sandbox.world.start(orders=orders, rate_per_s=20.0))
    await until(lambda: bool(sandbox.world.progress()["quiet"]))


async def until(condition: Callable[[], object], timeout_s: float = LONG_S) -> None:
    """Wait for a condition beside whatever else runs in this event loop."""
    await asyncio.to_thread(eventually, condition, timeout_s)
