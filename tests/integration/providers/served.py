"""The sandbox and a receiver of webhooks, served on loopback from the test's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradewind.providers.hooks import HookRequest
from tradewind.sandbox.app import create_app
from tradewind.sandbox.kernel import Sandbox, create_sandbox


@contextlib.asynccontextmanager
async def serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, log_level="critical", access_log=False, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server._serve(sockets=[listener]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def sandbox(seed: int = 1, faults: str = "none") -> AsyncIterator[Sandbox]:
    with listening() as (listener, base_url):
        made = create_sandbox(seed=seed, faults=faults, base_url=base_url)
        async with serving(create_app(made), listener):
            yield made


@dataclass
class Receiver:
    url: str
    received: list[HookRequest] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: Request) -> Response:
        hook = HookRequest(dict(request.headers), await request.body(), str(request.url))
        async with self.changed:
            self.received.append(hook)
            self.changed.notify_all()
        return Response(status_code=200)

    async def wait_for(self, count: int) -> list[HookRequest]:
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: len(self.received) >= count)
        return self.received


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    with listening() as (listener, base_url):
        made = Receiver(f"{base_url}/hooks")
        app = Starlette(routes=[Route("/hooks", made.receive, methods=["POST"])])
        async with serving(app, listener):
            yield made
