"""Read request bodies within bounds: of one body, of all at one time, and of the time that one may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from tradewind.gateway.refusal import Refusal

MIB = 1024 * 1024


@dataclass
class _Count:
    bytes: int = 0


class Bodies:
    """most: bytes of one body. most_together: bytes of all bodies that are read or wait for their commit."""

    def __init__(self, *, most: int = 5 * MIB, most_together: int = 64 * MIB) -> None:
        self._most = most
        self._most_together = most_together
        self._together = 0

    @asynccontextmanager
    async def read(self, request: Request, until: float) -> AsyncIterator[bytes]:
        """The raw body, counted until the context ends. until: in the event loop's time.

        Raises Refusal: 413 over `most`, whether announced or only streamed; 503 over `most_together`; 408 when it was
        not there in time or ended early.
        """
        taken = _Count()
        try:
            yield await self._read(request, until, taken)
        finally:
            self._together -= taken.bytes

    async def _read(self, request: Request, until: float, taken: _Count) -> bytes:
        if int(request.headers.get("content-length", 0)) > self._most:
            raise Refusal(413, "the body is over the limit")
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout_at(until):
                async for chunk in request.stream():
                    taken.bytes += len(chunk)
                    self._together += len(chunk)
                    self._check(taken.bytes)
                    chunks.append(chunk)
        except (TimeoutError, ClientDisconnect):
            raise Refusal(408, "the body did not arrive") from None
        return b"".join(chunks)

    def _check(self, taken: int) -> None:
        if taken > self._most:
            raise Refusal(413, "the body is over the limit")
        if self._together > self._most_together:
            raise Refusal(503, "too much is waiting", retry_after_s=2)
