"""Run the gateway until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from tradewind.errors import ConfigurationError
from tradewind.gateway.app import create_app
from tradewind.gateway.bodies import MOST_TOGETHER, Bodies
from tradewind.gateway.pages.site import Site
from tradewind.gateway.pages.token import page_token
from tradewind.gateway.processes import Processes
from tradewind.gateway.protocol import BoundedConfig, cut_off_late_heads
from tradewind.gateway.store import LedgerStore, StoreUnavailable
from tradewind.gateway.writer import Writer
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings

log = logging.getLogger(__name__)

BACKLOG = 2048
DRAIN_S = 10
TICKS_PER_S = 10  # of uvicorn's main loop


def serve(
    settings: Settings,
    host: str,
    port: int,
    *,
    on_ready: Callable[[str], None] = lambda _: None,
    queue: type[Writer] = Writer,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way and return. Runs in the main thread.

    A ledger that is away does not keep it from starting: senders hear 503 until it is back. port 0: a free one.
    on_ready: called with the address once all its processes serve there. queue: what deliveries wait in. Raises
    LedgerTooNew, and ConfigurationError for a ledger that is not migrated or a port that is taken.
    """
    _check(settings)
    with ExitStack() as stack:
        listeners = [stack.enter_context(one) for one in _listen(host, port, settings.gateway_processes)]
        url = _address(listeners[0])
        if len(listeners) == 1:
            _serve(settings, listeners[0], queue, lambda: on_ready(url))
            return
        page_token(settings)  # made once, not by each of them
        work = [partial(_serve, settings, listener, queue) for listener in listeners]
        Processes(work).run(lambda: on_ready(url))


def _check(settings: Settings) -> None:
    """Whether it can be served at all; nothing stays open, since processes are made after this."""
    store = LedgerStore(lambda: open_ledger(settings))
    try:
        store.open()
    except StoreUnavailable as error:
        log.warning("%s; waiting for it", error)
    finally:
        store.close()


def _serve(settings: Settings, listener: socket.socket, queue: type[Writer], on_ready: Callable[[], None]) -> None:
    store = LedgerStore(lambda: open_ledger(settings), keys_ahead=True)
    processes = settings.gateway_processes
    app = create_app(
        store,
        public_url=settings.public_url,
        bodies=Bodies(most_together=_share(MOST_TOGETHER, processes)),
        writer=queue(store.store, capacity=_share(settings.gateway_queue, processes)),
        site=Site.of(settings),
    )
    server = _Server(app, on_ready, _share(settings.gateway_connections, processes))
    try:
        with _collecting_little(), _stopped_by_signals(server):
            server.run([listener])
    finally:
        store.close()


def _share(total: int, processes: int) -> int:
    """What each process may hold of what all may hold together."""
    return -(-total // processes)


class _Server(uvicorn.Server):
    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], most_connections: int) -> None:
        config = BoundedConfig(
            app,
            most_connections=most_connections,
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


def _listen(host: str, port: int, count: int) -> list[socket.socket]:
    """A socket for each process; the kernel gives each its share of the connections. One that two accepted from would
    leave most to whichever wakes first."""
    first = _listener(host, port)
    if count == 1:
        return [first]
    with first:  # nobody else is there: what shares a port would share it with strangers of this account, too
        port = first.getsockname()[1]
    return [_listener(host, port, reuse_port=True) for _ in range(count)]


def _listener(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port)
    except OSError as error:
        advice = f"cannot listen there ({error.strerror or error}); stop what uses it, or set another"
        raise ConfigurationError("gateway_port", f"{host}:{port}", advice) from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _collecting_little() -> Iterator[None]:
    """What was made to start stays: a collection that went through it would stop every answer for tens of ms."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """uvicorn repeats the signal that stopped it once it has drained, which would end us as if we had been killed."""
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
