"""Where the right to spend comes from: the whole budget, a safe share of it, or a source outside the core."""

from __future__ import annotations

from typing import Protocol

from tradewind.governor.bucket import TokenBucket
from tradewind.governor.budget import Budget, Lane
from tradewind.governor.clock import Clock, SystemClock


class LeaseSource(Protocol):
    async def lease(self, connection: str, budget: Budget, amount: float, lane: Lane) -> float:
        """0.0: granted, to be spent now. Otherwise nothing is taken, and these are the seconds before asking again."""
        ...

    def give_back(self, connection: str, budget: Budget, amount: float) -> None:
        """Return what was granted and not spent, e.g. the part of a query's cost that the provider refunds."""
        ...


class LocalLeases:
    """The whole budget is this process's.

    Whatever is asked for, the grants of any span of t seconds never exceed capacity + per_second x t. A new bucket
    holds `budget.initial` of its capacity, so processes that follow one another stay within the bound together.
    Not thread-safe: one per event loop.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._buckets: dict[str, TokenBucket] = {}

    @property
    def share(self) -> float:
        return 1.0

    async def lease(self, connection: str, budget: Budget, amount: float, lane: Lane) -> float:
        """Raises ValueError when `amount` is more than the budget's capacity."""
        if amount > budget.capacity:
            raise ValueError(f"{connection}: a call that costs {amount} does not fit a budget of {budget.capacity}")
        bucket, now = self._bucket(connection, budget), self._clock.monotonic()
        keep = 0.0 if lane == "critical" else budget.critical_reserve * bucket.capacity
        if amount <= bucket.capacity:
            return bucket.take(amount, now, keep=keep)
        # Only a share can be smaller than a call: it waits until the share is full and leaves a debt.
        wait_s = bucket.wait(bucket.capacity, now)
        if not wait_s:
            bucket.owe(amount, now)
        return wait_s

    def give_back(self, connection: str, budget: Budget, amount: float) -> None:
        self._bucket(connection, budget).give_back(amount, self._clock.monotonic())

    def _bucket(self, connection: str, budget: Budget) -> TokenBucket:
        now, share = self._clock.monotonic(), self.share
        capacity, per_second = budget.capacity * share, budget.per_second * share
        bucket = self._buckets.get(connection)
        if bucket is None:
            bucket = TokenBucket(capacity, per_second, capacity * budget.initial, now)
            self._buckets[connection] = bucket
        elif (bucket.capacity, bucket.per_second) != (capacity, per_second):
            bucket.resize(capacity, per_second, now)
        return bucket


class ShareLeases(LocalLeases):
    """A fixed share of every budget: safe without asking anyone, as long as the live processes' shares add up to one.

    share: 0 < share <= 1; may be set again when processes come and go.
    """

    def __init__(self, share: float, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.set_share(share)

    @property
    def share(self) -> float:
        return self._share

    def set_share(self, share: float) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"a share is above 0 and at most 1, not {share}")
        self._share = share
