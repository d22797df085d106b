"""Outgoing webhooks: each provider's own retry schedule, and the webhook faults."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from tradewind.sandbox.clock import Clock, within
from tradewind.sandbox.faults import Faults
from tradewind.sandbox.truth import Truth

_AT_ONCE: Final = 64  # requests under way


def _nothing() -> None:
    """What most providers do when a hook was delivered, or when its last attempt has failed."""


@dataclass(frozen=True)
class Hook:
    """One message to one subscriber. A duplicate is the same hook sent again."""

    connection: str  # "shopify:north"
    url: str
    topic: str
    body: bytes
    headers: Callable[[datetime], dict[str, str]]  # called for each attempt: some providers sign its time
    retry_after_s: tuple[float, ...]  # pause before each further attempt, as the provider documents
    timeout_s: float
    on_give_up: Callable[[], None] = _nothing
    on_delivered: Callable[[], None] = _nothing


class Sender:
    """Delivers hooks over HTTP. What is sent before `start` waits in `backlog`."""

    def __init__(self, *, clock: Clock, faults: Faults, truth: Truth, rng: random.Random) -> None:
        self._clock = clock
        self._faults = faults
        self._truth = truth
        self._rng = rng
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._first_attempts_due = 0
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.backlog: list[Hook] = []

    @property
    def idle(self) -> bool:
        """Nothing is on its way or held back; hooks that wait for a retry after a refusal do not count."""
        return not self.backlog and self._first_attempts_due == 0

    async def start(self, client: httpx.AsyncClient | None = None) -> None:
        """Begin to deliver. client: another way out than the network; it is closed at `stop`."""
        limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=32)
        self._client = client or httpx.AsyncClient(limits=limits, trust_env=False)
        waiting, self.backlog = self.backlog, []
        for hook in waiting:
            self.send(hook)

    async def stop(self) -> None:
        """Drop what has not been delivered."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def send(self, hook: Hook) -> None:
        """Schedule delivery. Returns at once."""
        if self._client is None:
            self.backlog.append(hook)
            return
        for pause_s in self._departures():
            self._first_attempts_due += 1
            task = asyncio.get_running_loop().create_task(self._deliver(hook, pause_s))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _departures(self) -> list[float]:
        """When copies of one hook leave, in seconds from now: none if lost, two if duplicated."""
        lost = self._faults.strikes("lose", self._rng)
        pause_s = sum(
            self._faults.length_s(kind, self._rng)
            for kind in ("reorder", "delay")
            if self._faults.strikes(kind, self._rng)
        )
        duplicated = self._faults.strikes("duplicate", self._rng)
        if lost:
            return []
        if duplicated:
            return [pause_s, pause_s + self._faults.length_s("duplicate", self._rng)]
        return [pause_s]

    async def _deliver(self, hook: Hook, pause_s: float) -> None:
        try:
            if pause_s:
                await self._clock.sleep(pause_s)
            delivered = await self._attempt(hook)
        finally:
            self._first_attempts_due -= 1
        if delivered or await self._delivered_later(hook):
            hook.on_delivered()
            return
        self._truth.record("webhook_given_up", connection=hook.connection, topic=hook.topic)
        hook.on_give_up()

    async def _delivered_later(self, hook: Hook) -> bool:
        for retry_after_s in hook.retry_after_s:
            await self._clock.sleep(retry_after_s)
            if await self._attempt(hook):
                return True
        return False

    async def _attempt(self, hook: Hook) -> bool:
        """One POST: delivered if answered 2xx within the provider's time-out, by the sandbox's clock."""
        assert self._client is not None
        status: int | None = None
        # Waiting for a turn is no fault of the subscriber.
        async with self._slots:
            post = self._client.post(hook.url, content=hook.body, headers=hook.headers(self._clock.now()), timeout=None)
            with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError):
                status = (await within(self._clock, hook.timeout_s, post)).status_code
        self._truth.count_attempt(hook.connection, hook.topic, status)
        return status is not None and 200 <= status < 300
