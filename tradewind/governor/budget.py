"""What a connection may spend, and in which lane a call spends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Lane = Literal["critical", "normal", "deferred"]

LANE_RANK: dict[Lane, int] = {"critical": 0, "normal": 1, "deferred": 2}

_lane: ContextVar[Lane] = ContextVar("tradewind_lane", default="critical")


@dataclass(frozen=True)
class Budget:
    """A provider's published limit, in the provider's own units (calls, or points of query cost).

    capacity: burst. per_second: sustained. critical_reserve: fraction of the capacity that only critical calls may
    draw on. max_concurrency: calls in flight at once. initial: fraction of the capacity at hand when a process starts;
    0 makes processes that follow one another spend no more than a single one would.
    """

    name: str
    capacity: float
    per_second: float
    critical_reserve: float = 0.2
    max_concurrency: int = 8
    initial: float = 0.0


@contextmanager
def lane(name: Lane) -> Iterator[None]:
    """Every call made inside goes in this lane, unless it names one itself."""
    token = _lane.set(name)
    try:
        yield
    finally:
        _lane.reset(token)


def current_lane() -> Lane:
    """The lane set by `lane`, critical outside of it."""
    return _lane.get()
