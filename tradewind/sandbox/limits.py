"""A published rate limit, kept exactly: at most so many requests in any window of that length."""

import math
from collections import deque

from tradewind.sandbox.clock import Clock


class SlidingWindow:
    """Counts requests in the last `window_s` seconds. Refused requests do not count."""

    def __init__(self, clock: Clock, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self._clock = clock
        self._admitted_s: deque[float] = deque(maxlen=limit)

    def admit(self) -> bool:
        """Whether one more request fits now; if so it is counted."""
        now_s = self._clock.monotonic()
        if len(self._admitted_s) == self.limit and now_s - self._admitted_s[0] < self.window_s:
            return False
        self._admitted_s.append(now_s)
        return True

    def wait_s(self) -> int:
        """Whole seconds until a request fits again, at least one: a `Retry-After` value."""
        if not self._admitted_s:
            return 1
        return max(1, math.ceil(self._admitted_s[0] + self.window_s - self._clock.monotonic()))
