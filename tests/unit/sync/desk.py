"""Providers that answer what they are told to, and remember what they were asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.unit.domain.orders import CARRIER, PROCESSOR, STORE, after
from tradewind.domain.connections import Connection, ConnectionKey, ConnectionState, Role
from tradewind.domain.events import Event, events_adapter
from tradewind.ledger import connections, inbox
from tradewind.ledger.engine import Ledger

JOURNAL = "backoffice:main"
ROLES = {
    STORE: Role.STOREFRONT,
    PROCESSOR: Role.PAYMENT_PROCESSOR,
    CARRIER: Role.CARRIER,
    JOURNAL: Role.JOURNAL,
}


class Call(NamedTuple):
    connection: str
    method: str
    arguments: tuple[Any, ...]


@dataclass
class Desk:
    """answers: by method, what to give in turn: events, an error to raise, or a coroutine function to call."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def __call__(self, connection: str) -> Any:
        return _CLIENTS[ROLES[connection]](self, connection)

    @property
    def asked(self) -> list[str]:
        """The methods that were called, in order."""
        return [call.method for call in self.calls]

    def will(self, method: str, *answers: Any) -> None:
        self.answers.setdefault(method, []).extend(answers)

    async def answer(self, connection: str, method: str, *arguments: Any) -> Sequence[Event]:
        self.calls.append(Call(connection, method, arguments))
        waiting = self.answers.get(method)
        given = waiting.pop(0) if waiting else ()
        if isinstance(given, Exception):
            raise given
        return await given(*arguments) if callable(given) else given


class _Client:
    def __init__(self, desk: Desk, connection: str) -> None:
        self._desk = desk
        self._connection = connection

    async def _pages(self, method: str, *arguments: Any) -> AsyncIterator[Sequence[Any]]:
        self._desk.calls.append(Call(self._connection, method, arguments))
        for page in self._desk.answers.get(method, []):
            if isinstance(page, Exception):
                raise page
            yield await page() if callable(page) else page


def _asks(method: str) -> Callable[..., Any]:
    async def ask(self: _Client, *arguments: Any) -> Any:
        return await self._desk.answer(self._connection, method, *arguments)

    return ask


def _lists(method: str) -> Callable[..., Any]:
    def pages(self: _Client, *arguments: Any) -> Any:
        return self._pages(method, *arguments)

    return pages


def _client(asks: Sequence[str], lists: Sequence[str]) -> type[_Client]:
    common = ("health", "fetch", "subscriptions", "subscribe", "unsubscribe", "aclose")
    methods = {name: _asks(name) for name in (*common, *asks)} | {name: _lists(name) for name in lists}
    return type("Scripted", (_Client,), methods)


_CLIENTS = {
    Role.STOREFRONT: _client(("capture", "mark_paid", "fulfill"), ("orders", "changes", "catalogue")),
    Role.PAYMENT_PROCESSOR: _client(("capture", "cancel", "refund", "find_effect"), ("payments",)),
    Role.CARRIER: _client(("find_label", "buy_label", "void_label"), ("labels",)),
    Role.JOURNAL: _client((), ("documents",)),
}


def connection(key: str, **changes: Any) -> Connection:
    """Live since a minute before the story begins."""
    values: dict[str, Any] = {"state": ConnectionState.LIVE, "live_from": after(-60)}
    return Connection(key=ConnectionKey.parse(key), role=ROLES[key], **values | changes)


def connect_all(ledger: Ledger, **changes: Any) -> None:
    with ledger.write() as database:
        for key in ROLES:
            connections.put(database, ledger.keys, connection(key, **changes), actor="test")


def told(*events: Event, key: str, topic: str = "poll/test", connection: str = STORE, **changes: Any) -> inbox.Delivery:
    """A delivery of events as our own polls and outcomes store them."""
    values: dict[str, Any] = {
        "connection": connection, "source": "poll", "delivery_key": key, "topic": topic,
        "body": events_adapter.dump_json(events), "format": "event", "headers": {}, "occurred_at": None,
        "received_at": after(0),
    }  # fmt: skip
    return inbox.Delivery(**values | changes)


def claimed(delivery: inbox.Delivery) -> inbox.Claimed:
    """The same as a worker holds it, without a ledger."""
    return inbox.Claimed(**vars(delivery), id=1, epoch=1, attempts=1)


def store(ledger: Ledger, *deliveries: inbox.Delivery) -> list[int]:
    with ledger.write() as database:
        return [stored.id for stored in inbox.store(database, ledger.keys, deliveries)]


def tell(ledger: Ledger, *events: Event, **changes: Any) -> list[int]:
    """Store each event as a delivery of its own; gives the ids."""
    with ledger.read() as database:
        before = sum(inbox.counts(database).values())
    deliveries = [told(event, key=f"told-{before + n}", **changes) for n, event in enumerate(events)]
    return store(ledger, *deliveries)
