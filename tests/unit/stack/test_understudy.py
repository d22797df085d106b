"""The understudy: the same loops under the same leader lock, without Prefect."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sandboxes import eventually
from tests.unit.domain.orders import order_observed
from tests.unit.sync.desk import tell
from tradewind.ledger import inbox, leadership
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.stack.environment import stack_environment
from tradewind.stack.understudy import LANE, understudy


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path)


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = open_ledger(settings, migrate=True)
    yield opened
    opened.close()


def applied(ledger: Ledger) -> int:
    with ledger.read() as database:
        return inbox.counts(database)["applied"]


async def test_it_applies_what_waits_until_it_is_told_to_stop(ledger: Ledger, settings: Settings) -> None:
    tell(ledger, order_observed())
    stopping = asyncio.Event()
    leading = asyncio.create_task(understudy(ledger, settings, stopping))
    await asyncio.to_thread(eventually, lambda: applied(ledger) == 1)
    assert not leading.done()
    stopping.set()
    await asyncio.wait_for(leading, 20)
    with leadership.acquire(ledger, LANE, timeout_s=5.0) as seat:
        assert seat is not None


async def test_it_waits_while_another_leads(ledger: Ledger, settings: Settings) -> None:
    stopping = asyncio.Event()
    with ExitStack() as led:
        assert led.enter_context(leadership.acquire(ledger, LANE, timeout_s=5.0)) is not None
        waiting = asyncio.create_task(understudy(ledger, settings, stopping))
        tell(ledger, order_observed())
        await asyncio.sleep(0.2)
        assert applied(ledger) == 0
        stopping.set()
        await asyncio.wait_for(waiting, 20)
    assert applied(ledger) == 0


def test_as_a_process_it_ends_at_sigterm(ledger: Ledger, settings: Settings) -> None:
    tell(ledger, order_observed())
    command = [sys.executable, "-m", "tradewind.stack.understudy"]
    process = subprocess.Popen(command, env=stack_environment(settings), stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: applied(ledger) == 1, timeout_s=60)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
