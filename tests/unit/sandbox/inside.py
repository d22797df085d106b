"""A sandbox inside the test: its clock stands still, its requests cross no socket, its webhooks land in a list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tradewind.sandbox import Sandbox, create_sandbox
from tradewind.sandbox.clock import ManualClock
from tradewind.sandbox.in_process import InProcess


@dataclass
class Inside:
    """The sandbox, its clock, a client of it, and what was sent to subscribers."""

    sandbox: Sandbox
    clock: ManualClock
    http: httpx.AsyncClient
    received: list[httpx.Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def take(self, request: httpx.Request) -> httpx.Response:
        """A subscriber: `answers` first, then 200."""
        self.received.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def inside(seed: int = 1, faults: str = "none") -> AsyncIterator[Inside]:
    """A sandbox with its webhooks switched on."""
    clock = ManualClock()
    sandbox = create_sandbox(seed=seed, faults=faults, base_url="http://sandbox", clock=clock)
    async with httpx.AsyncClient(transport=InProcess(sandbox), base_url="http://sandbox") as http:
        stage = Inside(sandbox, clock, http)
        await sandbox.start(httpx.AsyncClient(transport=httpx.MockTransport(stage.take)))
        yield stage
        await sandbox.stop()
