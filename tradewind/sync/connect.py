"""Connect: an account becomes a connection, which only reads until it goes live.

Nothing is stored before the credentials were seen to work. Doing it again changes what differs and repeats nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from tradewind.domain.connections import Connection, ConnectionState
from tradewind.domain.roles import Client
from tradewind.domain.rotation import rotated
from tradewind.governor import Governor, lane
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.providers.registry import check_mode, connect

PREVIOUS_SECRET_FOR = timedelta(hours=2)
"""Providers go on signing with the older secret for a while after a rotation (Shopify: up to an hour)."""


@asynccontextmanager
async def client_of(connection: Connection) -> AsyncIterator[Client]:
    """A client of an account that need not be stored yet; its calls give way to the order sync's.

    Raises ConfigurationError when the connection lacks an address or a credential.
    """
    client = connect(connection, Governor())
    try:
        with lane("deferred"):
            yield client
    finally:
        await client.aclose()


def store_connection(ledger: Ledger, connection: Connection, *, actor: str, now: datetime) -> Connection:
    """Store the connection, read-only when it is new or was disconnected; gives it as it is stored.

    A connection that is there keeps its state and what was learnt at run time. A secret that is replaced stays good for
    deliveries for `PREVIOUS_SECRET_FOR`. Raises ConfigurationError for credentials of the other mode, live or test.
    """
    with ledger.write() as database:
        known = {str(one.key): one for one in connections.list(database, ledger.keys)}.get(str(connection.key))
        if known is not None:
            check_mode(known, connection)
            settings = {**known.settings, **connection.settings}
            secrets = {**connection.secrets, **_replaced(known.secrets, connection.secrets, now)}
            update = {"settings": settings, "secrets": secrets, "revision": known.revision + 1}
            connection = connection.model_copy(update=update)
        connections.put(database, ledger.keys, connection, actor=actor)
        if known is not None and known.state is ConnectionState.DISCONNECTED:
            connections.set_state(
                database, connection.key, ConnectionState.READ_ONLY, actor=actor, reason="reconnected"
            )
        return connections.get(database, ledger.keys, connection.key)


def _replaced(before: Mapping[str, str], after: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The signing secrets that change, under `…_previous`, with the time until which they are good."""
    kept: dict[str, str] = {}
    for name, value in after.items():
        if name.endswith("_secret") and name in before:
            kept |= rotated(before, name, value, now=now, grace=PREVIOUS_SECRET_FOR)
    return kept
