"""The clients of a process: one per connection, opened when first used, on one governor."""

from __future__ import annotations

from collections.abc import Callable

from tradewind.domain.connections import Connection
from tradewind.domain.roles import Client
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.providers.registry import connect, provider_of

Clients = Callable[[str], Client]
"""Gives the client of a connection."""


class ClientPool:
    """Gives the client of a connection; a connection of a newer revision gets a new client."""

    def __init__(self, ledger: Ledger, governor: Governor) -> None:
        self._ledger = ledger
        self._governor = governor
        self._clients: dict[str, tuple[int, Client]] = {}
        self._replaced: list[Client] = []

    def __call__(self, connection: str) -> Client:
        """Raises ConfigurationError for a connection that the ledger does not have."""
        known = self._connection(connection)
        held = self._clients.get(connection)
        if held is not None and held[0] == known.revision:
            return held[1]
        if held is not None:
            self._replaced.append(held[1])  # calls may still be under way on it; closed with the pool
        client = connect(known, self._governor)
        self._clients[connection] = (known.revision, client)
        return client

    def max_concurrency(self, connection: str) -> int:
        """How many calls the provider's budget allows to be under way at one time."""
        known = self._connection(connection)
        return provider_of(connection).budget(known).max_concurrency

    async def aclose(self) -> None:
        for client in (*self._replaced, *(client for _, client in self._clients.values())):
            await client.aclose()
        self._clients.clear()
        self._replaced.clear()

    def _connection(self, connection: str) -> Connection:
        with self._ledger.read() as database:
            try:
                return connections.get(database, self._ledger.keys, connection)
            except LookupError:
                advice = "is not connected; see `tradewind connect`"
                raise ConfigurationError("connection", connection, advice) from None
