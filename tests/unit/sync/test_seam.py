"""The seam: ledger functions run off the event loop, their results and errors come back."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tradewind.sync.seam import in_thread


async def test_a_function_runs_in_a_thread_of_the_ledgers_own() -> None:
    name = await in_thread(lambda: threading.current_thread().name)
    assert name.startswith("ledger")


async def test_arguments_results_and_errors_pass() -> None:
    assert await in_thread(lambda a, *, b: (a, b), 1, b=2) == (1, 2)
    with pytest.raises(KeyError):
        await in_thread(dict[str, str]().__getitem__, "x")


async def test_the_loop_goes_on_meanwhile() -> None:
    released = threading.Event()
    waiting = asyncio.create_task(in_thread(released.wait, 10))
    await asyncio.sleep(0)
    assert not waiting.done()
    released.set()
    assert await waiting
