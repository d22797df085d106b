"""The network between simulated processes: requests take time, and end when the other side dies."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

import httpx

from tests.simulation.clock import VirtualClock
from tests.simulation.loop import OWNER
from tests.simulation.process import Process

App = Callable[[dict[str, Any], Callable[[], Any], Callable[[Any], Any]], Any]


@dataclass
class Host:
    """Who listens at an address. process: None for the world; app: None while nobody does."""

    process: Process | None = None
    app: App | None = None


@dataclass
class Seen:
    """One request as it was answered."""

    at_s: float
    host: str
    request: httpx.Request
    status: int


class _Client(httpx.AsyncClient):
    """Who sends without credentials to renew keeps no cookies and follows no redirects here."""

    async def send(self, request: httpx.Request, *, auth: Any = None, **more: Any) -> httpx.Response:
        if isinstance(auth, httpx.Auth):
            return await super().send(request, auth=auth, **more)
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response


@dataclass
class Wire(httpx.AsyncBaseTransport):
    clock: VirtualClock
    rng: random.Random
    hosts: dict[str, Host] = field(default_factory=dict)
    on_answer: list[Callable[[Seen], None]] = field(default_factory=list)
    latency_s: tuple[float, float] = (0.005, 0.15)

    def client(self) -> httpx.AsyncClient:
        return _Client(transport=self, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        host = self.hosts[request.url.netloc.decode()]
        await asyncio.sleep(self.rng.uniform(*self.latency_s))
        if host.app is None:
            raise httpx.ConnectError("nobody listens", request=request)
        answer = asyncio.get_running_loop().create_future()
        self._start(host, request, answer)
        limit_s = (request.extensions.get("timeout") or {}).get("read")
        try:
            async with asyncio.timeout(limit_s):
                status, headers, body = await answer
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        if (promised := dict(headers).get(b"content-length")) is not None and len(body) < int(promised):
            raise httpx.RemoteProtocolError("peer closed connection in mid-answer", request=request)
        await asyncio.sleep(self.rng.uniform(*self.latency_s))
        headers.append((b"date", format_datetime(self.clock.now(), usegmt=True).encode()))
        return httpx.Response(status, headers=headers, content=body)

    def _start(self, host: Host, request: httpx.Request, answer: asyncio.Future[Any]) -> None:
        work = self._serve(host, request, answer)
        if host.process is None:
            asyncio.get_running_loop().create_task(work, context=_world())
            return

        def lost() -> None:
            if not answer.done():
                answer.set_exception(httpx.ReadError("the connection was lost", request=request))

        host.process.on_death.append(lost)
        host.process.spawn(work)

    async def _serve(self, host: Host, request: httpx.Request, answer: asyncio.Future[Any]) -> None:
        assert host.app is not None
        url, sent = request.url, [False]
        status, headers, body = 500, [], b""

        async def receive() -> dict[str, Any]:
            if sent[0]:
                await asyncio.Event().wait()
            sent[0] = True
            return {"type": "http.request", "body": request.content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", ()))
            else:
                body += message.get("body", b"")
                if not message.get("more_body") and not answer.done():
                    self._note(request, status)
                    answer.set_result((status, headers, body))

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw], "scheme": url.scheme,
            "path": url.path, "raw_path": url.raw_path.split(b"?")[0], "query_string": url.query,
            "server": (url.host, url.port or 80), "client": ("10.0.0.1", 1), "root_path": "", "state": {},
        }  # fmt: skip
        try:
            await host.app(scope, receive, send)
        except Exception as error:
            if not answer.done():
                answer.set_exception(httpx.RemoteProtocolError(repr(error), request=request))

    def _note(self, request: httpx.Request, status: int) -> None:
        seen = Seen(self.clock.monotonic(), request.url.netloc.decode(), request, status)
        for listener in self.on_answer:
            listener(seen)


def _world() -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(OWNER.set, None)
    return context
