"""The order sync as plain loops: apply, and one dispatch per connection, until told to stop. Knows no Prefect.

The same loops run inside the `order-sync` flow and, under the same leader lock, in `tradewind up` when Prefect's server
is away.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from tradewind.ledger import connections, inbox, outbox, retention
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings
from tradewind.sync import parked
from tradewind.sync.apply import Applier
from tradewind.sync.bell import Bell
from tradewind.sync.clients import ClientPool
from tradewind.sync.dispatch import Dispatcher
from tradewind.sync.seam import in_thread, patiently

_log = logging.getLogger("tradewind.runner")
R = TypeVar("R")

INBOX_POLL_S = 0.05
OUTBOX_POLL_S = 0.25  # apply rings for new commands; the poll is for those whose next attempt has come
CONNECTIONS_POLL_S = 5.0
KEEPING_POLL_S = 60.0
PRUNED_AT_ONCE = 5000  # rows; seven million a day
UNFINISHED_DELIVERIES = ("received", "claimed")
UNFINISHED_COMMANDS = ("pending", "in_flight")
LANE = "critical"
"""Whose leader lock whoever runs these loops holds."""


@dataclass(frozen=True)
class DeadLetter:
    """A delivery or a command that failed for good. kind: `delivery` or `command`; name: its id or key."""

    kind: str
    name: str
    reason: str


@dataclass
class Totals:
    """What a window did, for its summary."""

    taken: int = 0
    changed_orders: int = 0
    commands: int = 0
    sent: int = 0
    dead: list[DeadLetter] = field(default_factory=list)


class Runner:
    """Runs the loops over one ledger; stop() lets them finish what is in hand.

    poll_s: pause while nothing waits. retention: how long finished deliveries are kept.
    """

    def __init__(
        self,
        ledger: Ledger,
        applier: Applier,
        dispatcher: Dispatcher,
        clients: ClientPool,
        totals: Totals | None = None,
        *,
        poll_s: float = INBOX_POLL_S,
        retention: timedelta = timedelta(days=90),
    ) -> None:
        self._ledger = ledger
        self._applier = applier
        self._dispatcher = dispatcher
        self._clients = clients
        self._poll_s = poll_s
        self._retention = retention
        self._stopping = asyncio.Event()
        self._news = Bell()
        self.totals = totals or Totals()

    def stop(self) -> None:
        """Finish what is in hand and return; what is left waits in inbox and outbox."""
        self._stopping.set()
        self._news.ring()

    async def run(self) -> Totals:
        """Run until `stop`. A loop that fails ends the run with its error: nothing goes on half alive."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._apply())
            group.create_task(self._watch_connections(group))
            group.create_task(self._keep())
        return self.totals

    async def _apply(self) -> None:
        while not self._stopping.is_set():
            applied = await patiently(lambda: in_thread(self._applier.run_once))
            self.totals.taken += applied.taken
            self.totals.changed_orders += applied.changed_orders
            self.totals.commands += applied.commands
            self.totals.dead += [DeadLetter("delivery", str(number), reason) for number, reason in applied.dead]
            if applied.commands:
                self._news.ring()
            if not applied.taken:
                await self._news.wait(self._poll_s)

    async def _watch_connections(self, group: asyncio.TaskGroup) -> None:
        dispatched: set[str] = set()
        while not self._stopping.is_set():
            await patiently(lambda: in_thread(self._release_stranded))
            for connection in await patiently(lambda: in_thread(self._connected)):
                if connection not in dispatched:
                    dispatched.add(connection)
                    group.create_task(self._dispatch(connection, group))
            await self._pause(CONNECTIONS_POLL_S)

    async def _keep(self) -> None:
        """Ask for what parked deliveries wait for, and let go of what is kept no longer."""
        while not self._stopping.is_set():
            if await patiently(lambda: in_thread(parked.fetch_missing, self._ledger, datetime.now(UTC))):
                self._news.ring()
            await patiently(lambda: in_thread(self._prune))
            await self._pause(KEEPING_POLL_S)

    async def _dispatch(self, connection: str, group: asyncio.TaskGroup) -> None:
        places = await patiently(lambda: in_thread(self._clients.max_concurrency, connection))
        in_hand: set[asyncio.Task[None]] = set()
        while not self._stopping.is_set():
            free = places - len(in_hand)
            due: list[outbox.Due] = []
            if free:
                due = await patiently(partial(self._dispatcher.claim, connection, free))
            for one in due:
                task = group.create_task(self._send(one))
                in_hand.add(task)
                task.add_done_callback(in_hand.discard)
            if not due:
                await self._news.wait(OUTBOX_POLL_S)

    async def _send(self, due: outbox.Due) -> None:
        await self._dispatcher.send(due)
        self.totals.sent += 1
        self._news.ring()

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({waiting}, timeout=seconds)
        waiting.cancel()

    def _release_stranded(self) -> None:
        """A delivery that was parked while another worker linked its order would wait for ever."""
        with self._ledger.write() as database:
            inbox.release_stranded(database)

    def _prune(self) -> None:
        retention.prune(self._ledger, self._retention, limit=PRUNED_AT_ONCE, stopped=self._stopping.is_set)

    def _connected(self) -> list[str]:
        with self._ledger.read() as database:
            return [str(one.key) for one in connections.connected(database, self._ledger.keys)]


def order_sync_runner(ledger: Ledger, clients: ClientPool, settings: Settings) -> Runner:
    """A runner with this process's settings and a name of its own."""
    worker = f"order-sync-{os.getpid()}-{time.monotonic_ns()}"
    applier = Applier(ledger, worker=worker, limit=settings.batch, lease_s=settings.lease_s)
    totals = Totals()

    def note_dead(key: str, reason: str) -> None:
        totals.dead.append(DeadLetter("command", key, reason))

    dispatcher = Dispatcher(ledger, clients, worker=worker, on_dead=note_dead)
    kept = timedelta(days=settings.retention_days)
    return Runner(ledger, applier, dispatcher, clients, totals, poll_s=settings.poll_ms / 1000, retention=kept)


def is_drained(ledger: Ledger) -> bool:
    """Nothing waits in inbox or outbox (parked, dead and finished rows do not count)."""
    with ledger.read() as database:
        waiting = inbox.counts(database)
        wanted = outbox.counts(database)
    return not any(waiting.get(s) for s in UNFINISHED_DELIVERIES) and not any(
        wanted.get(s) for s in UNFINISHED_COMMANDS
    )
