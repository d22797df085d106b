"""Capture at the door: what a captured path hears is kept beside the answer, which stays what it would have been."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive

from tradewind.errors import TransientError
from tradewind.gateway.pages.desk import View
from tradewind.gateway.pages.reading import LedgerReader
from tradewind.ledger import captures

log = logging.getLogger(__name__)

EVERY_S = 5.0
PURGE_EVERY_S = 600.0
MOST_WAITING = 5
"""Captures that wait to be written; what comes meanwhile is not kept, so that a flood costs intake nothing."""
MOST_READ = 5 * 1024 * 1024
READ_WITHIN_S = 10.0


class _Tee:
    """Passes a request's body on and remembers its beginning."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.kept = b""
        self.size = 0
        self.ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            self.size += len(chunk)
            self.kept += chunk[: captures.MOST_BYTES - len(self.kept)]
            self.ended = not message.get("more_body", False)
        return message


class CaptureTap:
    """Knows which paths are captured now, as of the latest look into the ledger."""

    def __init__(self, ledger: LedgerReader, *, now: Callable[[], datetime], every_s: float = EVERY_S) -> None:
        self._ledger = ledger
        self._now = now
        self._every_s = every_s
        self._active: Mapping[str, datetime] = {}
        self._waiting = 0

    def around(self, receive: View) -> View:
        """The webhook endpoint; on a captured path, whatever it refuses is kept."""

        async def tapped(request: Request) -> Response:
            if not self._active or not self._is_on(request.url.path):
                return await receive(request)
            tee = _Tee(request.receive)
            answer = await receive(Request(request.scope, tee))
            if answer.status_code >= 400:
                await _read_on(tee)
                answer.background = BackgroundTask(self._keep, request, tee, answer.status_code)
            return answer

        return tapped

    async def receive(self, request: Request) -> Response:
        """/capture/{name}: 200 once it is kept; 404 when the path is not captured."""
        if not self._is_on(request.url.path):
            return JSONResponse({"error": "nothing is captured here"}, 404)
        tee = _Tee(request.receive)
        await _read_on(tee)
        kept = await self._keep(request, tee, 200)
        if not kept:
            return JSONResponse({"error": "not kept, try again later"}, 429, {"Retry-After": "1"})
        return JSONResponse({"status": "captured"})

    async def reload(self) -> None:
        self._active = await self._ledger.read(lambda conn, _: captures.active(conn))

    async def keep_fresh(self) -> None:
        """Look for ever which captures are on, and delete what is old."""
        purged = time.monotonic()
        while True:
            try:
                await self.reload()
                if time.monotonic() - purged > PURGE_EVERY_S:
                    await self._ledger.write(captures.purge)
                    purged = time.monotonic()
            except TransientError as error:
                log.info("captures not reloaded: %s", error)
            await asyncio.sleep(self._every_s)

    def _is_on(self, path: str) -> bool:
        until = self._active.get(path)
        return until is not None and self._now() < until

    async def _keep(self, request: Request, tee: _Tee, answered: int) -> bool:
        if self._waiting >= MOST_WAITING:
            return False
        kept = captures.Request(
            path=request.url.path,
            method=request.method,
            headers=dict(request.headers),
            body=tee.kept,
            size=tee.size,
            answered=answered,
            received_at=self._now(),
        )
        self._waiting += 1
        try:
            await self._ledger.write(lambda conn, keys: captures.keep(conn, keys, kept))
        except TransientError as error:
            log.warning("a request to %s was not captured: %s", kept.path, error)
            return False
        finally:
            self._waiting -= 1
        return True


async def _read_on(tee: _Tee) -> None:
    """Read what the endpoint left unread, within bounds."""
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            while not tee.ended and tee.size < MOST_READ:
                if (await tee())["type"] == "http.disconnect":
                    return
    except (TimeoutError, ClientDisconnect):
        return
