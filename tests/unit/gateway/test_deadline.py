"""One timer for all deadlines: who is late is cut off, who is not is left alone."""

import asyncio

import pytest

from tradewind.gateway.deadline import Deadlines


async def work(deadlines: Deadlines, seconds: float) -> str:
    with deadlines.begin():
        await asyncio.sleep(seconds)
    return "done"


async def test_work_in_time_is_left_alone_also_afterwards() -> None:
    assert await work(Deadlines(0.05), 0.0) == "done"
    await asyncio.sleep(0.15)


async def test_what_is_late_is_cut_off_and_the_others_go_on() -> None:
    deadlines = Deadlines(0.2)
    late, early = asyncio.create_task(work(deadlines, 60)), asyncio.create_task(work(deadlines, 0.01))
    assert await early == "done"
    with pytest.raises(TimeoutError):
        await late
    assert await work(deadlines, 0.01) == "done"


async def test_a_task_that_somebody_else_cancels_ends_as_cancelled() -> None:
    task = asyncio.create_task(work(Deadlines(60), 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), Deadlines(60).begin():
        raise ZeroDivisionError
