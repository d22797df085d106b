"""The virtual clock: of the loop, of every module that asks the time, and of the database."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.simulation.loop import VirtualLoop

START_AT = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
NOW = "0 seconds"


class VirtualClock:
    """A clock of the governor and of the sandbox. skew: how wrong its time of day is."""

    def __init__(self, loop: VirtualLoop, skew: timedelta = timedelta(0)) -> None:
        self._loop = loop
        self._start_at = START_AT + skew
        self.database_skew = timedelta(0)

    def now(self) -> datetime:
        return self._start_at + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@contextmanager
def virtual(loop: VirtualLoop, seed: int) -> Iterator[None]:
    """Time and randomness of the whole interpreter come from the loop and the seed."""
    rng = random.Random(f"{seed}/entropy")
    kept = time.monotonic, time.time, os.urandom
    random.seed(seed)
    try:
        time.monotonic, time.time = loop.time, lambda: START_AT.timestamp() + loop.time()
        os.urandom = rng.randbytes
        yield
    finally:
        time.monotonic, time.time, os.urandom = kept


def set_database_clock(database: sqlite3.Connection, clock: VirtualClock) -> None:
    """SQLite's `strftime(format, 'now')`, with or without a modifier in seconds, tells the virtual time.

    `true_now()` tells it too, for whoever judges the others' clocks.
    """

    told: dict[tuple[timedelta, str], str] = {}
    told_at_s = -1.0

    def tell(skew: timedelta, later: str) -> str:
        """Asked for again and again at one moment."""
        nonlocal told_at_s
        if told_at_s != (told_at_s := clock.monotonic()):
            told.clear()
        if (found := told.get((skew, later))) is None:
            moment = clock.now() + skew + timedelta(seconds=float(later.partition(" ")[0]))
            found = told[skew, later] = moment.replace(tzinfo=None).isoformat(" ", "milliseconds")
        return found

    def strftime(_: str, moment: str, later: str = NOW) -> str:
        assert moment == "now"
        return tell(clock.database_skew, later)

    database.create_function("strftime", 2, strftime)
    database.create_function("strftime", 3, strftime)
    database.create_function("true_now", 0, lambda: tell(timedelta(0), NOW))
