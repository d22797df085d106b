"""POST /hooks/{provider}/{account}: from the raw request to a committed row, or a refusal that says when to repeat."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from tradewind.domain.connections import Connection
from tradewind.errors import SignatureInvalid
from tradewind.gateway.accounts import Accounts
from tradewind.gateway.bodies import Bodies
from tradewind.gateway.deadline import Deadlines
from tradewind.gateway.heads import headers_of, url_of
from tradewind.gateway.identity import delivery_of
from tradewind.gateway.refusal import Refusal
from tradewind.gateway.store import StoreUnavailable
from tradewind.gateway.writer import QueueFull, Writer
from tradewind.ledger.delivery import Delivery, Stored
from tradewind.providers.hooks import HookRequest, KeyUnknown, Verdict
from tradewind.providers.registry import Provider

log = logging.getLogger(__name__)

STORE_AWAY_RETRY_S = 5
QUEUE_FULL_RETRY_S = 2
KEY_UNKNOWN_RETRY_S = 60
ANSWER_WITHIN_S = 4.0
"""Shopify waits five seconds for the whole of a request (shopify.dev, "HTTPS webhook delivery"), Stripe and ShipStation
longer: a provider that hears 503 in time repeats, one that hears nothing counts a failure."""

# Made once: an answer that says the same each time need not be written anew.
_STORED = JSONResponse({"status": "stored"})
_DUPLICATE = JSONResponse({"status": "duplicate"})


class Hooks:
    """The endpoint. answer_within_s: from a request's head to its answer, whatever hangs.

    A delivery whose commit comes after that is stored all the same: the provider was told 503, repeats it, and hears
    that it is a duplicate.
    """

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        accounts: Accounts,
        bodies: Bodies,
        writer: Writer,
        now: Callable[[], datetime],
        public_url: str | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._providers = providers
        self._accounts = accounts
        self._bodies = bodies
        self._writer = writer
        self._now = now
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._deadlines = Deadlines(answer_within_s)

    async def receive(self, request: Request) -> Response:
        """200 once the delivery is committed, now or before; else the refusal. The body of a delivery is never judged.

        404 unknown connection · 408, 413 the body · 401 the signature · 503 with Retry-After for whatever is not the
        sender's fault.
        """
        params = request.path_params
        key = f"{params['provider']}:{params['account']}"
        try:
            stored = await self._receive(key, request)
        except Refusal as refusal:
            log.warning("%s: %d, %s", key, refusal.status, refusal.reason)
            return refusal.response()
        return _DUPLICATE if stored.duplicate else _STORED

    async def _receive(self, key: str, request: Request) -> Stored:
        reading = False
        try:
            with self._deadlines.begin(), self._bodies.room() as room:
                provider, connection = await self._known(key)
                reading = True
                headers = headers_of(request.scope["headers"])
                body = await room.read(request.receive, int(headers.get("content-length", 0)))
                reading = False
                hook = HookRequest(headers, body, self._url(request.scope, headers))
                received_at = self._now()
                verdict = await self._authenticate(provider, connection, hook, received_at)
                return await self._commit(delivery_of(provider, key, hook, received_at, verdict))
        except TimeoutError:
            if reading:
                raise Refusal(408, "the body did not arrive") from None
            reason = "the store did not answer in time"
            raise Refusal(503, reason, retry_after_s=STORE_AWAY_RETRY_S) from None

    async def _known(self, key: str) -> tuple[Provider, Connection]:
        """The connection, looked for once more in the ledger when it is not known. Raises Refusal."""
        connection = self._accounts.get(key)
        if connection is None:
            await self._reload()
            connection = self._accounts.get(key)
        provider = self._providers.get(key.partition(":")[0])
        if connection is None or provider is None:
            raise Refusal(404, "no such connection")
        return provider, connection

    async def _authenticate(
        self, provider: Provider, connection: Connection, hook: HookRequest, now: datetime
    ) -> Verdict | None:
        """Check the signature by the secrets known or, failing that, by those just reloaded. Raises Refusal."""
        try:
            return provider.authenticate(hook, _secrets(connection), now)
        except (SignatureInvalid, KeyUnknown):
            await self._reload()  # the secret may have been rotated a moment ago
        _, connection = await self._known(str(connection.key))
        try:
            return provider.authenticate(hook, _secrets(connection), now)
        except SignatureInvalid as error:
            log.info("%s: %s", connection.key, error)
            raise Refusal(401, "the signature does not hold") from error
        except KeyUnknown as error:
            retry_after_s = int(error.retry_after_s or KEY_UNKNOWN_RETRY_S)
            raise Refusal(503, "the signing key is not known yet", retry_after_s=retry_after_s) from error

    async def _commit(self, delivery: Delivery) -> Stored:
        try:
            return await self._writer.put(delivery)
        except QueueFull as error:
            raise Refusal(503, "too much is waiting", retry_after_s=QUEUE_FULL_RETRY_S) from error
        except Exception as error:  # whatever went wrong, nothing but a commit is acknowledged
            raise Refusal(503, "the store is not available", retry_after_s=STORE_AWAY_RETRY_S) from error

    async def _reload(self) -> None:
        try:
            await self._accounts.reload()
        except StoreUnavailable as error:
            raise Refusal(503, "the store is not available", retry_after_s=STORE_AWAY_RETRY_S) from error

    def _url(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """The address as the provider knows it; some sign it."""
        if self._public_url is None:
            return url_of(scope, headers.get("host"))
        query = scope["query_string"]
        return f"{self._public_url}{scope['path']}?{query.decode()}" if query else f"{self._public_url}{scope['path']}"


def _secrets(connection: Connection) -> Mapping[str, str]:
    """What a signature is checked with; public keys are among the settings."""
    return {**connection.settings, **connection.secrets}
