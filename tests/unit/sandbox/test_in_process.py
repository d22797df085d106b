"""The sandbox in process, under a clock that is stepped: the same seed gives the same run, whatever goes wrong."""

import asyncio
import hashlib

import httpx
import pytest

from tests.unit.sandbox.inside import inside
from tradewind.sandbox import create_sandbox
from tradewind.sandbox.clock import ManualClock, within
from tradewind.sandbox.faults import Rate

TOPICS = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_EDITED", "REFUNDS_CREATE", "INVENTORY_LEVELS_UPDATE")


async def run(seed: int) -> list[tuple[float, str]]:
    """When which webhook arrived, in a world where much happens to orders and to webhooks."""
    clock, arrived = ManualClock(), list[tuple[float, str]]()

    def take(request: httpx.Request) -> httpx.Response:
        arrived.append((clock.monotonic(), hashlib.sha256(request.content).hexdigest()))
        return httpx.Response(500 if len(arrived) % 7 == 0 else 200)

    sandbox = create_sandbox(seed=seed, faults="none", base_url="http://sandbox", clock=clock)
    sandbox.faults.set_rates({"duplicate": Rate(0.3, 60.0), "delay": Rate(0.2, 600.0), "lose": Rate(0.05)})
    for store in sandbox.shopify.values():
        for topic in TOPICS:
            store.subscriptions.create(topic, "http://127.0.0.1/hook", store.now())
    await sandbox.start(httpx.AsyncClient(transport=httpx.MockTransport(take)))
    sandbox.world.start(orders=25, rate_per_s=0.5, life="full")
    while clock.monotonic() < 3_000:
        for _ in range(30):
            await asyncio.sleep(0)
        if not clock.step():
            break
    await sandbox.stop()
    return arrived


async def test_the_same_seed_gives_the_same_run() -> None:
    first, second, other = await run(3), await run(3), await run(4)
    assert len(first) > 100
    assert first == second
    assert first != other


async def test_an_answer_that_was_cut_is_an_error_of_the_protocol() -> None:
    async with inside() as stage:
        stage.sandbox.faults.set_rates({"lost_answer": Rate(1.0)})
        url, seen = "/stripe/main/v1/charges", set()
        for _ in range(20):
            try:
                seen.add(str((await stage.http.get(url)).status_code))
            except httpx.RemoteProtocolError:
                seen.add("cut")
        assert seen == {"502", "cut"}


async def test_work_that_takes_too_long_is_cancelled() -> None:
    clock, cancelled = ManualClock(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(within(clock, 5.0, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(5.0)
    with pytest.raises(TimeoutError):
        await waiting
    assert cancelled.is_set()
    assert not clock.step(), "nobody waits any more"


async def test_work_that_is_done_in_time_leaves_nobody_waiting() -> None:
    clock = ManualClock()

    async def work() -> int:
        return 7

    assert await within(clock, 5.0, work()) == 7
    assert not clock.step()
