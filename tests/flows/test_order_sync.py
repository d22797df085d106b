"""Windows of order-sync: one leads, one stands by, and nothing but a successor or a signal ends a window."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
from prefect.logging import disable_run_logger

import tasks.window
from flows.order_sync import lead_until_over, order_sync
from tasks.window import Window, beside, lead
from tasks.work import Work, work
from tests.flows.shop import delivery, until
from tradewind.ledger import inbox, leadership
from tradewind.ledger.engine import Ledger

STANDBY_S = 60.0


@pytest.fixture(autouse=True)
def _no_run() -> Iterator[None]:
    """Outside a flow run there is no log of one."""
    with disable_run_logger():
        yield


class Successor:
    """What asks for a successor; `fails` makes it as if Prefect's server was away."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked = 0
        self._fails = fails

    async def __call__(self) -> None:
        self.asked += 1
        if self._fails:
            raise httpx.ConnectError("nobody answers")


@asynccontextmanager
async def leading(window_s: float, successor: Successor) -> AsyncIterator[tuple[Work, Window]]:
    async with work("critical") as at, lead(at, window_s=window_s, standby_s=STANDBY_S, successor=successor) as window:
        assert window is not None
        yield at, window


@contextmanager
def seat_taken(ledger: Ledger) -> Iterator[leadership.Leadership]:
    with leadership.acquire(ledger, tasks.window.LANE, timeout_s=1.0) as seat:
        assert seat is not None
        yield seat


async def stand_by(led: asyncio.Event, leave: asyncio.Event) -> None:
    """A successor, in a run of its own."""
    async with leading(60.0, Successor()):
        led.set()
        await leave.wait()


def store(ledger: Ledger, *keys: str) -> None:
    with ledger.write() as database:
        inbox.store(database, ledger.keys, [delivery(key) for key in keys])


def count(ledger: Ledger, state: str) -> int:
    with ledger.read() as database:
        return inbox.counts(database)[state]


async def test_a_run_that_finds_leader_and_standby_ends_at_once(ledger: Ledger) -> None:
    led, leave = asyncio.Event(), asyncio.Event()
    with seat_taken(ledger) as seat:
        standing = asyncio.create_task(stand_by(led, leave))
        await until(seat.successor_waits)
        said = await asyncio.wait_for(order_sync.fn(window_s=120.0), timeout=10.0)
        assert said == "a leader and a standby are in place"
    leave.set()
    await asyncio.wait_for(standing, timeout=30.0)


async def test_a_leader_whose_time_is_up_stays_until_a_successor_waits(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.window, "ASK_AGAIN_S", 0.0)
    successor = Successor()
    led, leave = asyncio.Event(), asyncio.Event()
    async with leading(0.0, successor) as (_, window):
        for asked in (1, 2, 3):
            assert not await window.over()
            assert successor.asked == asked
        standing = asyncio.create_task(stand_by(led, leave))
        async with asyncio.timeout(30.0):
            while not await window.over():
                await window.wait(0.01)
        assert not led.is_set()
        left_at = time.monotonic()
        await window.finish()
        await asyncio.wait_for(led.wait(), timeout=30.0)
        gap_s = time.monotonic() - left_at
    leave.set()
    await asyncio.wait_for(standing, timeout=30.0)
    assert gap_s < 5.0  # measured: 0.07 s on an idle machine


async def test_a_leader_with_a_successor_stays_until_its_time_is_up(ledger: Ledger) -> None:
    led, leave = asyncio.Event(), asyncio.Event()
    successor = Successor()
    async with leading(tasks.window.HAND_OVER_EARLY_S - 1.0, successor) as (_, window):
        standing = asyncio.create_task(stand_by(led, leave))
        await until(window._seat.successor_waits)
        assert not await window.over()
        assert successor.asked == 0
    leave.set()
    await asyncio.wait_for(standing, timeout=30.0)


async def test_a_leader_leads_on_while_prefects_server_is_away(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.window, "ASK_AGAIN_S", 0.0)
    successor = Successor(fails=True)
    async with leading(0.0, successor) as (at, window):
        assert not await window.over()
        assert not await window.over()
        store(at.ledger, "1")
        await until(lambda: count(ledger, "dead") == 1)
    assert successor.asked == 2


async def test_a_window_lasts_as_long_as_the_setting_says(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    @asynccontextmanager
    async def never(_: Work, *, window_s: float, **__: object) -> AsyncIterator[None]:
        asked.append(window_s)
        yield None

    monkeypatch.setattr("flows.order_sync.lead", never)
    monkeypatch.setenv("TRADEWIND_WINDOW_S", "33")
    await order_sync.fn()
    await order_sync.fn(window_s=44.0)
    assert asked == [33.0, 44.0]


async def test_nobody_is_asked_before_the_window_nears_its_end(ledger: Ledger) -> None:
    successor = Successor()
    async with leading(60.0, successor) as (_, window):
        assert not await window.over()
    assert successor.asked == 0


async def test_sigterm_finishes_what_is_in_hand_and_leaves_the_signal_as_it_was(ledger: Ledger) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with leading(60.0, Successor()) as (at, window):
        store(at.ledger, *(str(number) for number in range(300)))
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(30.0):
            while not await window.over():
                await window.wait(0.01)
        totals = await window.finish()
        assert count(ledger, "claimed") == 0
        assert count(ledger, "dead") == totals.taken == len(totals.dead)
    assert signal.getsignal(signal.SIGTERM) is before


async def test_sigterm_ends_a_standby(ledger: Ledger) -> None:
    with seat_taken(ledger) as seat:
        standing = asyncio.create_task(order_sync.fn(window_s=120.0))
        await until(seat.successor_waits)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(standing, timeout=30.0) == "a leader and a standby are in place"


async def test_a_loop_that_fails_ends_the_window_with_its_error(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tradewind.sync.runner.Applier.run_once", fail)
    with pytest.raises(ExceptionGroup) as raised:
        async with leading(60.0, Successor()) as (_, window):
            await asyncio.wait_for(lead_until_over(window), timeout=30.0)
    assert raised.group_contains(ZeroDivisionError)


async def test_what_runs_beside_a_window_does_not_hold_up_its_end() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async with asyncio.timeout(30.0), beside(endless(), grace_s=0.01):
        await asyncio.sleep(0)
    assert ended == ["cancelled"]


async def test_what_runs_beside_a_window_may_finish() -> None:
    ended: list[str] = []
    stop = asyncio.Event()

    async def brief() -> None:
        await stop.wait()
        ended.append("done")

    async with beside(brief(), grace_s=30.0):
        stop.set()
    assert ended == ["done"]
