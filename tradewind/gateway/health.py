"""GET /healthz: the process lives. GET /readyz: it can take deliveries now."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tradewind.gateway.store import StoreUnavailable
from tradewind.gateway.writer import Writer

log = logging.getLogger(__name__)


class Health:
    """probe: makes a transaction that writes on a migrated ledger, blocking. Asked at most once in `spacing_s`."""

    def __init__(
        self, writer: Writer, probe: Callable[[], None], *, within_s: float = 2.0, spacing_s: float = 1.0
    ) -> None:
        self._writer = writer
        self._probe = probe
        self._within_s = within_s
        self._spacing_s = spacing_s
        self._running: asyncio.Task[str | None] | None = None
        self._began = float("-inf")

    async def healthz(self, request: Request) -> Response:
        """200 while the writer lives; 503 asks the platform for a restart."""
        alive = self._writer.alive
        return JSONResponse({"alive": alive}, 200 if alive else 503)

    async def readyz(self, request: Request) -> Response:
        """200 when the ledger is migrated and takes writes and the queue has room; 503 with the fault when not."""
        fault = await self._store_fault()
        depth, capacity = self._writer.depth, self._writer.capacity
        if fault is None and depth >= capacity:
            fault = "the queue is full"
        ready = fault is None and self._writer.alive
        report = {"ready": ready, "fault": fault, "queue_depth": depth, "queue_capacity": capacity}
        return JSONResponse(report, 200 if ready else 503)

    async def _store_fault(self) -> str | None:
        """What the latest probe found. One that hangs is not started a second time."""
        if self._running is None or (self._running.done() and self._began + self._spacing_s < time.monotonic()):
            self._began = time.monotonic()
            self._running = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait({self._running}, timeout=self._within_s)
        return self._running.result() if done else "the store does not answer"

    async def _ask(self) -> str | None:
        try:
            await asyncio.to_thread(self._probe)
        except StoreUnavailable as error:
            return str(error)
        except Exception as error:
            log.exception("the probe failed")
            return f"the probe failed: {type(error).__name__}"
        return None
