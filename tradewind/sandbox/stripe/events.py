"""Stripe events: kept, and sent signed to every endpoint that asked for them.

Source: docs.stripe.com/webhooks (signatures, retries: three times over a few hours outside live mode).
"""

import contextlib
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from typing import Final

from tradewind.sandbox.clock import Clock
from tradewind.sandbox.sender import Hook, Sender
from tradewind.sandbox.stripe import objects
from tradewind.sandbox.stripe.kept_events import KeptEvent, KeptEvents
from tradewind.sandbox.stripe.objects import Json

RETRY_AFTER_S: Final = (300.0, 3600.0, 7200.0)
TIMEOUT_S: Final = 10.0
NOBODY: Final[Json] = {"id": None, "idempotency_key": None}


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over the time of this attempt and the body."""
    timestamp = str(int(at.timestamp()))
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"


class Events:
    """One account's events and webhook endpoints."""

    def __init__(self, connection: str, clock: Clock, sender: Sender, new_id: Callable[[str], str]) -> None:
        self._connection = connection
        self._clock = clock
        self._sender = sender
        self._new_id = new_id
        self._secrets: dict[str, str] = {}
        self._muted = False
        self.endpoints: dict[str, Json] = {}
        self.kept = KeptEvents(clock)

    @contextlib.contextmanager
    def muted(self, muted: bool = True) -> Iterator[None]:
        """Meanwhile events are kept but not sent: what happens is only found by looking."""
        self._muted = muted
        try:
            yield
        finally:
            self._muted = False

    def add_endpoint(self, endpoint: Json, rng: random.Random) -> str:
        """Register an endpoint. Gives its signing secret, which is not shown again."""
        self.endpoints[endpoint["id"]] = endpoint
        secret = "whsec_" + "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=32))
        self._secrets[endpoint["id"]] = secret
        return secret

    def remove_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint: nothing more is sent to it."""
        del self.endpoints[endpoint_id]
        del self._secrets[endpoint_id]

    def emit(self, kind: str, of: Json, cause: Json = NOBODY) -> None:
        """Something happened to `of`. cause: the API request behind it."""
        created = int(self._clock.now().timestamp())
        event = objects.event(self._new_id("evt"), created, kind, deepcopy(of), dict(cause))
        listeners = [endpoint for endpoint in self.endpoints.values() if not self._muted and _wants(endpoint, kind)]
        event["pending_webhooks"] = len(listeners)
        kept = KeptEvent(event["id"], created, kind, json.dumps(event), {endpoint["id"] for endpoint in listeners})
        self.kept.add(kept)
        for endpoint in listeners:
            self._send(endpoint, event, kept)

    def newest_first(self) -> list[Json]:
        """Every kept event."""
        return self.kept.newest_first()

    def _send(self, endpoint: Json, event: Json, kept: KeptEvent) -> None:
        """An endpoint hears events in the version it was made with."""
        body = json.dumps({**event, "api_version": endpoint["api_version"] or objects.API_VERSION}, indent=2).encode()
        secret = self._secrets[endpoint["id"]]

        def headers(at: datetime) -> dict[str, str]:
            return {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature(secret, body, at),
            }

        def delivered() -> None:
            kept.waiting.discard(endpoint["id"])

        url, kind = endpoint["url"], event["type"]
        hook = Hook(self._connection, url, kind, body, headers, RETRY_AFTER_S, TIMEOUT_S, on_delivered=delivered)
        self._sender.send(hook)


def _wants(endpoint: Json, kind: str) -> bool:
    return endpoint["status"] == "enabled" and bool({"*", kind} & set(endpoint["enabled_events"]))
