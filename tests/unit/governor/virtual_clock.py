"""A clock whose sleeps take no time: it moves to the next sleeper whenever nobody else has anything to do."""

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

_IDLE_TURNS = 40  # turns of the event loop after which everybody waits for time to pass


class VirtualClock:
    def __init__(self, start_at: datetime = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)) -> None:
        self._start_at = start_at
        self.elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._start_at + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.elapsed_s + seconds, next(self._order), woken))
        await woken.wait()

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of `work`, with time passing as it sleeps."""
        task = asyncio.ensure_future(work)
        while True:
            for _ in range(_IDLE_TURNS):
                await asyncio.sleep(0)
            if task.done():
                return task.result()
            self._advance()

    def _advance(self) -> None:
        assert self._sleepers, "everybody waits, and nobody for time to pass"
        self.elapsed_s, _, woken = heapq.heappop(self._sleepers)
        woken.set()
