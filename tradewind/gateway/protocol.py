"""HTTP/1.1 within bounds: how large the head of a request may be, and how long it may take to arrive.

uvicorn bounds neither when it parses with httptools; bodies have their bounds in `bodies.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 32 * 1024
HEAD_WITHIN_S = 5.0
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HeadTooLarge(Exception):
    """Raised into the parser, which ends the request."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A head over HEAD_BYTES is answered 431; one that is late is cut off by `cut_off_late_heads`."""

    _head_since: float | None = None
    _head_bytes = 0
    _in_message = False
    _too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        if self._head_since is None and not self._in_message:
            self._head_since = self.loop.time()
        super().data_received(data)
        if self._head_since is not None:  # the parser keeps what it has of a head that is not whole
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True

    def on_headers_complete(self) -> None:
        self._head_since, self._head_bytes = None, 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._too_large = True
            raise HeadTooLarge
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_message = False

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def is_late(self, now: float) -> bool:
        return self._head_since is not None and now - self._head_since > HEAD_WITHIN_S

    def _refuse(self) -> None:
        self.transport.write(_TOO_LARGE)
        self.transport.close()


def cut_off_late_heads(connections: Iterable[Any], now: float) -> None:
    """Close the connections whose head has not arrived in time, those that never sent anything among them."""
    for connection in list(connections):
        if isinstance(connection, BoundedProtocol) and connection.is_late(now):
            connection.transport.close()
