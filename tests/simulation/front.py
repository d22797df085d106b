"""What stands before the providers: it sees every request and its answer, and may refuse one or lose the other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.responses import Response

from tests.simulation.clock import VirtualClock
from tradewind.sandbox.api_faults import SCOPE_KEY
from tradewind.sandbox.faults import Injected

Fate = Literal["refuse", "lose", "fail"] | None
App = Callable[[dict[str, Any], Callable[[], Any], Callable[[Any], Any]], Any]
_GID = re.compile(r"gid://shopify/Order/(\d+)")
_PAYMENT = re.compile(r"pi_\w+")


@dataclass(frozen=True)
class Asked:
    """One request. connection: whom it is for, e.g. `shopify:north`; key: its idempotency key."""

    at_s: float
    connection: str
    method: str
    path: str
    body: str
    key: str | None

    @property
    def is_listing(self) -> bool:
        """What changed since some time, as a sweep asks a store."""
        return self.connection.startswith("shopify:") and "updated_at:" in self.body


@dataclass
class Front:
    """rules: each says what becomes of a request; the first that says something holds.

    replays: by idempotency key, how often a stored failure was asked for again by one who had looked at the payment
    since. listed_at_s: when a store was last asked what had changed. on_read: told when the order has been read.
    """

    app: App
    clock: VirtualClock
    rules: list[Callable[[Asked], Fate]] = field(default_factory=list)
    replays: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    listed_at_s: dict[str, float] = field(default_factory=dict)
    on_read: dict[tuple[str, str], Callable[[], None]] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)  # key: the payment that is to be looked at

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        body = (await receive())["body"]
        asked = self._asked(scope, body)
        if asked.is_listing:
            self.listed_at_s[asked.connection] = asked.at_s
        fate = next(filter(None, (rule(asked) for rule in self.rules)), None)
        if fate == "refuse":
            await Response("Service Unavailable", 503, media_type="text/plain")(scope, receive, send)
            return
        if fate == "fail":
            # The processor begins, fails, and keeps the failure under the key now and then.
            scope[SCOPE_KEY] = Injected("server_error")
        given: list[Any] = []

        async def receive_again() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Any) -> None:
            given.append(message)

        await self.app(scope, receive_again, keep)
        if fate == "lose":
            await Response("Bad Gateway", 502, media_type="text/plain")(scope, receive, send)
            return
        self._note(asked, given[0])
        for message in given:
            await send(message)

    def _asked(self, scope: dict[str, Any], body: bytes) -> Asked:
        provider, account = scope["path"].strip("/").split("/")[:2]
        headers = {name.lower(): value for name, value in scope["headers"]}
        key = headers.get(b"idempotency-key", b"").decode() or None
        told = body.decode(errors="replace") or scope["query_string"].decode(errors="replace")
        return Asked(self.clock.monotonic(), f"{provider}:{account}", scope["method"], scope["path"], told, key)

    def _note(self, asked: Asked, start: Any) -> None:
        if asked.connection.startswith("shopify:"):
            if self.on_read and start["status"] == 200:
                for number in set(_GID.findall(asked.body)):
                    if (told := self.on_read.get((asked.connection.partition(":")[2], number))) is not None:
                        told()
        elif (payment := _PAYMENT.search(asked.path + asked.body)) is not None:
            self._note_payment(asked, payment[0], start)

    def _note_payment(self, asked: Asked, payment: str, start: Any) -> None:
        if asked.key is None:
            if start["status"] == 200:
                self._failed = {key: "" if of == payment else of for key, of in self._failed.items()}
            return
        headers = {name.lower(): value for name, value in start["headers"]}
        if start["status"] >= 500 and headers.get(b"idempotent-replayed") == b"true":
            self.replays[asked.key] += self._failed.get(asked.key) == ""
            self._failed[asked.key] = payment
