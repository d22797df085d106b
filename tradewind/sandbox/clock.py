"""Where the sandbox takes its time from."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Clock(Protocol):
    """Wall time, a steady counter, and waiting: everything in the sandbox that passes time asks here."""

    def now(self) -> datetime:
        """The time, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until it is moved: for tests and simulations."""

    def __init__(self, start_at: datetime = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)) -> None:
        self._start_at = start_at
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._start_at + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = (self._elapsed_s + seconds, asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move time on and wake whoever's wait is over."""
        self._elapsed_s += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._elapsed_s]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._elapsed_s]
        for _, woken in sorted(due, key=lambda sleeper: sleeper[0]):
            woken.set()

    def step(self) -> bool:
        """Move to the time at which the next wait ends. False when nobody waits."""
        if not self._sleepers:
            return False
        self.advance(max(0.0, min(due_s for due_s, _ in self._sleepers) - self._elapsed_s))
        return True


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of the work; once this much time has passed on the clock, it is cancelled and TimeoutError raised."""
    working = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((working, timer), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TimeoutError
        return working.result()
    finally:
        working.cancel()
        timer.cancel()
        await asyncio.gather(working, timer, return_exceptions=True)
