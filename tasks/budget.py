"""The budget that all processes share, through Prefect's global concurrency limits with slot decay.

A process leases a slice, about one second's worth, and spends it locally, because one acquire costs 7-220 ms. The
limits are created from the same `limits.py` that the governor reads (see `deployments/limits.py`). When Prefect does
not answer in time the process falls back to a safe share of the budget: correctness never hangs on a slot.
"""

from __future__ import annotations

import asyncio
import logging
import math

import httpx
from prefect.client.orchestration import PrefectClient, get_client

from tradewind.governor import Budget, Clock, Lane, ShareLeases, SystemClock

_log = logging.getLogger("tradewind.budget")

DEADLINE_S = 2.0
AWAY_S = 10.0
HOLD_S = 2.0
SAFE_SHARE = 0.25
"""Of the budget, for each of at most four processes that call providers at one time."""


def limit_name(connection: str) -> str:
    """The name of a connection's global concurrency limit."""
    return f"budget-{connection.replace(':', '-')}"


class PrefectLeases:
    """A lease source on Prefect's slots. What was leased and not spent within HOLD_S is let go: the shared bucket has
    refilled meanwhile, and spending it late would add to a burst."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._held: dict[str, tuple[float, float]] = {}
        self._fallback = ShareLeases(SAFE_SHARE, self._clock)
        self._away_until = 0.0
        self._prefect: PrefectClient | None = None

    async def lease(self, connection: str, budget: Budget, amount: float, lane: Lane) -> float:
        """0.0: granted. Otherwise the seconds before asking again."""
        if self._spend(connection, amount):
            return 0.0
        if self._clock.monotonic() < self._away_until:
            return await self._fallback.lease(connection, budget, amount, lane)
        slots = math.ceil(max(amount, min(budget.per_second, budget.capacity / 2)))
        try:
            async with asyncio.timeout(DEADLINE_S):
                granted = await self._acquire(connection, slots)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            _log.warning("no lease for %s from Prefect, a safe share instead: %r", connection, error)
            self._away_until = self._clock.monotonic() + AWAY_S
            return await self._fallback.lease(connection, budget, amount, lane)
        if not granted:
            return max(0.05, amount / budget.per_second)
        self._hold(connection, slots - amount)
        return 0.0

    def give_back(self, connection: str, budget: Budget, amount: float) -> None:
        self._hold(connection, min(amount, budget.capacity))

    async def aclose(self) -> None:
        if self._prefect is not None:
            await self._prefect.__aexit__(None, None, None)
            self._prefect = None

    def _available(self, connection: str) -> float:
        amount, until = self._held.get(connection, (0.0, 0.0))
        return amount if self._clock.monotonic() < until else 0.0

    def _hold(self, connection: str, amount: float) -> None:
        self._held[connection] = (self._available(connection) + amount, self._clock.monotonic() + HOLD_S)

    def _spend(self, connection: str, amount: float) -> bool:
        held = self._available(connection)
        if held < amount:
            return False
        self._held[connection] = (held - amount, self._held[connection][1])
        return True

    async def _acquire(self, connection: str, slots: int) -> bool:
        """Take slots without waiting at the server. Raises httpx.HTTPError when it does not answer as it should."""
        if self._prefect is None:
            self._prefect = await get_client().__aenter__()
        try:
            answer = await self._prefect.increment_concurrency_slots(
                names=[limit_name(connection)], slots=slots, mode="rate_limit"
            )
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.LOCKED:
                return False
            raise
        if not answer.json():
            raise httpx.HTTPError(f"Prefect has no limit {limit_name(connection)}; run `tradewind deploy`")
        return True
