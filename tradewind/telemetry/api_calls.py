"""Every call to a provider, counted in this process and written as one structured log line."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

_log = logging.getLogger("tradewind.api")


@dataclass(frozen=True)
class ApiCall:
    """One call with all its tries. status: the last HTTP status, None without an answer. error: class of the error.

    latency_s: from the first try to the end, waits for budget included. throttled: refusals by the provider's limit.
    """

    connection: str
    operation: str
    status: int | None
    error: str | None
    latency_s: float
    tries: int
    throttled: int


@dataclass
class CallTotals:
    calls: int = 0
    tries: int = 0
    throttled: int = 0
    failures: int = 0
    latency_sum_s: float = 0.0
    latency_max_s: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, call: ApiCall) -> None:
        self.calls += 1
        self.tries += call.tries
        self.throttled += call.throttled
        self.latency_sum_s += call.latency_s
        self.latency_max_s = max(self.latency_max_s, call.latency_s)
        if call.error is not None:
            self.failures += 1
            self.errors[call.error] = self.errors.get(call.error, 0) + 1


class ApiCalls:
    """Totals per (connection, operation) since the process started."""

    def __init__(self) -> None:
        self._totals: defaultdict[tuple[str, str], CallTotals] = defaultdict(CallTotals)

    def record(self, call: ApiCall) -> None:
        self._totals[call.connection, call.operation].add(call)
        level = logging.DEBUG if call.error is None else logging.INFO
        _log.log(
            level,
            "api call connection=%s operation=%s status=%s error=%s latency_s=%.3f tries=%d throttled=%d",
            call.connection,
            call.operation,
            call.status,
            call.error,
            call.latency_s,
            call.tries,
            call.throttled,
        )

    @property
    def totals(self) -> Mapping[tuple[str, str], CallTotals]:
        return dict(self._totals)


api_calls = ApiCalls()
"""The process's own registry, which every transport uses unless it is given another."""
