"""The head of a request: its headers, and the address that it was sent to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from starlette.datastructures import URL
from starlette.types import Scope

_ADDRESSES = 512
"""Remembered: a provider sends to the same few addresses, and taking one apart costs more than its signature."""


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; of a header that came twice, the first."""
    headers: dict[str, str] = {}
    for name, value in raw:
        headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return headers


def url_of(scope: Scope, host: str | None) -> str:
    """The address of the request under the host that its header names."""
    server = scope.get("server")
    return _url(scope["scheme"], server and tuple(server), host, scope["path"], scope["query_string"])


@lru_cache(maxsize=_ADDRESSES)
def _url(scheme: str, server: tuple[str, int] | None, host: str | None, path: str, query: bytes) -> str:
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    scope = {"scheme": scheme, "server": server, "path": path, "query_string": query, "headers": headers}
    return str(URL(scope=scope))
