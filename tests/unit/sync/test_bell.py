"""The bell wakes everyone who waits, and nobody who comes later."""

from __future__ import annotations

import asyncio
import time

from tradewind.sync.bell import Bell


async def test_a_ring_wakes_all_who_wait() -> None:
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait(30.0)) for _ in range(3)]
    await asyncio.sleep(0)
    bell.ring()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)


async def test_a_ring_before_the_wait_is_not_remembered() -> None:
    bell = Bell()
    bell.ring()
    began = time.monotonic()
    await bell.wait(0.05)
    assert time.monotonic() - began >= 0.04


async def test_whoever_waits_again_waits_for_the_next_ring() -> None:
    bell = Bell()
    first = asyncio.create_task(bell.wait(30.0))
    await asyncio.sleep(0)
    bell.ring()
    await first
    second = asyncio.create_task(bell.wait(30.0))
    await asyncio.sleep(0)
    assert not second.done()
    bell.ring()
    async with asyncio.timeout(5):
        await second
