"""What a task works with: the ledger of this process's settings, and clients that share the budget."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from prefect.logging import get_run_logger

from tradewind.domain.connections import Connection
from tradewind.domain.roles import Client
from tradewind.governor import Governor, Lane, lane
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings, load_settings
from tradewind.sync.clients import ClientPool
from tradewind.sync.leases import LedgerLeases


@dataclass(frozen=True)
class Work:
    settings: Settings
    ledger: Ledger
    clients: ClientPool

    def connection(self, key: str) -> Connection:
        """Raises LookupError for a connection that the ledger does not have."""
        with self.ledger.read() as database:
            return connections.get(database, self.ledger.keys, key)

    def client(self, key: str) -> Client:
        return self.clients(key)

    def connected(self) -> list[Connection]:
        """Every connection that is not disconnected."""
        with self.ledger.read() as database:
            return connections.connected(database, self.ledger.keys)


_enclosing: ContextVar[Work | None] = ContextVar("tradewind_work", default=None)


@asynccontextmanager
async def work(in_lane: Lane) -> AsyncIterator[Work]:
    """Open ledger and clients; every call inside goes in the lane, on the budget that all processes share.

    Inside a flow's work, its tasks use the flow's ledger and clients: one governor lets their calls in, in turn.
    """
    enclosing = _enclosing.get()
    if enclosing is not None:
        with lane(in_lane):
            yield enclosing
        return
    settings = load_settings()
    ledger = open_ledger(settings)
    clients = ClientPool(ledger, Governor(LedgerLeases(ledger)))
    opened = Work(settings, ledger, clients)
    token = _enclosing.set(opened)
    try:
        with lane(in_lane):
            yield opened
    finally:
        _enclosing.reset(token)
        await clients.aclose()
        ledger.close()


def log(message: str, *values: object) -> None:
    """Write to the run's log in Prefect."""
    get_run_logger().info(message, *values)


def warn(message: str, *values: object) -> None:
    """Write a warning to the run's log in Prefect."""
    get_run_logger().warning(message, *values)


async def attempt(what: str, step: Awaitable[object]) -> bool:
    """Do what may fail without harm: a provider, the ledger or Prefect's server may be away, and orders go on.

    Gives whether it was done.
    """
    try:
        await step
    except Exception as error:
        warn("%s failed, again later: %r", what, error)
        return False
    return True
