"""Keep a standing stack up: start again what dies, and lead without Prefect while its server is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import httpx

from tradewind.stack.process import Part
from tradewind.stack.stack import Stack

CHECK_S = 1.0
AWAY_S = 20.0
RESTART_SPACING_S = 5.0

Report = Callable[[str], None]


class Watch:
    """Watches a started stack. report: is told what happens, a line each."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self._stack = stack
        self._report = report
        self._understudy = stack.module("understudy", "tradewind.stack.understudy")
        self._started: dict[str, float] = {}
        self._away_since: float | None = None
        self._successor: str | None = None

    def until(self, stopping: threading.Event) -> None:
        """Watch until `stopping` is set, then stop the understudy; the stack itself is the caller's to stop."""
        try:
            while not stopping.wait(CHECK_S):
                for part in self._stack.parts:
                    self._revive(part)
                self._stand_in()
        finally:
            self._understudy.stop()

    def _revive(self, part: Part) -> None:
        if part.running or time.monotonic() - self._started.get(part.name, 0.0) < RESTART_SPACING_S:
            return
        self._report(f"{part.name} had ended and is started again; see {part.log}")
        self._started[part.name] = time.monotonic()
        part.start()

    def _stand_in(self) -> None:
        if self._stack.prefect.healthy():
            self._away_since = None
            if self._understudy.running:
                self._hand_back()
            return
        self._successor = None
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > AWAY_S and not self._understudy.running:
            self._report("Prefect's server is away: orders go on without it")
            self._understudy.start()

    def _hand_back(self) -> None:
        """Stop the understudy once a run of order-sync has begun, and not at the next minute's schedule: it leads until
        then, and the run stands by."""
        with suppress(httpx.HTTPError):  # the server may be away again: then the understudy goes on
            if self._successor is None:
                self._successor = self._stack.run_order_sync()
            if self._stack.prefect.state(self._successor) not in ("SCHEDULED", "PENDING"):
                self._report("Prefect's server is back: order-sync leads again")
                self._understudy.stop()
                self._successor = None
