"""Run the gateway until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from tradewind.errors import ConfigurationError
from tradewind.gateway.app import create_app
from tradewind.gateway.pages.site import Site
from tradewind.gateway.protocol import BoundedProtocol, cut_off_late_heads
from tradewind.gateway.store import LedgerStore, StoreUnavailable
from tradewind.gateway.writer import Writer
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings

log = logging.getLogger(__name__)

BACKLOG = 2048
DRAIN_S = 10
TICKS_PER_S = 10  # of uvicorn's main loop


def serve(settings: Settings, host: str, port: int, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way and return. Runs in the main thread.

    A ledger that is away does not keep it from starting: senders hear 503 until it is back. port 0: a free one.
    on_ready: called with the address once it is open. Raises LedgerTooNew, and ConfigurationError for a ledger that is
    not migrated or a port that is taken.
    """
    store = LedgerStore(lambda: open_ledger(settings))
    try:
        store.open()
    except StoreUnavailable as error:
        log.warning("%s; waiting for it", error)
    try:
        writer = Writer(store.store, capacity=settings.gateway_queue)
        app = create_app(store, public_url=settings.public_url, writer=writer, site=Site.of(settings))
        serve_app(app, host, port, on_ready=on_ready)
    finally:
        store.close()


def serve_app(app: Starlette, host: str, port: int, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve this application, as `serve` does. Raises ConfigurationError for a port that is taken."""
    with _listen(host, port) as listener:
        server = _Server(app, lambda: on_ready(_address(listener)))
        with _stopped_by_signals(server):
            server.run([listener])


class _Server(uvicorn.Server):
    def __init__(self, app: Starlette, on_ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=DRAIN_S,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_S == 0:
            cut_off_late_heads(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        advice = f"cannot listen there ({error.strerror or error}); stop what uses it, or set another"
        raise ConfigurationError("gateway_port", f"{host}:{port}", advice) from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """uvicorn repeats the signal that stopped it once it has drained, which would end us as if we had been killed."""
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
