"""Work that the store does after it has answered."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from tradewind.sandbox.clock import Clock
from tradewind.sandbox.shopify.refusal import RefusalError


@dataclass(eq=False)
class Job:
    """A piece of such work. id: a UUID, as in the API."""

    id: str
    done: bool = False


class Jobs:
    """All jobs of a store."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self.by_id: dict[str, Job] = {}

    def start(self, job_id: str, *, after_s: float, act: Callable[[], object]) -> Job:
        """Do something later. What is refused by then is simply not done: the job is done all the same."""
        job = self.by_id[job_id] = Job(job_id)
        task = asyncio.get_running_loop().create_task(self._run(job, after_s, act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def stop(self) -> None:
        """Leave what has not been done yet."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, job: Job, after_s: float, act: Callable[[], object]) -> None:
        await self._clock.sleep(after_s)
        with contextlib.suppress(RefusalError):
            act()
        job.done = True
