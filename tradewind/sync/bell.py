"""Wakes whoever waits, at once and all of them."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """A ring between two waits is not remembered: waiters give a timeout, and look for themselves when it ends."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next ring, or after `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), timeout_s)
