"""The leaky bucket of calculated query cost."""

from typing import Final

from tradewind.sandbox.clock import Clock

# Standard plan: 100 points a second (shopify.dev, "GraphQL Admin API rate limits"); stores on it answer with 2000.
MAXIMUM: Final = 2000.0
RESTORE_PER_S: Final = 100.0
SINGLE_QUERY_MAXIMUM: Final = 1000


class Throttle:
    """The points of one app in one store."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._available = MAXIMUM
        self._counted_s = clock.monotonic()

    def affords(self, cost: int) -> bool:
        """Whether the bucket has room for a query of this requested cost."""
        self._restore()
        return cost <= self._available

    def spend(self, cost: int) -> None:
        """Take the actual cost of a query that ran."""
        self._restore()
        self._available -= cost

    def status(self) -> dict[str, float]:
        """What answers say under extensions.cost.throttleStatus."""
        self._restore()
        return {
            "maximumAvailable": MAXIMUM,
            "currentlyAvailable": int(self._available),
            "restoreRate": RESTORE_PER_S,
        }

    def _restore(self) -> None:
        now_s = self._clock.monotonic()
        self._available = min(MAXIMUM, self._available + (now_s - self._counted_s) * RESTORE_PER_S)
        self._counted_s = now_s
