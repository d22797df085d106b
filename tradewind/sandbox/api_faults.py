"""Faults of the providers' APIs: 429s and 5xx nobody earned, answers that get lost, answers that come late."""

import random
from collections.abc import Callable
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewind.sandbox.faults import Injected
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.shipstation.errors import fault_answer as shipstation_answer
from tradewind.sandbox.shopify import fault_answer as shopify_answer
from tradewind.sandbox.stripe.errors import fault_answer as stripe_answer

FaultAnswer = Callable[[str, random.Random], Response]

# Where the middleware leaves an `Injected` for Stripe, which keeps a 500 for its idempotency key, and where a slow
# request holds its key.
SCOPE_KEY: Final = "tradewind.injected"

_LASTING: Final = ("throttle_storm", "server_error")
_EXEMPT: Final = ("/oauth/", "/jwks")


_ANSWERS: Final[dict[str, FaultAnswer]] = {
    "shopify": shopify_answer,
    "stripe": stripe_answer,
    "shipstation": shipstation_answer,
}
_TAKERS: Final = {"stripe"}


class ApiFaults:
    """Middleware over the providers' routes; the control API, tokens and public keys are left alone.

    429s and 5xx come instead of the effect, and last for their connection where they have a length; a lost answer
    comes after the effect, half of the time as a proxy's 502, otherwise as a connection that ends in mid-answer.
    """

    def __init__(self, app: ASGIApp, *, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox
        self._until_s: dict[tuple[str, str], float] = {}
        self._rngs = {provider: sandbox.rng(f"api_faults/{provider}") for provider in _ANSWERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        provider, _, account = scope.get("path", "").lstrip("/").partition("/")
        exempt = scope["type"] != "http" or provider not in _ANSWERS or any(p in scope["path"] for p in _EXEMPT)
        if exempt:
            await self._app(scope, receive, send)
            return
        connection = f"{provider}:{account.partition('/')[0]}"
        kind = self._refusal(connection, provider)
        if kind == "server_error" and provider in _TAKERS:
            scope[SCOPE_KEY] = Injected(kind)
        elif kind:
            await _ANSWERS[provider](kind, self._rngs[provider])(scope, receive, send)
            return
        await self._serve(scope, receive, send, provider)

    def _refusal(self, connection: str, provider: str) -> str | None:
        """The kind of failure that comes instead of the effect, if any. One that has a length goes on for it."""
        faults, rng, now_s = self._sandbox.faults, self._rngs[provider], self._sandbox.clock.monotonic()
        for kind in _LASTING:
            if now_s < self._until_s.get((connection, kind), 0.0):
                return kind
        for kind in _LASTING:
            if faults.strikes(kind, rng):
                self._until_s[connection, kind] = now_s + faults.length_s(kind, rng)
                return kind
        return None

    async def _serve(self, scope: Scope, receive: Receive, send: Send, provider: str) -> None:
        faults, rng = self._sandbox.faults, self._rngs[provider]
        if SCOPE_KEY not in scope and faults.strikes("slow_answer", rng):
            length_s = faults.length_s("slow_answer", rng)
            if provider in _TAKERS:
                scope[SCOPE_KEY] = Injected("slow_answer", length_s)
            else:
                await self._sandbox.clock.sleep(length_s)
        if not faults.strikes("lost_answer", rng):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _swallow)
        if rng.random() < 0.5:
            await Response("Bad Gateway", 502, media_type="text/plain")(scope, receive, send)
        else:
            await _cut(send)


async def _swallow(message: Message) -> None:
    """The answer goes nowhere."""


async def _cut(send: Send) -> None:
    """Promise more than is sent: the server raises at the short body and closes the connection."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
