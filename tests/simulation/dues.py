"""When a loop has something to do: the polls of a real worker, without the ones that find nothing."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextvars import Context, ContextVar
from datetime import UTC, datetime

from tests.simulation.clock import START_AT
from tests.simulation.ledger import Store
from tests.simulation.loop import VirtualLoop
from tradewind.sync.bell import Bell

LANE: ContextVar[str] = ContextVar("lane", default="")
INBOX = "inbox"
_WORLD = Context()
LONGEST_S = 1800.0

_OPEN = """
SELECT 'inbox', MIN(CASE state WHEN 'received' THEN '' ELSE lease_until END) FROM inbox
WHERE state IN ('received', 'claimed')
UNION ALL
SELECT o.connection, MIN(o.next_attempt_at) FROM outbox o WHERE o.state = 'pending' AND NOT EXISTS (
  SELECT 1 FROM outbox x WHERE x.state = 'in_flight' AND (x.resource = o.resource OR x.order_id = o.order_id))
GROUP BY 1
UNION ALL
SELECT connection, MIN(lease_until) FROM outbox WHERE state = 'in_flight' GROUP BY 1
"""


class Dues:
    """By lane, the earliest time at which a claim may find something; waiters are woken then."""

    def __init__(self, store: Store, loop: VirtualLoop) -> None:
        self._database = store.world
        self._loop = loop
        self.waiting: defaultdict[str, dict[asyncio.Future[None], None]] = defaultdict(dict)
        self._due: dict[str, float] = {}
        self._looking = False
        store.committed.append(self._changed)

    def due_s(self, lane: str) -> float:
        """The loop's time at which the lane is due."""
        if self._looking:
            self._look()
        return self._due.get(lane, float("inf"))

    def is_due(self, lane: str) -> bool:
        return self.due_s(lane) <= self._loop.time()

    def _changed(self) -> None:
        if not self._looking:
            self._looking = True
            self._loop.call_later(0.0, self._wake, context=_WORLD)

    def _wake(self) -> None:
        """Whoever waits looks again when its lane is due earlier than it knew."""
        before = self._due
        if self._looking:
            self._look()
        for lane, due_s in self._due.items():
            if due_s < before.get(lane, float("inf")) or due_s <= self._loop.time():
                for waiter in self.waiting[lane]:
                    end(waiter)

    def _look(self) -> None:
        self._looking = False
        found: dict[str, float] = {}
        for lane, at in self._database.execute(_OPEN).fetchall():
            if at is not None:
                found[lane] = min(found.get(lane, float("inf")), _elapsed(at))
        self._due = found


class DueBell(Bell):
    """A bell whose waits end when there is something to do, however long the poll would be.

    late_s: how much later, at least and at most; None: by how long the poll would be.
    """

    def __init__(self, dues: Dues, loop: VirtualLoop, *, late_s: tuple[float, float] | None = None) -> None:
        super().__init__()
        self._late_s = late_s
        self.stopped = False
        self._dues = dues
        self._loop = loop
        self._idle: defaultdict[str, int] = defaultdict(int)
        self._own: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """What is rung for is a commit, which is seen anyhow; only the end is news."""
        if self.stopped:
            for waiter in self._own:
                end(waiter)

    async def wait(self, timeout_s: float) -> None:
        lane, slept = LANE.get(), False
        while not self.stopped:
            due_in_s = self._dues.due_s(lane) - self._loop.time()
            if due_in_s <= 0 and slept:
                self._idle[lane] = 0
                return
            if due_in_s <= 0:
                # What is due and cannot be claimed (the connection is paused, say) is asked for again, less and less.
                pause_s = min(timeout_s * 2.0 ** min(self._idle[lane], 20), 600.0)
                self._idle[lane] += 1
                await self._until(None, pause_s)
                return
            slept = True
            await self._until(lane, min(due_in_s, LONGEST_S))
            # A poll comes a moment later; what arrives meanwhile makes one batch with it.
            await self._until(None, random.uniform(*(self._late_s or (timeout_s / 10, 10 * timeout_s))))

    async def _until(self, lane: str | None, seconds: float) -> None:
        waiter: asyncio.Future[None] = self._loop.create_future()
        timer = self._loop.call_later(seconds, end, waiter)
        self._own.add(waiter)
        if lane is not None:
            self._dues.waiting[lane][waiter] = None
        try:
            await waiter
        finally:
            timer.cancel()
            self._own.discard(waiter)
            if lane is not None:
                self._dues.waiting[lane].pop(waiter, None)


def end(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _elapsed(at: str) -> float:
    if not at:
        return 0.0
    return (datetime.fromisoformat(at).replace(tzinfo=UTC) - START_AT).total_seconds()
