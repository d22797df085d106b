"""A provider that answers from a function and keeps what it was asked."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx

from tests.unit.governor.virtual_clock import VirtualClock
from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.governor import Governor

Answer = Callable[[httpx.Request], httpx.Response | int | dict[str, Any] | list[Any]]


class Wire:
    def __init__(self, *answers: Any) -> None:
        """answers: one per request, the last for all that follow: a body, a status, a response or an exception."""
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.clock = VirtualClock()
        self.governor = Governor(clock=self.clock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={})
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))

    @property
    def asked(self) -> list[str]:
        """`METHOD path` of every request."""
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def form(self, index: int = -1) -> dict[str, str]:
        return dict(parse_qsl(self.requests[index].content.decode()))

    def json(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].content)


def connection(
    key: str, role: Role, *, settings: dict[str, str] | None = None, secrets: dict[str, str] | None = None
) -> Connection:
    return Connection(key=ConnectionKey.parse(key), role=role, settings=settings or {}, secrets=secrets or {})


async def pages(iterator: Any) -> list[list[Any]]:
    return [list(page) async for page in iterator]
