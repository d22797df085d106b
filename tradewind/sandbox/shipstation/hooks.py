"""ShipStation's webhooks: subscriptions, and messages signed with RSA-SHA256 over `{timestamp}.{body}`.

Source: docs.shipstation.com/apis/docs/guides, "Webhooks", "Webhook validation", "Webhook payload schemas".
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tradewind.sandbox.sender import Hook, Sender
from tradewind.sandbox.shipstation.errors import ShipStationError, invalid, not_found, required
from tradewind.sandbox.shipstation.objects import Json, timestamp

# A message that is not answered 2xx within 10 s is sent twice more, half an hour apart.
RETRY_AFTER_S: Final = (1800.0, 1800.0)
TIMEOUT_S: Final = 10.0

# Event names by API version, with the resource type that a message carries.
EVENTS: Final[dict[str, dict[str, str]]] = {
    "v1": {
        "batch": "API_BATCH",
        "carrier_connected": "API_CARRIER_CONNECTED",
        "order_source_refresh_complete": "API_ORDER_SOURCE_REFRESH_COMPLETE",
        "rate": "API_RATE",
        "report_complete": "API_REPORT_COMPLETE",
        "sales_orders_imported": "API_SALES_ORDERS_IMPORTED",
        "track": "API_TRACK",
    },
    "v2": {
        "batch": "BATCH_PROCESSED_V2",
        "batch_processed_v2": "BATCH_PROCESSED_V2",
        "track": "TRACK_EVENT_V2",
        "track_event_v2": "TRACK_EVENT_V2",
        "label_created_v2": "LABEL_CREATED_V2",
        "shipment_created_v2": "SHIPMENT_CREATED_V2",
        "fulfillment_shipped_v2": "FULFILLMENT_SHIPPED_V2",
    },
}
_TRACK_EVENTS: Final = {"track", "track_event_v2"}


class SigningKey:
    """The RSA key that signs webhooks, and its public half as a JWK."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._private.public_key().public_numbers()
        modulus, exponent = _base64url(numbers.n), _base64url(numbers.e)
        thumbprint = json.dumps({"e": exponent, "kty": "RSA", "n": modulus}, separators=(",", ":")).encode()
        self.key_id = base64.urlsafe_b64encode(hashlib.sha256(thumbprint).digest()).decode().rstrip("=")
        self.jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "n": modulus, "e": exponent}

    def sign(self, message: bytes) -> str:
        """A base64 RSASSA-PKCS1-v1_5 signature."""
        return base64.b64encode(self._private.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


@cache
def signing_key() -> SigningKey:
    """The key of every account in this process: making one takes a tenth of a second, too long for each of many."""
    return SigningKey()


class Subscriptions:
    """One account's webhooks."""

    def __init__(self, connection: str, base_url: str, sender: Sender, new_id: Callable[[], str]) -> None:
        self._connection = connection
        self._base_url = base_url
        self._sender = sender
        self._new_id = new_id
        self._versions: dict[str, str] = {}
        self.kept: dict[str, Json] = {}

    @property
    def key(self) -> SigningKey:
        """What messages are signed with."""
        return signing_key()

    def create(self, version: str, asked: Json) -> Json:
        """A new webhook. Raises ShipStationError for an unknown event or one that has this address already."""
        event, url = asked.get("event"), asked.get("url")
        for name in ("event", "url"):
            if not asked.get(name):
                raise required(name)
        if event not in EVENTS[version]:
            raise invalid("event", f"'{event}' is not a webhook event: {', '.join(EVENTS[version])}.")
        if any((hook["event"], hook["url"]) == (event, url) for hook in self.kept.values()):
            message = "A webhook with this event and URL exists."
            raise ShipStationError(409, "business_rules", "webhook_event_type_conflict", message)
        webhook = {"webhook_id": self._new_id(), **{k: asked[k] for k in _KEYS if asked.get(k) is not None}}
        self.kept[webhook["webhook_id"]] = webhook
        self._versions[webhook["webhook_id"]] = version
        return webhook

    def find(self, webhook_id: str) -> Json:
        """One webhook."""
        if webhook_id not in self.kept:
            raise not_found("Webhook", webhook_id)
        return self.kept[webhook_id]

    def update(self, webhook_id: str, asked: Json) -> None:
        """Change where and with which headers a webhook is sent; its event stays."""
        self.find(webhook_id).update({key: asked[key] for key in ("url", "headers", "name") if key in asked})

    def delete(self, webhook_id: str) -> None:
        """Send nothing more."""
        self.find(webhook_id)
        del self.kept[webhook_id], self._versions[webhook_id]

    def label_created(self, label: Json) -> None:
        """Tell of a bought label; the address is a list, because a batch may hold several."""
        self._tell({"label_created_v2"}, lambda version: f"/{version}/labels?batch_id={label['batch_id']}", None)

    def shipment_created(self, shipment: Json) -> None:
        """Tell of a stored shipment."""
        path = f"/shipments/{shipment['shipment_id']}"
        self._tell({"shipment_created_v2"}, lambda version: f"/{version}{path}", None)

    def tracked(self, label: Json, data: Json) -> None:
        """Tell of a scan."""
        path = f"/labels/{label['label_id']}/track"
        self._tell(_TRACK_EVENTS, lambda version: f"/{version}{path}", data)

    def _tell(self, events: set[str], path: Callable[[str], str], data: Json | None) -> None:
        for webhook_id, webhook in self.kept.items():
            if webhook["event"] in events:
                version = self._versions[webhook_id]
                resource_type = EVENTS[version][webhook["event"]]
                message: Json = {"resource_url": self._base_url + path(version), "resource_type": resource_type}
                if data is not None:
                    message["data"] = data
                self._send(webhook, resource_type, json.dumps(message).encode())

    def _send(self, webhook: Json, resource_type: str, body: bytes) -> None:
        own_headers = {header["key"]: header["value"] for header in webhook.get("headers", [])}

        def headers(at: datetime) -> dict[str, str]:
            sent_at = timestamp(at)
            return {
                "Content-Type": "application/json",
                "User-Agent": "ShipEngine/v1",
                **own_headers,
                "x-shipengine-rsa-sha256-key-id": self.key.key_id,
                "x-shipengine-rsa-sha256-signature": self.key.sign(f"{sent_at}.".encode() + body),
                "x-shipengine-timestamp": sent_at,
            }

        hook = Hook(self._connection, webhook["url"], resource_type, body, headers, RETRY_AFTER_S, TIMEOUT_S)
        self._sender.send(hook)


_KEYS: Final = ("event", "url", "headers", "name", "store_id")


def _base64url(number: int) -> str:
    size = (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).decode().rstrip("=")
