"""What the gateway asks of the ledger: connections to verify with, and a place for deliveries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from tradewind.domain.connections import Connection
from tradewind.errors import ConfigurationError, LedgerError, TransientError
from tradewind.gateway.reserve import Reserve
from tradewind.ledger import connections, inbox, tables
from tradewind.ledger.delivery import Delivery, Stored
from tradewind.ledger.engine import Ledger

RETRY_AT_ONCE_WITHIN_S = 1.0


class StoreUnavailable(TransientError):
    """The ledger cannot take anything now; nothing was stored."""


class Store(Protocol):
    """What the gateway needs. Every method blocks, is called off the event loop, and raises StoreUnavailable."""

    def connections(self) -> Mapping[str, Connection]:
        """Every connection that may still be sent to, by key such as `stripe:main`."""
        ...

    def store(self, deliveries: Sequence[Delivery]) -> Sequence[Stored]:
        """Commit all deliveries in one transaction; gives one result each, in order.

        Raises anything else when it is a delivery, not the store, that is at fault: again, nothing was stored.
        """
        ...

    def probe(self) -> None:
        """Return if a write to the ledger would be taken."""
        ...


class LedgerStore:
    """The real store. A ledger that was away when it was to be opened is opened at a later call.

    keys_ahead: make data keys in a thread beside, so that a group of deliveries does not wait for them.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], *, keys_ahead: bool = False) -> None:
        self._open_ledger = open_ledger
        self._keys_ahead = keys_ahead
        self._ledger: Ledger | None = None
        self._reserve: Reserve | None = None
        self._opening = threading.Lock()

    def open(self) -> None:
        """Open now. Raises StoreUnavailable, LedgerTooNew, or ConfigurationError (not migrated, wrong master key)."""
        with self._opening:
            if self._ledger is None:
                with _unavailable(SQLAlchemyError, OSError):
                    self._ledger = self._open_ledger()
                if self._keys_ahead:
                    self._reserve = Reserve(self._ledger.keys)

    def close(self) -> None:
        with self._opening:
            if self._reserve is not None:
                self._reserve.close()
                self._reserve = None
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    def connections(self) -> Mapping[str, Connection]:
        with self._opened() as ledger, ledger.read() as conn:
            return {str(each.key): each for each in connections.connected(conn, ledger.keys)}

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
        changes_nothing = update(tables.inbox).where(tables.inbox.c.id < 0).values(repeats=0)
        with self._opened() as ledger, ledger.write() as conn:
            conn.execute(changes_nothing)

    def _store(self, deliveries: Sequence[Delivery]) -> Sequence[Stored]:
        with self._opened() as ledger:
            sealed = inbox.seal(ledger.keys, deliveries)
            if self._reserve is not None:
                self._reserve.look()
            with ledger.write() as conn:
                return inbox.store_sealed(conn, ledger.keys, sealed)

    @contextmanager
    def _opened(self) -> Iterator[Ledger]:
        with _unavailable(SQLAlchemyError, OSError, LedgerError, ConfigurationError):
            self.open()
            assert self._ledger is not None
            yield self._ledger


@contextmanager
def _unavailable(*faults: type[Exception]) -> Iterator[None]:
    """Turn what a ledger raises when it is away, locked, full, read-only or not ours into StoreUnavailable."""
    try:
        yield
    except faults as error:
        if _is_of_a_row(error):
            raise
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason = (str(cause).splitlines() or [""])[0]
        raise StoreUnavailable(f"the ledger is not available: {reason or type(cause).__name__}") from error


def _is_of_a_row(error: Exception) -> bool:
    """Whether the database refused a value; the same error comes from the same delivery alone."""
    unbindable = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return unbindable or isinstance(error, DataError | IntegrityError)
