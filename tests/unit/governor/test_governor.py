import asyncio

import pytest

from tests.unit.governor.virtual_clock import VirtualClock
from tradewind.errors import OutcomeUnknown, ProviderUnavailable, RateLimited, RequestRejected
from tradewind.governor import Budget, Governor
from tradewind.governor.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S

NAME = "shipstation:main"


def governed(**budget):
    clock = VirtualClock()
    governor = Governor(clock=clock)
    governor.register(NAME, Budget(NAME, **{"capacity": 10, "per_second": 1, "initial": 1.0, **budget}))
    return governor, clock


async def call(governor, *, cost=1, lane="critical", lasts_s=0.0, log=None, fails=None):
    async with governor.admit(NAME, cost, lane):
        if log is not None:
            log.append((governor.clock.monotonic(), lane))
        if lasts_s:
            await governor.clock.sleep(lasts_s)
        if fails:
            raise fails


async def test_a_call_waits_until_the_budget_allows_it():
    governor, clock = governed(capacity=2)
    log = []

    async def work():
        for _ in range(4):
            await call(governor, log=log)

    await clock.run(work())
    assert [at for at, _ in log] == [0.0, 0.0, 1.0, 2.0]


async def test_critical_calls_pass_waiting_ones():
    governor, clock = governed(capacity=1, critical_reserve=0)
    log = []

    async def work():
        await call(governor)
        waiting = [asyncio.ensure_future(call(governor, lane="deferred", log=log)) for _ in range(3)]
        await clock.sleep(0.5)
        waiting += [asyncio.ensure_future(call(governor, lane=lane, log=log)) for lane in ("normal", "critical")]
        await asyncio.gather(*waiting)

    await clock.run(work())
    assert [lane for _, lane in log] == ["critical", "normal", "deferred", "deferred", "deferred"]


async def test_calls_of_a_lane_go_in_order_of_arrival():
    governor, clock = governed(capacity=1)
    done = []

    async def one(number):
        async with governor.admit(NAME, 1, "critical"):
            done.append(number)

    async def work():
        await asyncio.gather(*(one(number) for number in range(5)))

    await clock.run(work())
    assert done == [0, 1, 2, 3, 4]


async def test_no_more_calls_than_allowed_are_in_flight():
    governor, clock = governed(max_concurrency=2)
    log = []

    async def work():
        await asyncio.gather(*(call(governor, lasts_s=10, log=log) for _ in range(4)))

    await clock.run(work())
    assert [at for at, _ in log] == [0.0, 0.0, 10.0, 10.0]


async def test_slow_deferred_calls_leave_a_place_for_critical_ones():
    governor, clock = governed(max_concurrency=2)
    log = []

    async def work():
        slow = [asyncio.ensure_future(call(governor, lane="deferred", lasts_s=60, log=log)) for _ in range(2)]
        await clock.sleep(1)
        await call(governor, log=log)
        await asyncio.gather(*slow)

    await clock.run(work())
    assert log == [(0.0, "deferred"), (1.0, "critical"), (60.0, "deferred")]


async def test_a_normal_call_is_not_starved_by_critical_ones():
    governor, clock = governed(capacity=2, per_second=1)
    log = []

    async def buy_all_the_time():
        while clock.elapsed_s < 50:
            await call(governor)

    async def work():
        busy = [asyncio.ensure_future(buy_all_the_time()) for _ in range(3)]
        await clock.sleep(5)
        await asyncio.gather(call(governor, lane="normal", log=log), *busy)

    await clock.run(work())
    ((at, lane),) = log
    assert (35 <= at <= 37, lane) == (True, "normal")


async def test_a_deferred_call_waits_as_long_as_critical_ones_need_the_budget():
    governor, clock = governed(capacity=2, per_second=1)
    log = []

    async def buy_all_the_time():
        while clock.elapsed_s < 100:
            await call(governor)

    async def work():
        busy = [asyncio.ensure_future(buy_all_the_time()) for _ in range(3)]
        await asyncio.gather(call(governor, lane="deferred", log=log), *busy)

    await clock.run(work())
    assert log[0][0] > 100


async def test_waiting_too_long_is_refused_and_nothing_was_sent():
    governor, clock = governed()
    governor.feedback(NAME, retry_after_s=120)
    with pytest.raises(RateLimited) as refused:
        await clock.run(call(governor))
    assert refused.value.retry_after_s == 120
    assert clock.elapsed_s == 0
    await clock.run(call(governor, lane="deferred"))
    assert clock.elapsed_s == 120


async def test_a_place_that_never_comes_free_is_refused_in_time():
    governor, clock = governed(max_concurrency=1)

    async def work():
        holder = asyncio.ensure_future(call(governor, lasts_s=500))
        await clock.sleep(0)
        with pytest.raises(RateLimited):
            await call(governor)
        assert 20 <= clock.elapsed_s < 21
        await holder

    await clock.run(work())


async def test_what_the_provider_says_is_left_holds_calls_back():
    governor, clock = governed()
    governor.feedback(NAME, remaining=0, restore_per_s=0.5)
    await clock.run(call(governor))
    assert clock.elapsed_s == pytest.approx(2.0)


async def test_refunded_cost_can_be_spent_again():
    governor, clock = governed(capacity=4)

    async def work():
        await call(governor, cost=4)
        governor.feedback(NAME, refunded=3)
        await call(governor, cost=3)

    await clock.run(work())
    assert clock.elapsed_s == 0


async def test_the_circuit_opens_after_failures_in_a_row_and_closes_by_a_probe():
    governor, clock = governed()

    async def work():
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(OutcomeUnknown):
                await call(governor, fails=OutcomeUnknown("timeout"))
        log = []
        with pytest.raises(ProviderUnavailable) as refused:
            await call(governor, log=log)
        assert log == []
        assert refused.value.retry_after_s == FIRST_PAUSE_S
        await clock.sleep(FIRST_PAUSE_S)
        probe = asyncio.ensure_future(call(governor, lasts_s=1))
        await clock.sleep(0.5)
        with pytest.raises(ProviderUnavailable):  # one probe at a time
            await call(governor)
        await probe
        await call(governor)

    await clock.run(work())


async def test_a_failed_probe_doubles_the_pause():
    governor, clock = governed()

    async def work():
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(ProviderUnavailable):
                await call(governor, fails=ProviderUnavailable("down"))
        await clock.sleep(FIRST_PAUSE_S)
        with pytest.raises(ProviderUnavailable):
            await call(governor, fails=ProviderUnavailable("still down"))
        with pytest.raises(ProviderUnavailable) as refused:
            await call(governor)
        assert refused.value.retry_after_s == 2 * FIRST_PAUSE_S

    await clock.run(work())


async def test_answers_of_any_kind_keep_the_circuit_closed():
    governor, clock = governed(capacity=100)

    async def work():
        for _ in range(FAILURES_TO_OPEN - 1):
            with pytest.raises(ProviderUnavailable):
                await call(governor, fails=ProviderUnavailable("down"))
        with pytest.raises(RequestRejected):
            await call(governor, fails=RequestRejected("no", status=400))
        with pytest.raises(ProviderUnavailable):
            await call(governor, fails=ProviderUnavailable("down"))
        await call(governor)

    await clock.run(work())


async def test_those_who_wait_hear_that_the_circuit_has_opened():
    governor, clock = governed(max_concurrency=1, capacity=100)

    async def work():
        for _ in range(FAILURES_TO_OPEN - 1):
            with pytest.raises(ProviderUnavailable):
                await call(governor, fails=ProviderUnavailable("down"))
        last = asyncio.ensure_future(call(governor, lasts_s=3, fails=ProviderUnavailable("down")))
        await clock.sleep(1)
        waiting = asyncio.ensure_future(call(governor))
        results = await asyncio.gather(last, waiting, return_exceptions=True)
        assert [type(result) for result in results] == [ProviderUnavailable, ProviderUnavailable]
        assert clock.elapsed_s == 3

    await clock.run(work())


async def test_a_cancelled_waiter_does_not_block_the_queue():
    governor, clock = governed(capacity=1)

    async def work():
        await call(governor)
        first = asyncio.ensure_future(call(governor))
        second = asyncio.ensure_future(call(governor))
        await clock.sleep(0.2)
        first.cancel()
        await second
        assert clock.elapsed_s == pytest.approx(1.0, abs=0.01)
        assert governor.waiting(NAME) == 0
        await asyncio.gather(first, return_exceptions=True)

    await clock.run(work())


async def test_a_cancelled_call_gives_its_place_back():
    governor, clock = governed(max_concurrency=1)

    async def work():
        running = asyncio.ensure_future(call(governor, lasts_s=100))
        await clock.sleep(1)
        running.cancel()
        await call(governor)
        assert clock.elapsed_s == 1
        await asyncio.gather(running, return_exceptions=True)

    await clock.run(work())
