"""What will happen later by itself: a carrier scans a parcel, say."""

import asyncio
import contextlib
import heapq
from collections.abc import Callable
from itertools import count

from tradewind.sandbox.clock import Clock, within


class Agenda:
    """Runs actions when their time has come. Before `start` and after `stop` nothing happens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run the action this many seconds from now."""
        heapq.heappush(self._due, (self._clock.monotonic() + delay_s, next(self._numbers), action))
        self._changed.set()

    async def start(self) -> None:
        """Begin to run what is due."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Leave what has not happened yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def run_due(self) -> None:
        """Run everything whose time has come."""
        while self._due and self._due[0][0] <= self._clock.monotonic():
            heapq.heappop(self._due)[2]()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            if not self._due:
                await self._changed.wait()
            else:
                # Something earlier may be added meanwhile.
                with contextlib.suppress(TimeoutError):
                    await within(self._clock, self._due[0][0] - self._clock.monotonic(), self._changed.wait())
            self.run_due()
