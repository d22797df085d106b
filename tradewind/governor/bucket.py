"""A token bucket that can never hand out more than its capacity plus its rate times the time passed."""

from __future__ import annotations

_SHORTEST_WAIT_S = 0.001  # below it, rounding could make a waiter spin without time passing


class TokenBucket:
    def __init__(self, capacity: float, per_second: float, tokens: float, now: float) -> None:
        self.capacity = capacity
        self.per_second = per_second
        self._tokens = min(tokens, capacity)
        self._at = now

    def tokens(self, now: float) -> float:
        """What is at hand. A clock that goes back adds nothing."""
        if now > self._at:
            self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.per_second)
            self._at = now
        return self._tokens

    def take(self, amount: float, now: float, *, keep: float = 0.0) -> float:
        """Take `amount` and give 0.0, or take nothing and give the seconds to wait before trying again.

        keep: what must remain afterwards; a full bucket grants any amount up to its capacity regardless.
        Raises ValueError for more than the capacity: no waiting would ever grant it.
        """
        if amount > self.capacity:
            raise ValueError(f"a call that costs {amount} does not fit a budget of {self.capacity}")
        wait_s = self.wait(amount, now, keep=keep)
        if not wait_s:
            self._tokens -= amount
        return wait_s

    def wait(self, amount: float, now: float, *, keep: float = 0.0) -> float:
        """Seconds until `amount` can be taken; 0.0 when it can be taken now."""
        missing = min(amount + keep, self.capacity) - self.tokens(now)
        if missing <= 0:
            return 0.0
        return max(missing / self.per_second, _SHORTEST_WAIT_S)

    def owe(self, amount: float, now: float) -> None:
        """Take `amount` whatever is at hand; the next takers wait for the debt."""
        self._tokens = self.tokens(now) - amount

    def give_back(self, amount: float, now: float) -> None:
        self._tokens = min(self.capacity, self.tokens(now) + amount)

    def lower_to(self, tokens: float, now: float) -> None:
        """Correct what is at hand downwards; never upwards."""
        self._tokens = min(self.tokens(now), tokens)

    def resize(self, capacity: float, per_second: float, now: float) -> None:
        """Another size from now on; tokens above the new capacity are gone."""
        self._tokens = min(self.tokens(now), capacity)
        self.capacity, self.per_second = capacity, per_second
