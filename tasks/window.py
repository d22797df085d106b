"""The window of an order-sync run: lead or stand by, run the loops, hand over to a successor that already waits."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from tasks.successor import Successor
from tasks.work import Work, warn
from tradewind.ledger import leadership
from tradewind.sync.runner import LANE, Runner, Totals, order_sync_runner
from tradewind.sync.seam import in_thread

HAND_OVER_EARLY_S = 12.0
"""A successor needs 4 to 6 s from being asked for to standing by."""
ASK_AGAIN_S = 20.0
ASKING_S = 10.0


class Window:
    """One run as leader. `over` says when to leave: the time is up and a successor waits, or we were told to stop.

    leading: ends the loops and gives the seat up when it is closed.
    """

    def __init__(
        self,
        seat: leadership.Leadership,
        runner: Runner,
        leading: AsyncExitStack,
        window_s: float,
        successor: Successor,
        stopping: asyncio.Event,
    ) -> None:
        self._seat = seat
        self._runner = runner
        self._leading = leading
        self._successor = successor
        self._stopping = stopping
        self._ends = time.monotonic() + window_s
        self._ask_at = self._ends - HAND_OVER_EARLY_S

    @property
    def totals(self) -> Totals:
        return self._runner.totals

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def left_s(self) -> float:
        """Seconds until the window's time is up; below zero while it leads on without a successor."""
        return self._ends - time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Wait, but no longer than until the window is stopped."""
        await self._unless_stopped(asyncio.sleep(seconds))

    async def over(self) -> bool:
        """Whether to leave now; asks for a successor when it is time to."""
        if self.stopping or not await in_thread(self._seat.held):
            return True
        now = time.monotonic()
        if now < self._ask_at:
            return False
        if await in_thread(self._seat.successor_waits):
            return now >= self._ends
        self._ask_at = now + ASK_AGAIN_S
        await self._unless_stopped(self._ask_for_successor())
        return False

    async def finish(self) -> Totals:
        """Finish what is in hand and give the seat up. Raises what ended a loop, if one has failed."""
        self._stopping.set()
        await self._leading.aclose()
        return self.totals

    async def _unless_stopped(self, action: Coroutine[Any, Any, None]) -> None:
        both = [asyncio.ensure_future(action), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()

    async def _ask_for_successor(self) -> None:
        # Prefect's server may be away: then this run goes on leading, and asks again.
        try:
            await asyncio.wait_for(self._successor(), timeout=ASKING_S)
        except Exception as error:
            warn("no successor could be asked for, leading on: %r", error)


@asynccontextmanager
async def lead(work: Work, *, window_s: float, standby_s: float, successor: Successor) -> AsyncIterator[Window | None]:
    """Run the loops as leader while the block lasts; None when leader and standby are in place already.

    standby_s: how long to stand by for the leader to leave. SIGTERM ends the window after what is in hand.
    """
    stopping = asyncio.Event()
    with _sigterm_sets(stopping):
        async with AsyncExitStack() as leading:
            seats = leadership.acquire(work.ledger, LANE, timeout_s=standby_s, stopped=stopping.is_set)
            seat = await in_thread(seats.__enter__)
            leading.push_async_callback(in_thread, seats.__exit__, None, None, None)
            if seat is None or stopping.is_set():
                yield None
                return
            runner = order_sync_runner(work.ledger, work.clients, work.settings)
            running = asyncio.create_task(runner.run())
            running.add_done_callback(lambda _: stopping.set())
            leading.push_async_callback(_drain, runner, running)
            yield Window(seat, runner, leading, window_s, successor, stopping)


@asynccontextmanager
async def beside(action: Coroutine[Any, Any, None], *, grace_s: float = 3.0) -> AsyncIterator[None]:
    """Do something beside the block; when the block ends it has grace_s to end too, and is cancelled then.

    Raises what the action raised, once the block has ended.
    """
    task = asyncio.create_task(action)
    try:
        yield
    finally:
        await asyncio.wait({task}, timeout=grace_s)
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()


async def _drain(runner: Runner, running: asyncio.Task[Totals]) -> None:
    runner.stop()
    await running


@contextmanager
def _sigterm_sets(stopping: asyncio.Event) -> Iterator[None]:
    """SIGTERM sets the event instead of doing what Prefect does. Only a main thread has signals."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    try:
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
    except (ValueError, RuntimeError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
