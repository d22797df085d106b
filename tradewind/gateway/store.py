"""What the gateway asks of the ledger: connections to verify with, and a place for deliveries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tradewind.domain.connections import Connection, ConnectionState
from tradewind.errors import ConfigurationError, LedgerTooNew, TransientError
from tradewind.ledger import connections, inbox
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Delivery, Stored

RETRY_AT_ONCE_WITHIN_S = 1.0


class StoreUnavailable(TransientError):
    """The ledger cannot take anything now; nothing was stored."""


class Store(Protocol):
    """What the gateway needs. Every method blocks, is called off the event loop, and raises StoreUnavailable."""

    def connections(self) -> Mapping[str, Connection]:
        """Every connection that may still be sent to, by key such as `stripe:main`."""
        ...

    def store(self, deliveries: Sequence[Delivery]) -> Sequence[Stored]:
        """Commit all deliveries in one transaction. Gives one result each, in order."""
        ...

    def probe(self) -> None:
        """Return if a transaction that writes can be made on a migrated ledger."""
        ...


class LedgerStore:
    """The real store. A ledger that was away is opened again at the next call."""

    def __init__(self, open_ledger: Callable[[], Ledger]) -> None:
        self._open_ledger = open_ledger
        self._ledger: Ledger | None = None
        self._opening = threading.Lock()

    def open(self) -> None:
        """Open now. Raises StoreUnavailable, LedgerTooNew, or ConfigurationError (not migrated, wrong address)."""
        with self._opening, _unavailable_as_such():
            if self._ledger is None:
                self._ledger = self._open_ledger()

    def close(self) -> None:
        with self._opening:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    def connections(self) -> Mapping[str, Connection]:
        ledger = self._opened()
        with _unavailable_as_such(), ledger.read() as conn:
            known = connections.list(conn, ledger.keys)
        return {str(each.key): each for each in known if each.state is not ConnectionState.DISCONNECTED}

    def store(self, deliveries: Sequence[Delivery]) -> Sequence[Stored]:
        began = time.monotonic()
        try:
            return self._store(deliveries)
        except StoreUnavailable:
            # A pooled connection that died while idle, or a deadlock between two gateways, is over at the second try.
            if time.monotonic() - began > RETRY_AT_ONCE_WITHIN_S:
                raise
        return self._store(deliveries)

    def probe(self) -> None:
        ledger = self._opened()
        with _unavailable_as_such(), ledger.write() as conn:
            inbox.counts(conn)

    def _store(self, deliveries: Sequence[Delivery]) -> Sequence[Stored]:
        ledger = self._opened()
        with _unavailable_as_such(), ledger.write() as conn:
            return inbox.store(conn, ledger.keys, deliveries)

    def _opened(self) -> Ledger:
        try:
            self.open()
        except (ConfigurationError, LedgerTooNew) as error:
            raise StoreUnavailable(str(error)) from error
        assert self._ledger is not None
        return self._ledger


@contextmanager
def _unavailable_as_such() -> Iterator[None]:
    """Turn what a database raises when it is away, locked, full or read-only into StoreUnavailable."""
    try:
        yield
    except (OperationalError, InterfaceError, DisconnectionError, PoolTimeout, OSError) as error:
        raise StoreUnavailable(f"the ledger is not available: {type(error).__name__}") from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise StoreUnavailable("the ledger closed the connection") from error
