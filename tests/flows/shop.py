"""A ledger connected to a sandbox on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.sandboxes import eventually, in_loop
from tradewind.demo.sandbox import connections_of
from tradewind.ledger import connections, inbox
from tradewind.ledger.engine import Ledger
from tradewind.sandbox import Sandbox

LONG_S = 90.0
"""Bound on what takes a second or two on an idle machine."""


def connect(ledger: Ledger, sandbox: Sandbox) -> list[str]:
    """Every account of the sandbox, live for a minute; gives the connections' keys.

    The few calls of a test need not wait for the budget of the smallest plan to fill up.
    """
    live_from = datetime.now(UTC) - timedelta(minutes=1)
    found = connections_of(sandbox.describe(), live_from)
    with ledger.write() as database:
        for connection in found:
            richer = connection.model_copy(update={"settings": connection.settings | {"plan": "enterprise"}})
            connections.put(database, ledger.keys, richer, actor="test")
    return [str(connection.key) for connection in found]


def sell(sandbox: Sandbox, orders: int) -> None:
    """Let the shoppers place orders, and wait until the last has."""
    in_loop(sandbox, lambda: sandbox.world.start(orders=orders, rate_per_s=20.0))
    eventually(lambda: sandbox.world.progress()["quiet"], LONG_S)


async def until(condition: Callable[[], object], timeout_s: float = LONG_S) -> None:
    """Wait for a condition beside whatever else runs in this event loop."""
    await asyncio.to_thread(eventually, condition, timeout_s)


def delivery(key: str, body: bytes = b"not json") -> inbox.Delivery:
    """A webhook of a store; without a body of its own one that cannot be read."""
    return inbox.Delivery(
        connection="shopify:north", source="webhook", delivery_key=key, topic="orders/create", body=body, format="raw",
        headers={}, occurred_at=None, received_at=datetime.now(UTC),
    )  # fmt: skip
