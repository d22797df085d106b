"""HTTP/1.1 within bounds: how many connections at one time, how large the head of a request may be, and how long it may
take to arrive.

uvicorn bounds none of them when it parses with httptools; bodies have their bounds in `bodies.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 32 * 1024
HEAD_WITHIN_S = 5.0
SPARE = 100
"""Connections over the bound that hear 503 when their head has come; any beyond these are closed at once."""
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Refused(Exception):
    """Raised into the parser, which ends the request."""


class BoundedConfig(uvicorn.Config):
    """most_connections: how many a server holds at one time."""

    def __init__(self, app: Any, *, most_connections: int, **settings: Any) -> None:
        super().__init__(app, http=BoundedProtocol, **settings)
        self.most_connections = most_connections


class BoundedProtocol(HttpToolsProtocol):
    """One connection of a server with a BoundedConfig. One too many is answered 503, a head over HEAD_BYTES 431; a head
    that is late is cut off by `cut_off_late_heads`."""

    config: BoundedConfig
    _head_since: float | None = None
    _head_bytes = 0
    _in_message = False
    _refusal: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_since = self.loop.time()
        over = len(self.connections) - self.config.most_connections
        if over > 0:
            self._refusal = _TOO_MANY
        if over > SPARE:
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self._head_since is None and not self._in_message:
            self._head_since = self.loop.time()
        super().data_received(data)
        if self._head_since is not None:  # the parser keeps what it has of a head that is not whole
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True

    def on_headers_complete(self) -> None:
        self._head_since, self._head_bytes = None, 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._refusal = _TOO_LARGE
        if self._refusal is not None:
            raise Refused
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_message = False

    def send_400_response(self, msg: str) -> None:
        if self._refusal is not None:
            self._refuse(self._refusal)
        else:
            super().send_400_response(msg)

    def is_late(self, now: float) -> bool:
        return self._head_since is not None and now - self._head_since > HEAD_WITHIN_S

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()


def cut_off_late_heads(connections: Iterable[Any], now: float) -> None:
    """Close the connections whose head has not arrived in time, those that never sent anything among them."""
    for connection in list(connections):
        if isinstance(connection, BoundedProtocol) and connection.is_late(now):
            connection.transport.close()
