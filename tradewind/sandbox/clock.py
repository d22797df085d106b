"""Where the sandbox takes its time from."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


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
    """A clock that stands still until `advance` moves it: for tests."""

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
        woken = asyncio.Event()
        self._sleepers.append((self._elapsed_s + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        """Move time on and wake whoever's wait is over."""
        self._elapsed_s += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._elapsed_s]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._elapsed_s]
        for _, woken in sorted(due, key=lambda sleeper: sleeper[0]):
            woken.set()
