"""A shop to try things on: the sandbox as a process of a stack, its accounts connected to the stack's ledger."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradewind.demo.sandbox import Control, connections_of, described
from tradewind.domain.connections import Connection
from tradewind.errors import TradewindError
from tradewind.governor import Governor
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.stack.process import Part
from tradewind.stack.stack import Stack
from tradewind.sync.clients import ClientPool
from tradewind.sync.leases import LedgerLeases
from tradewind.sync.subscriptions import check_subscriptions

SUBSCRIBE_TRIES = 20


class Shop:
    """One sandbox beside one stack. opened_at: what was sold before is history, and nothing is asked for it."""

    def __init__(self, stack: Stack, *, seed: int, faults: str) -> None:
        self.stack = stack
        self.opened_at = datetime.now(UTC)
        self.description: dict[str, Any] = {}
        self.sandbox: Part = stack.part("sandbox", "sandbox", "--port", "0", "--seed", str(seed), "--faults", faults)
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = open_ledger(self.stack.settings)
        return self._ledger

    def open(self, replay: Path | None = None) -> None:
        """Start the sandbox; with `replay`, put that history's goods on sale. Raises NotReady, PartDied."""
        self.sandbox.start()
        self.stack.wait_until(lambda: described(self.sandbox.log) is not None, 30.0, self.sandbox)
        self.description = described(self.sandbox.log) or {}
        if replay is not None:
            with self.control() as control:
                control.prepare(replay)

    def control(self) -> Control:
        """The sandbox's control API; whoever opens it closes it."""
        return Control(self.description)

    def connect(self) -> None:
        """Connect every account, live, and subscribe to its webhooks; the gateway must be up."""
        asyncio.run(self._connect())

    def close(self) -> None:
        """End the sandbox; the stack is its owner's to stop, before this."""
        self.sandbox.stop()
        if self._ledger is not None:
            self._ledger.close()

    async def _connect(self) -> None:
        found = connections_of(self.description, self.opened_at)
        with self.ledger.write() as database:
            for connection in found:
                connections.put(database, self.ledger.keys, connection, actor="demo")
        clients = ClientPool(self.ledger, Governor(LedgerLeases(self.ledger)))
        try:
            for connection in found:
                await self._subscribe(connection, clients)
        finally:
            await clients.aclose()

    async def _subscribe(self, connection: Connection, clients: ClientPool) -> None:
        """The sandbox's faults may hit these calls too: try until they are through."""
        key = str(connection.key)
        for attempt in range(SUBSCRIBE_TRIES):
            try:
                await check_subscriptions(self.ledger, connection, clients(key), self.stack.settings)
                return
            except TradewindError:
                if attempt == SUBSCRIBE_TRIES - 1:
                    raise
                await asyncio.sleep(0.5)
