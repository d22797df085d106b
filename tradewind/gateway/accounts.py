"""The connections that the gateway verifies with, kept in memory and never older than half a minute."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from tradewind.domain.connections import Connection
from tradewind.gateway.store import StoreUnavailable

log = logging.getLogger(__name__)


class Accounts:
    """A copy of the connections, reloaded every `every_s` and on demand, at most once in `spacing_s`.

    load: reads them from the ledger, blocking.
    """

    def __init__(
        self, load: Callable[[], Mapping[str, Connection]], *, every_s: float = 20.0, spacing_s: float = 0.25
    ) -> None:
        self._load = load
        self._every_s = every_s
        self._spacing_s = spacing_s
        self._known: Mapping[str, Connection] = {}
        self._failure: StoreUnavailable | None = None
        self._began = float("-inf")  # of the latest load that has ended
        self._loading: asyncio.Task[None] | None = None

    def get(self, key: str) -> Connection | None:
        return self._known.get(key)

    async def reload(self) -> None:
        """Return once a load that began after this call has ended; all who wait meanwhile share one.

        Raises StoreUnavailable; what was known stays. A caller that stops waiting does not stop the load: one that
        hangs is not joined by a second.
        """
        asked = time.monotonic()
        while self._began <= asked:
            if self._loading is None or self._loading.done():
                self._loading = asyncio.create_task(self._load_once())
            await asyncio.wait({self._loading})
        if self._failure is not None:
            raise self._failure

    async def keep_fresh(self) -> None:
        """Reload for ever; while the store is away, try each second."""
        while True:
            try:
                await self.reload()
                await asyncio.sleep(self._every_s)
            except StoreUnavailable as error:
                log.warning("connections not reloaded: %s", error)
                await asyncio.sleep(1.0)

    async def _load_once(self) -> None:
        await asyncio.sleep(self._began + self._spacing_s - time.monotonic())
        began = time.monotonic()
        try:
            self._known = await asyncio.to_thread(self._load)
            self._failure = None
        except StoreUnavailable as error:
            self._failure = error
        except Exception as error:
            log.exception("connections not reloaded")
            self._failure = StoreUnavailable(f"connections not reloaded: {type(error).__name__}")
        self._began = began
