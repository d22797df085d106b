"""The processes of tradewind, as they start: each from nothing but the ledger."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.simulation.clock import VirtualClock
from tests.simulation.dues import INBOX, LANE, DueBell, Dues
from tests.simulation.ledger import SimLedger, Store
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Process
from tests.simulation.wire import Host, Wire
from tradewind.errors import TradewindError
from tradewind.gateway.accounts import Accounts
from tradewind.gateway.app import create_app
from tradewind.gateway.store import LedgerStore
from tradewind.gateway.writer import QueueFull, Writer
from tradewind.governor import Governor, ShareLeases
from tradewind.ledger import connections, outbox
from tradewind.ledger.delivery import Delivery, Stored
from tradewind.sync.apply import Applied, Applier
from tradewind.sync.clients import ClientPool
from tradewind.sync.dispatch import Dispatcher
from tradewind.sync.leases import LedgerLeases
from tradewind.sync.runner import Runner
from tradewind.sync.subscriptions import check_subscriptions
from tradewind.sync.sweep import sweep

GATEWAY = "127.0.0.1:9000"
SANDBOX = "127.0.0.1:9001"


@dataclass
class Core:
    """What every process of tradewind is started with."""

    loop: VirtualLoop
    store: Store
    wire: Wire
    dues: Dues
    rng: random.Random
    gateway: Host
    calm: bool = False
    """Nothing goes wrong: who is alone shares no budget, looks less often, and takes together what comes together."""

    @property
    def sweep_every_s(self) -> float:
        return 24 * 3600.0 if self.calm else 6 * 3600.0

    def start_gateway(self, process: Process) -> None:
        self.gateway.process = process
        process.on_death.append(lambda: self._gone(process))
        process.spawn(self._serve(process))

    def start_worker(self, process: Process) -> SimRunner:
        ledger = self.store.open(process)
        clock = VirtualClock(self.loop, process.skew)
        clients = ClientPool(ledger, self._governor(ledger, clock))
        rng = random.Random(self.rng.random())
        applier = SimApplier(ledger, worker=process.name, now=clock.now)
        dispatcher = SimDispatcher(ledger, clients, worker=process.name, now=clock.now, rng=rng)
        applier.dues = dispatcher.dues = self.dues
        runner = SimRunner(ledger, applier, dispatcher, clients)
        runner._news = DueBell(self.dues, self.loop, late_s=(0.0, 120.0) if self.calm else None)
        process.spawn(runner.run())
        return runner

    def start_keeper(self, process: Process) -> None:
        """The sweeps and the check of the subscriptions, as the order sync's tasks make them."""
        process.spawn(self._keep(process))

    def _governor(self, ledger: SimLedger, clock: VirtualClock) -> Governor:
        return Governor(ShareLeases(0.5, clock) if self.calm else LedgerLeases(ledger, clock), clock)

    def _gone(self, process: Process) -> None:
        if self.gateway.process is process:
            self.gateway.app = None

    async def _serve(self, process: Process) -> None:
        store = LedgerStore(lambda: self.store.open(process))
        accounts = Accounts(store.connections, every_s=6 * 3600.0)
        app = create_app(
            store,
            now=VirtualClock(self.loop, process.skew).now,
            public_url=f"http://{GATEWAY}",
            accounts=accounts,
            writer=InlineWriter(store.store),
        )
        async with app.router.lifespan_context(app):
            self.gateway.app = app
            await asyncio.Event().wait()

    async def _keep(self, process: Process) -> None:
        ledger, clock = self.store.open(process), VirtualClock(self.loop, process.skew)
        clients = ClientPool(ledger, self._governor(ledger, clock))
        while True:
            await self.look_once(ledger, clients, clock.now)
            await asyncio.sleep(self.sweep_every_s)

    async def look_once(self, ledger: SimLedger, clients: ClientPool, now: Callable[[], datetime]) -> None:
        settings = self.store.settings.model_copy(update={"public_url": f"http://{GATEWAY}"})
        with ledger.read() as database:
            known = connections.connected(database, ledger.keys)
        for connection in known:
            client = clients(str(connection.key))
            for work in (
                lambda c=connection, k=client: check_subscriptions(ledger, c, k, settings),
                lambda c=connection, k=client: sweep(ledger, c, k, now=now()),
            ):
                try:
                    await work()
                except TradewindError:
                    continue
                except Exception as error:
                    if "Operational" not in type(error).__name__:
                        raise


class InlineWriter(Writer):
    """The gateway's group commit without its thread: what waits while a group commits makes the next one."""

    def start(self) -> None:
        self._waiters: deque[tuple[Delivery, asyncio.Future[Stored]]] = deque()
        self._committing = False

    async def close(self, within_s: float = 10.0) -> None:
        """A simulated gateway is never stopped, it dies."""

    @property
    def alive(self) -> bool:
        return True

    async def put(self, delivery: Delivery) -> Stored:
        if len(self._waiters) >= self.capacity:
            raise QueueFull("full")
        answer: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiters.append((delivery, answer))
        if not self._committing:
            self._committing = True
            asyncio.get_running_loop().call_soon(self._commit)
        return await answer

    def _commit(self) -> None:
        group = [self._waiters.popleft() for _ in range(min(self._group, len(self._waiters)))]
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(None, self._write, [delivery for delivery, _ in group])
        done.add_done_callback(lambda _: self._answer(group, done.result()))

    def _answer(self, group: list[tuple[Delivery, asyncio.Future[Stored]]], outcomes: Any) -> None:
        for (_, answer), outcome in zip(group, outcomes, strict=True):
            if answer.done():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
        self._committing = bool(self._waiters)
        if self._committing:
            asyncio.get_running_loop().call_soon(self._commit)


class SimApplier(Applier):
    """An applier that does not claim when nothing can be claimed."""

    dues: Dues

    def run_once(self) -> Applied:
        return super().run_once() if self.dues.is_due(INBOX) else Applied()


class SimDispatcher(Dispatcher):
    """A dispatcher that does not claim when nothing can be claimed."""

    dues: Dues

    async def claim(self, connection: str, limit: int) -> list[outbox.Due]:
        return await super().claim(connection, limit) if self.dues.is_due(connection) else []


class SimRunner(Runner):
    """The runner, whose loops say which lane they wait for."""

    def stop(self) -> None:
        self._news.stopped = True  # type: ignore[attr-defined]
        super().stop()

    async def _apply(self) -> None:
        LANE.set(INBOX)
        await super()._apply()

    async def _dispatch(self, connection: str, group: asyncio.TaskGroup) -> None:
        LANE.set(connection)
        await super()._dispatch(connection, group)
