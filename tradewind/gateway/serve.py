"""Run the gateway until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from tradewind.errors import ConfigurationError
from tradewind.gateway.app import create_app
from tradewind.gateway.store import LedgerStore, StoreUnavailable
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings

log = logging.getLogger(__name__)

DRAIN_S = 10


def serve(settings: Settings, host: str, port: int, *, on_ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way and return.

    A ledger that is away does not stop it from starting: senders hear 503 until it is back. on_ready: called when the
    port is open. Raises LedgerTooNew, and ConfigurationError for a ledger that is not migrated or a port that is taken.
    """
    listener = _listen(host, port)
    store = LedgerStore(lambda: open_ledger(settings))
    try:
        store.open()
    except StoreUnavailable as error:
        log.warning("%s; waiting for it", error)
    app = create_app(store, public_url=settings.public_url)
    config = uvicorn.Config(
        app, host, port, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=DRAIN_S
    )
    try:
        with _quiet_signals():
            _Server(config, on_ready).run([listener])
    finally:
        store.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            "gateway_port", f"{host}:{port}", f"an address that is free ({error.strerror or error})"
        ) from error


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """uvicorn repeats the signal that stopped it once it has drained; by then there is nothing left to stop."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
