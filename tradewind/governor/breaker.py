"""The circuit breaker: a provider that is down is left alone, then tried with a single call."""

from __future__ import annotations

FAILURES_TO_OPEN = 5
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class CircuitBreaker:
    """Closed until `FAILURES_TO_OPEN` calls in a row found the provider unavailable; then open for a pause that doubles

    with every failed probe, from `FIRST_PAUSE_S` to `LONGEST_PAUSE_S`; then half open: one probe at a time decides.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until: float | None = None
        self._probing = False

    def refuses_for(self, now: float) -> float | None:
        """Seconds for which calls are refused; None when a call may go."""
        if self._open_until is None:
            return None
        if now < self._open_until:
            return self._open_until - now
        return FIRST_PAUSE_S if self._probing else None

    def started(self) -> None:
        """A call that was let through is on its way."""
        self._probing = self._open_until is not None

    def abandoned(self) -> None:
        """A call ended without saying anything of the provider, e.g. it was cancelled."""
        self._probing = False

    def succeeded(self) -> None:
        self._failures, self._pause_s = 0, FIRST_PAUSE_S
        self._open_until, self._probing = None, False

    def failed(self, now: float) -> None:
        self._failures += 1
        if self._probing:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        if self._probing or self._failures >= FAILURES_TO_OPEN:
            self._open_until = now + self._pause_s
        self._probing = False
