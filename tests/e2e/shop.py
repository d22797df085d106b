"""A whole shop in one process: the sandbox on loopback, the gateway, and the order sync's loops. No Prefect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.integration.providers.served import listening, serving
from tests.sandboxes import in_loop, running_sandbox
from tradewind.demo import judge
from tradewind.demo.sandbox import connections_of
from tradewind.domain.connections import Connection
from tradewind.errors import TradewindError
from tradewind.gateway.app import create_app
from tradewind.gateway.store import LedgerStore
from tradewind.governor import Governor
from tradewind.ledger import connections, inbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.sandbox import Sandbox
from tradewind.sandbox.outcomes import order_outcomes
from tradewind.settings import Settings
from tradewind.sync.apply import Applier
from tradewind.sync.clients import ClientPool
from tradewind.sync.dispatch import Dispatcher
from tradewind.sync.leases import LedgerLeases
from tradewind.sync.runner import Runner, is_drained
from tradewind.sync.subscriptions import check_subscriptions
from tradewind.sync.sweep import sweep

T = TypeVar("T")
SETTLED_WITHIN_S = 100.0


@dataclass
class Shop:
    """sweep_every_s: pause between two sweeps of every connection; None for none at all."""

    settings: Settings
    ledger: Ledger
    sandbox: Sandbox
    clients: ClientPool
    connections: list[Connection]
    sweep_every_s: float | None = None
    workers: list[str] = field(default_factory=list)

    async def act(self, action: Callable[[], T]) -> T:
        """Do something where the sandbox lives."""
        return await asyncio.to_thread(in_loop, self.sandbox, action)

    async def truth(self) -> dict[str, Any]:
        def told() -> dict[str, Any]:
            return {**self.sandbox.truth.as_dict(), "orders": order_outcomes(self.sandbox.truth)}

        return await self.act(told)

    @asynccontextmanager
    async def syncing(self, *, lease_s: float = 30.0) -> AsyncIterator[asyncio.Task[Any]]:
        """The loops, as a worker of their own; they finish what is in hand at the end."""
        worker = f"worker-{len(self.workers)}"
        self.workers.append(worker)
        runner = Runner(
            self.ledger,
            Applier(self.ledger, worker=worker, lease_s=lease_s),
            Dispatcher(self.ledger, self.clients, worker=worker, lease_s=lease_s),
            self.clients,
        )
        running = asyncio.create_task(runner.run())
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield running
        finally:
            sweeping.cancel()
            runner.stop()
            await asyncio.wait({sweeping, running}, timeout=30)

    async def settled(self) -> None:
        """Wait until nothing is left to happen, anywhere."""
        await self.until(lambda: self._is_settled())

    async def until(self, condition: Callable[[], Any], within_s: float = SETTLED_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not await condition():
            assert time.monotonic() < deadline, judge.left_over(self.ledger)
            await asyncio.sleep(0.1)

    async def verdict(self) -> dict[str, Any]:
        truth = await self.truth()
        return judge.judge_orders(truth, self.ledger) | {
            "money": judge.judge_money(truth, self.ledger),
            "left_over": judge.left_over(self.ledger),
        }

    def deliveries(self, **wanted: Any) -> list[inbox.DeliveryRow]:
        with self.ledger.read() as database:
            return inbox.search(database, limit=10_000, **wanted)

    async def _is_settled(self) -> bool:
        quiet = await self.act(lambda: self.sandbox.world.progress()["quiet"])
        return bool(quiet) and is_drained(self.ledger) and judge.settled(await self.truth())

    async def _sweep(self) -> None:
        while self.sweep_every_s is not None:
            for connection in self.connections:
                try:
                    client = self.clients(str(connection.key))
                    await sweep(self.ledger, connection, client, now=datetime.now(UTC))
                except TradewindError:
                    continue  # the next sweep begins where this one did
            await asyncio.sleep(self.sweep_every_s)


@asynccontextmanager
async def open_shop(
    state_dir: Path, *, seed: int = 1, faults: str = "none", sweep_every_s: float | None = None
) -> AsyncIterator[Shop]:
    """Everything connected, live and subscribed."""
    with listening() as (listener, gateway_url), running_sandbox(seed, faults) as sandbox:
        settings = Settings(state_dir=state_dir, public_url=gateway_url)
        ledger = open_ledger(settings, migrate=True)
        store = LedgerStore(lambda: open_ledger(settings))
        found = connections_of(sandbox.describe(), datetime.now(UTC) - timedelta(minutes=1))
        with ledger.write() as database:
            for connection in found:
                connections.put(database, ledger.keys, connection, actor="test")
        clients = ClientPool(ledger, Governor(LedgerLeases(ledger)))
        try:
            async with serving(create_app(store, public_url=gateway_url), listener):
                shop = Shop(settings, ledger, sandbox, clients, found, sweep_every_s)
                for connection in found:
                    await _subscribe(shop, connection)
                yield shop
        finally:
            await clients.aclose()
            store.close()
            ledger.close()


async def _subscribe(shop: Shop, connection: Connection) -> None:
    """The sandbox's faults may hit these calls too."""
    for attempt in range(20):
        try:
            await check_subscriptions(
                shop.ledger, connection, shop.clients(str(connection.key)), shop.settings
            )  # fmt: skip
            return
        except TradewindError:
            if attempt == 19:
                raise
            await asyncio.sleep(0.1)


async def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(url, content=body, headers=headers)).status_code
