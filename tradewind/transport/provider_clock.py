"""The provider's clock, as its answers show it while a piece of work reads from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

import httpx

from tradewind.transport.answers import date_of


@dataclass
class ProviderClock:
    """first_at: the `Date` of the first answer that had one (RFC 9110 6.6.1, whole seconds); None before it."""

    first_at: datetime | None = None


_watched: ContextVar[ProviderClock | None] = ContextVar("provider clock", default=None)


@contextmanager
def provider_clock() -> Iterator[ProviderClock]:
    """Watch the answers to what is asked inside, in this task and in those that it starts."""
    clock = ProviderClock()
    token = _watched.set(clock)
    try:
        yield clock
    finally:
        _watched.reset(token)


def note_date(response: httpx.Response) -> None:
    """An answer has come: whoever watches learns its time, unless they know an earlier one."""
    clock = _watched.get()
    if clock is not None and clock.first_at is None:
        clock.first_at = date_of(response)
