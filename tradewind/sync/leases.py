"""The budget that all processes share, leased in slices from the ledger.

A process leases about half a second's worth, or the cost of the next call if that is more, and spends it locally. What
it does not spend in time, and what a provider gives back of a query's cost, goes back into the shared bucket.
"""

from __future__ import annotations

from dataclasses import dataclass

from tradewind.governor import Budget, Clock, Lane, SystemClock
from tradewind.ledger import budgets
from tradewind.ledger.engine import Ledger
from tradewind.sync.seam import in_thread

SLICE_S = 0.5
HOLD_S = 2.0


@dataclass
class _Held:
    amount: float = 0.0
    until: float = 0.0


class LedgerLeases:
    """A lease source (see `tradewind.governor.LeaseSource`) for every process on one ledger."""

    def __init__(self, ledger: Ledger, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self._clock = clock or SystemClock()
        self._held: dict[str, _Held] = {}

    async def lease(self, connection: str, budget: Budget, amount: float, lane: Lane) -> float:
        """0.0: granted. Otherwise nothing is taken, and these are the seconds before asking again.

        Raises ValueError when `amount` is more than the budget's capacity.
        """
        if amount > budget.capacity:
            raise ValueError(f"{connection}: a call that costs {amount} does not fit a budget of {budget.capacity}")
        held = self._held.setdefault(connection, _Held())
        fresh = self._clock.monotonic() < held.until
        if fresh and held.amount >= amount:
            held.amount -= amount
            return 0.0
        keep = 0.0 if lane == "critical" else budget.critical_reserve * budget.capacity
        returned, held.amount = held.amount, 0.0
        slice_ = max(amount, min(budget.per_second * SLICE_S, budget.capacity / 4))
        wait_s = await in_thread(self._take, connection, budget, slice_, keep, returned)
        if wait_s:
            return wait_s
        held.amount += slice_ - amount
        held.until = self._clock.monotonic() + HOLD_S
        return 0.0

    def give_back(self, connection: str, budget: Budget, amount: float) -> None:
        held = self._held.setdefault(connection, _Held())
        held.amount = min(budget.capacity, held.amount + amount)

    def _take(self, connection: str, budget: Budget, amount: float, keep: float, returned: float) -> float:
        with self._ledger.write() as database:
            return budgets.take(
                database,
                connection,
                amount,
                capacity=budget.capacity,
                per_second=budget.per_second,
                initial=budget.capacity * budget.initial,
                keep=keep,
                returned=returned,
            )
