"""A sandbox on loopback, and a receiver of its webhooks, for tests that drive it as a client from outside would."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from weakref import WeakKeyDictionary

import uvicorn

from tradewind.sandbox import Sandbox, create_app, create_sandbox

_loops: WeakKeyDictionary[Sandbox, asyncio.AbstractEventLoop] = WeakKeyDictionary()
_Result = TypeVar("_Result")


def in_loop(sandbox: Sandbox, action: Callable[[], _Result]) -> _Result:
    """Do something where a running sandbox lives: whatever sends webhooks must happen there."""

    async def act() -> _Result:
        return action()

    return asyncio.run_coroutine_threadsafe(act(), _loops[sandbox]).result(timeout=10)


@contextmanager
def running_sandbox(seed: int = 1, faults: str = "none") -> Iterator[Sandbox]:
    """A sandbox that answers over HTTP on a free port, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sandbox = create_sandbox(seed=seed, faults=faults, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = uvicorn.Server(
            uvicorn.Config(create_app(sandbox), log_level="critical", ws="none", timeout_graceful_shutdown=1)
        )

        async def serve() -> None:
            _loops[sandbox] = asyncio.get_running_loop()
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        try:
            eventually(lambda: server.started)
            yield sandbox
        finally:
            server.should_exit = True
            thread.join(timeout=10)


@dataclass(frozen=True)
class Delivery:
    """One POST that arrived."""

    body: bytes
    headers: dict[str, str]  # names in lower case


class Receiver:
    """Takes webhooks. `answers` holds statuses to give before 200 becomes the answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.deliveries: list[Delivery] = []
        self.answers: list[int] = []

    def wait_for(self, count: int, timeout_s: float = 10) -> list[Delivery]:
        """At least so many deliveries."""
        eventually(lambda: len(self.deliveries) >= count, timeout_s)
        return list(self.deliveries)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.deliveries.append(Delivery(body, headers))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def eventually(condition: Callable[[], object], timeout_s: float = 10) -> None:
    """Return once the condition holds. Raises AssertionError when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.01)
