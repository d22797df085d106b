"""Webhook subscriptions, and what is sent to them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from tradewind.sandbox.sender import Hook, Sender
from tradewind.sandbox.shopify.ids import Ids
from tradewind.sandbox.shopify.refusal import RefusalError

API_VERSION: Final = "2026-10"
# Eight retries within four hours, each later than the one before. The pauses themselves are not published.
# Source: shopify.dev, changelog "Updates to webhook retry mechanism".
RETRY_AFTER_S: Final = (10.0, 30.0, 90.0, 270.0, 810.0, 2430.0, 4380.0, 6380.0)
TIMEOUT_S: Final = 5.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(eq=False)
class Subscription:
    """Who wants to hear of a topic (as the API's enum: ORDERS_CREATE)."""

    id: int
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    name: str | None = None
    include_fields: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Happening:
    """Something that the merchant, a shopper or an app did. All webhooks about it carry its id."""

    id: str
    at: datetime


class Subscriptions:
    """The subscriptions of one app in one store."""

    def __init__(self, *, connection: str, domain: str, secret: str, ids: Ids, sender: Sender) -> None:
        self._connection = connection
        self._domain = domain
        self._secret = secret.encode()
        self._ids = ids
        self._sender = sender
        self._all: dict[int, Subscription] = {}

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._all.values())

    def get(self, number: int | None) -> Subscription | None:
        """The subscription with this number."""
        return self._all.get(number or 0)

    def create(self, topic: str, uri: str, at: datetime, **settings: Any) -> Subscription:
        """Subscribe. Raises RefusalError for an address that is not https, or that has the topic already."""
        self._check(topic, uri)
        created = Subscription(self._ids.next(), topic, uri, at, at, **settings)
        self._all[created.id] = created
        return created

    def update(self, subscription: Subscription, at: datetime, **settings: Any) -> None:
        """Change a subscription. Raises RefusalError as `create` does."""
        if settings.get("uri", subscription.uri) != subscription.uri:
            self._check(subscription.topic, settings["uri"])
        for name, value in settings.items():
            setattr(subscription, name, value)
        subscription.updated_at = at

    def remove(self, number: int) -> None:
        """Unsubscribe; nothing happens if it is gone already."""
        self._all.pop(number, None)

    def clear(self) -> None:
        """Unsubscribe from everything, as when the app is uninstalled."""
        self._all.clear()

    def publish(self, happening: Happening, topic: str, build: Callable[[], dict[str, Any]]) -> None:
        """Send a topic ("orders/create") to its subscribers. The body is that of this moment, for every retry."""
        enum = topic.replace("/", "_").upper()
        subscribers = [each for each in self if each.topic == enum]
        if not subscribers:
            return
        body = build()
        for subscription in subscribers:
            self._sender.send(self._hook(happening, topic, subscription, body))

    def _hook(self, happening: Happening, topic: str, subscription: Subscription, body: dict[str, Any]) -> Hook:
        wanted = subscription.include_fields
        chosen = {key: value for key, value in body.items() if key in wanted} if wanted else body
        raw = json.dumps(chosen, separators=(",", ":"), ensure_ascii=False).encode()
        headers = self._headers(happening, topic, raw)
        return Hook(
            connection=self._connection,
            url=subscription.uri,
            topic=topic,
            body=raw,
            headers=lambda _: headers,
            retry_after_s=RETRY_AFTER_S,
            timeout_s=TIMEOUT_S,
            # Shopify deletes a subscription made through the API when every retry has failed.
            on_give_up=lambda: self.remove(subscription.id),
        )

    def _headers(self, happening: Happening, topic: str, raw: bytes) -> dict[str, str]:
        signature = base64.b64encode(hmac.new(self._secret, raw, hashlib.sha256).digest()).decode()
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Shop-Domain": self._domain,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": self._ids.uuid(),
            "X-Shopify-Event-Id": happening.id,
            "X-Shopify-Triggered-At": happening.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        }

    def _check(self, topic: str, uri: str) -> None:
        where = ["webhookSubscription", "uri"]
        if not uri:
            raise RefusalError("Address can't be blank", field=where)
        address = urlsplit(uri)
        # Shopify takes https alone; a receiver on this machine has no certificate.
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise RefusalError(f"Address protocol {address.scheme}:// is not supported", field=where)
        if any(each.topic == topic and each.uri == uri for each in self):
            raise RefusalError("Address for this topic has already been taken", field=where)
