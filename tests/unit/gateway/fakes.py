"""A provider that signs with a word, and a store that can be held, broken and mended."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette

from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.errors import SignatureInvalid
from tradewind.gateway.store import StoreUnavailable
from tradewind.ledger.delivery import Delivery, Stored
from tradewind.providers.hooks import HookIdentity, HookRequest, KeyUnknown
from tradewind.providers.registry import Provider

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def authenticate(request: HookRequest, secrets: Mapping[str, str], now: datetime) -> None:
    signature = request.headers.get("x-signature")
    if signature == "key-unknown" and "jwks" not in secrets:
        raise KeyUnknown("not fetched yet", retry_after_s=7)
    if signature not in (secrets["webhook_secret"], "key-unknown"):
        raise SignatureInvalid("wrong word")


def identify(request: HookRequest) -> HookIdentity:
    if request.body == b"explode":
        raise RecursionError
    return HookIdentity(
        delivery_key=request.body.decode() or "empty",
        topic=request.headers.get("x-topic", "orders/create"),
        occurred_at=None,
        correlation=request.headers.get("x-correlation"),
        api_version=None,
    )


def _never(*_: object, **__: object) -> None:
    raise AssertionError("the gateway calls no provider")


FAKE = Provider("fake", Role.STOREFRONT, authenticate, identify, _never, _never, _never)  # type: ignore[arg-type]


def connection(account: str = "north", **settings: str) -> Connection:
    return Connection(
        key=ConnectionKey(provider="fake", account=account),
        role=Role.STOREFRONT,
        settings=settings,
        secrets={"webhook_secret": "good"},
    )


@dataclass
class FakeStore:
    """groups: what each transaction committed. refuses: a key that the database does not take."""

    known: dict[str, Connection]
    groups: list[list[Delivery]]
    loads: int = 0
    away: bool = False
    refuses: str | None = None

    def __post_init__(self) -> None:
        self.open_gate = threading.Event()
        self.open_gate.set()
        self.entered = threading.Semaphore(0)

    def connections(self) -> Mapping[str, Connection]:
        self.loads += 1
        self._check()
        return dict(self.known)

    def store(self, deliveries: Sequence[Delivery]) -> Sequence[Stored]:
        self.entered.release()
        self._pass_gate()
        self._check()
        if any(each.delivery_key == self.refuses for each in deliveries):
            raise ValueError("a row that the database does not take")
        seen = {each.delivery_key for each in self.stored}
        self.groups.append(list(deliveries))
        return [Stored(len(seen) + place, each.delivery_key in seen) for place, each in enumerate(deliveries)]

    def probe(self) -> None:
        self._pass_gate()
        self._check()

    def _pass_gate(self) -> None:
        if not self.open_gate.wait(20):
            raise StoreUnavailable("nobody opened the gate")

    @property
    def stored(self) -> list[Delivery]:
        return [delivery for group in self.groups for delivery in group]

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("the ledger is not available: gone")


def fake_store() -> FakeStore:
    return FakeStore(known={"fake:north": connection()}, groups=[])


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, its lifespan held open meanwhile."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")
    async with app.router.lifespan_context(app), client:
        yield client


async def until(reached: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait, for a bounded time, until the condition holds."""
    async with asyncio.timeout(20):
        while True:
            found = reached()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.005)
