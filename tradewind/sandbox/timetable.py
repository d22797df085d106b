"""What the merchant's world is going to do, and when: steps in order, and afterthoughts beside them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from tradewind.sandbox.clock import Clock

_log = logging.getLogger(__name__)

Step = tuple[float, Callable[[], object]]  # seconds since the start, what to do then


class Timetable:
    """Runs steps on time in the background. A step that fails is noted and does not stop the others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[str] = []

    @property
    def idle(self) -> bool:
        """Nothing is left to do."""
        return not self._tasks

    def run(self, steps: Iterable[Step]) -> None:
        """Do these steps, each at its time, one after another. Needs a running loop, as `later` and `when` do."""
        self._start(self._run(list(steps)))

    def later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Do this once, so many seconds from now."""
        self._start(self._run([(delay_s, action)]))

    def when(
        self, ready: Callable[[], bool], action: Callable[[], object], *, every_s: float, at_most_s: float
    ) -> None:
        """Do this as soon as `ready`, looked at every so often; after the longest wait in any case."""
        self._start(self._run_when(ready, action, every_s, at_most_s))

    async def stop(self) -> None:
        """Forget everything that has not happened."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, steps: list[Step]) -> None:
        began_s = self._clock.monotonic()
        for after_s, action in steps:
            # Even when late, one turn of the loop between steps: the HTTP server runs on it too.
            await self._clock.sleep(max(0.0, began_s + after_s - self._clock.monotonic()))
            self._attempt(action)

    async def _run_when(
        self, ready: Callable[[], bool], action: Callable[[], object], every_s: float, at_most_s: float
    ) -> None:
        until_s = self._clock.monotonic() + at_most_s
        while not ready() and self._clock.monotonic() < until_s:
            await self._clock.sleep(every_s)
        self._attempt(action)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            _log.debug("a step of the world failed", exc_info=True)
            self.failures.append(f"{type(error).__name__}: {error}")
