"""What goes wrong in a seed, when, and how often it did."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulation.core import Core
from tests.simulation.loop import VirtualLoop
from tests.simulation.moments import Moments
from tests.simulation.process import Process
from tradewind.domain.connections import ConnectionState
from tradewind.ledger import connections
from tradewind.sandbox.faults import Rate
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.sender import Hook
from tradewind.sandbox.shopify.subscriptions import Happening

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
RATES = {
    "duplicate": Rate(0.30, 2 * HOUR_S),
    "reorder": Rate(0.50, 600.0),
    "delay": Rate(0.05, 3 * DAY_S),
    "lose": Rate(0.05),
    "throttle_storm": Rate(0.01, 120.0),
    "server_error": Rate(0.003, 4 * HOUR_S),
    "lost_answer": Rate(0.20),
    "slow_answer": Rate(0.03, 30.0),
}
POISON = 0.01
BEHIND_COMMIT = 0.01
_POISON = (b"", b"{", b"[]", b'{"id": "none"}', b"\xff\xfe", b'{"id": 1e400, "admin_graphql_api_id": {}}', b"null")


@dataclass
class Trouble:
    """The faults of one seed over the processes of the core. Without `on` nothing goes wrong."""

    on: bool
    loop: VirtualLoop
    core: Core
    sandbox: Sandbox
    moments: Moments
    rng: random.Random
    fired: Counter[str] = field(default_factory=Counter)
    poison: list[str] = field(default_factory=list)
    paused: list[tuple[str, float, float]] = field(default_factory=list)
    gateway_closed: bool = False
    over: bool = False
    _living: dict[str, Process] = field(default_factory=dict)
    _starts: Counter[str] = field(default_factory=Counter)
    _written: int | None = None

    def start(self) -> None:
        spawn = asyncio.get_running_loop().create_task
        self._tasks = [spawn(self._keep_running("gateway", self.core.start_gateway, 3000.0))]
        self._tasks.append(spawn(self._keep_running("worker-a", self._worker, 5000.0)))
        self._tasks.append(spawn(self._keep_running("keeper", self.core.start_keeper, 2500.0)))
        if not self.on:
            return
        self.sandbox.faults.set_rates(RATES)
        self._poison_some()
        self.moments.start()
        steps = (self._second_worker, self._database_away, self._disk_full, self._outage, self._pause_connection)
        self._tasks += [spawn(step()) for step in steps]

    def end(self) -> None:
        """From now on nothing new goes wrong; what is on its way still arrives."""
        self.over = True
        self.moments.end()
        self.sandbox.faults.set_level("none")

    async def _keep_running(self, name: str, start: Callable[[Process], object], mean_steps: float) -> None:
        """A process that is started again when it has died."""
        while True:
            if name == "gateway" and self.gateway_closed:
                await asyncio.sleep(60.0)
                continue
            process = self._process(name, mean_steps)
            died = asyncio.Event()
            process.on_death.append(died.set)
            start(process)
            await died.wait()
            self.fired["crash"] += 1
            await asyncio.sleep(self.rng.uniform(0.1, 30.0))

    def _process(self, name: str, mean_steps: float) -> Process:
        self._starts[name] += 1
        process = Process(f"{name}-{self._starts[name]}", self.loop)
        if self.on and not self.over:
            process.steps_left = 1 + int(self.rng.expovariate(1 / mean_steps))
            if self.rng.random() < 0.5:
                process.skew = timedelta(seconds=self.rng.uniform(-600.0, 600.0))
                self.fired["skewed_clock"] += 1
        self._living[name] = process
        return process

    def _worker(self, process: Process) -> None:
        if self.on and not self.over:
            process.pauses_after = [1 + int(self.rng.expovariate(1 / 300.0)) for _ in range(3)]
            process.on_pause = lambda: self.fired.update(("worker_paused",))
            process.dies_behind = self._strikes_behind
        self.core.start_worker(process)

    def _strikes_behind(self) -> bool:
        """Whether a worker dies right behind this commit: now and then where orders were written."""
        ((written,),) = self.core.store.world.execute("SELECT SUM(row_version) FROM orders").fetchall()
        if written == self._written:
            return False
        self._written = written
        if self.over or self.rng.random() >= BEHIND_COMMIT:
            return False
        self.fired["crash_behind_commit"] += 1
        return True

    async def _second_worker(self) -> None:
        """Two workers at once, as when a lock was lost."""
        for _ in range(4):
            await asyncio.sleep(self.rng.uniform(2 * HOUR_S, 20 * HOUR_S))
            if self.over:
                return
            process = self._process("worker-b", 4000.0)
            self._worker(process)
            self.fired["two_workers"] += 1
            await asyncio.sleep(self.rng.uniform(HOUR_S, 8 * HOUR_S))
            process.kill()

    async def _database_away(self) -> None:
        await asyncio.sleep(self.rng.uniform(0.0, 2.7 * DAY_S))
        weather = self.core.store.weather
        weather.away = True
        await asyncio.sleep(600.0)
        weather.away = False

    async def _disk_full(self) -> None:
        await asyncio.sleep(self.rng.uniform(0.0, 2.7 * DAY_S))
        weather = self.core.store.weather
        weather.full = True
        await asyncio.sleep(self.rng.uniform(1800.0, 7200.0))
        weather.full = False

    async def _outage(self) -> None:
        """Nobody listens for five hours: Shopify gives up and removes its subscriptions."""
        await asyncio.sleep(self.rng.uniform(0.0, 2.4 * DAY_S))
        self.gateway_closed = True
        self.fired["outage"] += 1
        self._living["gateway"].kill()
        await asyncio.sleep(5 * HOUR_S)
        self.gateway_closed = False

    async def _pause_connection(self) -> None:
        await asyncio.sleep(self.rng.uniform(0.0, 2.6 * DAY_S))
        key = self.rng.choice(("shopify:north", "shopify:south", "stripe:main", "shipstation:main"))
        began = self.loop.time()
        await self._set_state(key, ConnectionState.PAUSED)
        self.fired["connection_paused"] += 1
        await asyncio.sleep(3 * HOUR_S)
        self.paused.append((key, began, self.loop.time()))
        await self._set_state(key, ConnectionState.LIVE)

    async def _set_state(self, key: str, state: ConnectionState) -> None:
        ledger = self.core.store.open(Process("operator", self.loop))
        while True:
            try:
                with ledger.write() as database:
                    connections.set_state(database, key, state, actor="operator")
                return
            except Exception:
                await asyncio.sleep(60.0)

    def _poison_some(self) -> None:
        """Payloads that are well signed and cannot be read, in the place of good ones."""
        sender, send = self.sandbox.sender, self.sandbox.sender.send

        def poisoned(hook: Hook) -> None:
            provider, _, account = hook.connection.partition(":")
            if self.over or provider != "shopify" or self.rng.random() >= POISON * 1.5:
                send(hook)
                return
            store = self.sandbox.shopify[account]
            body = self.rng.choice(_POISON)
            headers = store.subscriptions._headers(Happening(store.ids.uuid(), store.clock.now()), hook.topic, body)
            self.fired["poison"] += 1
            self.poison.append(headers["X-Shopify-Webhook-Id"])
            send(dataclasses.replace(hook, body=body, headers=lambda _: headers))

        sender.send = poisoned  # type: ignore[method-assign]
