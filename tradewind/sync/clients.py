"""The clients of a process: one per connection, opened when first used, on one governor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tradewind.domain.connections import Connection
from tradewind.domain.roles import Client
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.providers.registry import connect, provider_of

Clients = Callable[[str], Client]
"""Gives the client of a connection. It may have to look into the ledger: call it where the ledger may be read."""

LOOK_EVERY_S = 3.0
"""For so long a client is taken to be of its connection's newest revision."""


@dataclass
class _Held:
    client: Client
    revision: int
    looked_at: float


class ClientPool:
    """Gives the client of a connection; a connection of a newer revision gets a new client. Safe to call in threads."""

    def __init__(self, ledger: Ledger, governor: Governor, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._governor = governor
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._replaced: list[Client] = []

    def __call__(self, connection: str) -> Client:
        """Raises ConfigurationError for a connection that the ledger does not have."""
        held, now = self._held.get(connection), self._monotonic()
        if held is not None and now - held.looked_at < LOOK_EVERY_S:
            return held.client
        with self._lock:
            return self._looked_up(connection, now)

    def max_concurrency(self, connection: str) -> int:
        """How many calls the provider's budget allows to be under way at one time."""
        known = self._connection(connection)
        return provider_of(connection).budget(known).max_concurrency

    async def aclose(self) -> None:
        for client in (*self._replaced, *(held.client for held in self._held.values())):
            await client.aclose()
        self._held.clear()
        self._replaced.clear()

    def _looked_up(self, connection: str, now: float) -> Client:
        held = self._held.get(connection)
        if held is not None and held.revision == self._revision(connection):
            held.looked_at = now
            return held.client
        known = self._connection(connection)
        client = connect(known, self._governor)
        if held is not None:
            self._replaced.append(held.client)  # calls may still be under way on it; closed with the pool
        self._held[connection] = _Held(client, known.revision, now)
        return client

    def _revision(self, connection: str) -> int | None:
        with self._ledger.read() as database:
            return connections.revision(database, connection)

    def _connection(self, connection: str) -> Connection:
        with self._ledger.read() as database:
            try:
                return connections.get(database, self._ledger.keys, connection)
            except LookupError:
                advice = "is not connected; see `tradewind connect`"
                raise ConfigurationError("connection", connection, advice) from None
