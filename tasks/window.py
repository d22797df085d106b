"""The window of an order-sync run: lead or stand by, run the loops, hand over to a successor that already waits."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from prefect.deployments import run_deployment

from tasks.work import Work, log
from tradewind.ledger import leadership
from tradewind.sync.runner import Runner, order_sync_runner
from tradewind.sync.seam import in_thread

HAND_OVER_EARLY_S = 12.0
"""A successor needs 4 to 6 s from being asked for to standing by."""
ASK_AGAIN_S = 20.0
LANE = "critical"

Successor = Callable[[], Awaitable[None]]


class Window:
    """One run as leader. `over` says when to leave: the time is up and a successor waits, or we were told to stop."""

    def __init__(self, seat: leadership.Leadership, window_s: float, successor: Successor) -> None:
        self._seat = seat
        self._successor = successor
        self._ends = time.monotonic() + window_s
        self._ask_at = self._ends - HAND_OVER_EARLY_S
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish what is in hand and leave at once, successor or not."""
        self._stopping.set()

    async def wait(self, seconds: float) -> None:
        """Wait, but no longer than until `stop`."""
        waiting = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({waiting}, timeout=seconds)
        waiting.cancel()

    async def over(self) -> bool:
        """Whether to leave now; asks for a successor when it is time to."""
        if self._stopping.is_set() or not await in_thread(self._seat.held):
            return True
        now = time.monotonic()
        if now < self._ask_at:
            return False
        if await in_thread(self._seat.successor_waits):
            return now >= self._ends
        self._ask_at = now + ASK_AGAIN_S
        await self._ask_for_successor()
        return False

    async def _ask_for_successor(self) -> None:
        # Prefect's server may be away: then this run goes on leading, and asks again.
        try:
            await asyncio.wait_for(self._successor(), timeout=10.0)
        except Exception as error:
            log("no successor could be asked for, leading on: %r", error)


def successor_of(deployment: str, parameters: dict[str, Any]) -> Successor:
    """Asks for a run of the deployment without waiting for it."""

    async def ask() -> None:
        await run_deployment(deployment, parameters=parameters, timeout=0, as_subflow=False)  # type: ignore[misc]

    return ask


@asynccontextmanager
async def lead(
    work: Work, *, window_s: float, standby_s: float, successor: Successor
) -> AsyncIterator[tuple[Window, Runner] | None]:
    """Run the loops as leader while the block lasts; None when leader and standby are in place already.

    standby_s: how long to stand by for the leader to leave. SIGTERM ends the window after what is in hand.
    """
    stopped = asyncio.Event()
    seats = leadership.acquire(work.ledger, LANE, timeout_s=standby_s, stopped=stopped.is_set)
    handlers = _on_sigterm(stopped.set)
    try:
        seat = await in_thread(seats.__enter__)
        if seat is None or stopped.is_set():
            yield None
            return
        runner = order_sync_runner(work.ledger, work.clients, work.settings)
        window = Window(seat, window_s, successor)
        handlers = _on_sigterm(window.stop)
        running = asyncio.create_task(runner.run())
        running.add_done_callback(lambda _: window.stop())
        try:
            yield window, runner
        finally:
            runner.stop()
            await running
    finally:
        handlers()
        await in_thread(seats.__exit__, None, None, None)


def _on_sigterm(stop: Any) -> Any:
    """Call `stop` at SIGTERM instead of what Prefect does; gives what undoes it. Only a main thread has signals."""
    try:
        before = signal.getsignal(signal.SIGTERM)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop)
    except (ValueError, RuntimeError):
        return lambda: None
    return partial(_restore, loop, before)


def _restore(loop: asyncio.AbstractEventLoop, before: Any) -> None:
    loop.remove_signal_handler(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
