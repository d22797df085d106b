"""The queue in front of one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tradewind.errors import ProviderUnavailable, RateLimited
from tradewind.governor.breaker import CircuitBreaker
from tradewind.governor.bucket import TokenBucket
from tradewind.governor.budget import LANE_RANK, Budget, Lane
from tradewind.governor.clock import Clock
from tradewind.governor.leases import LeaseSource

LONGEST_WAIT_S: dict[Lane, float] = {"critical": 20.0, "normal": 60.0, "deferred": 300.0}
PROMOTED_AFTER_S = 30.0


class Gate:
    """Calls enter one at a time, by lane and then in order of arrival.

    A critical call waits at most for the one admission under way; the last place in flight is kept for critical calls.
    A normal call that has waited 30 s goes as a critical one: while critical calls alone use the whole budget, a sweep
    would otherwise never come through, and what webhooks missed would stay missed.
    """

    def __init__(
        self, connection: str, budget: Budget, leases: LeaseSource, clock: Clock, tickets: Iterator[int]
    ) -> None:
        self.budget = budget
        self.breaker = CircuitBreaker()
        self._connection = connection
        self._leases = leases
        self._clock = clock
        self._tickets = tickets
        self._queue: set[tuple[int, int]] = set()
        self._in_flight: dict[Lane, int] = dict.fromkeys(LANE_RANK, 0)
        self._spending = 0.0
        self._changed = asyncio.Event()
        self._leasing = asyncio.Lock()
        self._closed_until = 0.0
        self._observed: TokenBucket | None = None

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def enter(self, cost: float, lane: Lane) -> Lane:
        """Return when the call may go, with the lane in which it goes.

        Raises ProviderUnavailable (circuit open), RateLimited (too long to wait).
        """
        serial, began = next(self._tickets), self._clock.monotonic()
        deadline = began + LONGEST_WAIT_S[lane]
        promoted_at = began + PROMOTED_AFTER_S if lane == "normal" else deadline
        ticket = (LANE_RANK[lane], serial)
        self._queue.add(ticket)
        try:
            while (wait_s := await self._attempt(ticket, cost, lane)) != 0.0:
                now = self._clock.monotonic()
                if now + (wait_s or 0.0) > deadline:
                    raise RateLimited(f"{self._connection}: no budget within the lane's time", retry_after_s=wait_s)
                if now >= promoted_at and lane == "normal":
                    self._queue.discard(ticket)
                    lane, ticket = "critical", (LANE_RANK["critical"], serial)
                    self._queue.add(ticket)
                    continue
                until = promoted_at if lane == "normal" else deadline
                await self._pause(min(wait_s, until - now) if wait_s else until - now + 0.001)
            return lane
        finally:
            self._queue.discard(ticket)
            self._wake()

    def leave(self, cost: float, lane: Lane) -> None:
        """End a call that entered in this lane, as `enter` gave it."""
        self._in_flight[lane] -= 1
        self._spending -= cost
        self._wake()

    def observe(
        self,
        remaining: float | None,
        restore_per_s: float | None,
        retry_after_s: float | None,
        refunded: float,
        cost: float,
    ) -> None:
        """See `Governor.feedback`. What others spend at the same account shows only in `remaining`."""
        now = self._clock.monotonic()
        if refunded > 0:
            self._leases.give_back(self._connection, self.budget, refunded)
        if remaining is not None:
            rate = restore_per_s or self.budget.per_second
            # What else is in flight may not be in `remaining` yet: counting it twice errs on the safe side.
            left = remaining - (self._spending - cost)
            self._observed = TokenBucket(max(self.budget.capacity, remaining), rate, left, now)
        if retry_after_s is not None:
            self._closed_until = max(self._closed_until, now + retry_after_s)
        self._wake()

    async def _attempt(self, ticket: tuple[int, int], cost: float, lane: Lane) -> float | None:
        """0.0: admitted. Seconds to wait, or None: until something changes."""
        if not self._is_next(ticket, lane):
            return None
        async with self._leasing:
            # Asked again: the queue may have changed while another call was being granted its lease.
            if not self._is_next(ticket, lane):
                return None
            wait_s = self._held_back_for(cost) or await self._leases.lease(self._connection, self.budget, cost, lane)
            if wait_s == 0.0:
                self._start(cost, lane)
            return wait_s

    def _is_next(self, ticket: tuple[int, int], lane: Lane) -> bool:
        refused_s = self.breaker.refuses_for(self._clock.monotonic())
        if refused_s is not None:
            raise ProviderUnavailable(f"{self._connection}: circuit open", retry_after_s=refused_s)
        return ticket == min(self._queue) and self._has_place(lane)

    def _start(self, cost: float, lane: Lane) -> None:
        if self._observed is not None:
            self._observed.owe(cost, self._clock.monotonic())
        self._in_flight[lane] += 1
        self._spending += cost
        self.breaker.started()

    def _has_place(self, lane: Lane) -> bool:
        total, most = sum(self._in_flight.values()), self.budget.max_concurrency
        if lane == "critical":
            return total < most
        return total - self._in_flight["critical"] < max(1, most - 1) and total < most

    def _held_back_for(self, cost: float) -> float:
        now = self._clock.monotonic()
        observed_s = self._observed.wait(cost, now) if self._observed is not None else 0.0
        return max(self._closed_until - now, observed_s, 0.0)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _pause(self, seconds: float) -> None:
        changed = asyncio.ensure_future(self._changed.wait())
        elapsed = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({changed, elapsed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            elapsed.cancel()
