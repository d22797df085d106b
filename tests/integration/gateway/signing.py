"""Webhooks signed as each provider signs them, written from the providers' documents alone."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tradewind.domain.connections import Connection, ConnectionKey, Role

SECRET = "a shared secret"
Headers = dict[str, str]


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def shopify(body: bytes, secret: str = SECRET, webhook_id: str | None = None) -> Headers:
    digest = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Hmac-Sha256": digest}
    return headers | ({"X-Shopify-Webhook-Id": webhook_id} if webhook_id else {})


def stripe(body: bytes, secret: str = SECRET, at: float | None = None) -> Headers:
    signed_at = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), b"%d." % signed_at + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={signed_at},v1={digest}"}


def shipstation(body: bytes, key_id: str = "key-1") -> Headers:
    timestamp = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    signature = _rsa_key().sign(timestamp.encode() + b"." + body, padding.PKCS1v15(), SHA256())
    return {
        "x-shipengine-rsa-sha256-key-id": key_id,
        "x-shipengine-rsa-sha256-signature": base64.b64encode(signature).decode(),
        "x-shipengine-timestamp": timestamp,
    }


def backoffice(body: bytes) -> Headers:
    timestamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Backoffice-Timestamp": timestamp, "X-Backoffice-Signature": digest, "X-Backoffice-Id": "doc-1"}


SIGN: dict[str, Callable[[bytes], Headers]] = {
    "shopify:north": shopify,
    "stripe:main": stripe,
    "shipstation:main": shipstation,
    "backoffice:main": backoffice,
}


def jwks(key_id: str = "key-1") -> str:
    numbers = _rsa_key().public_key().public_numbers()
    key = {"kty": "RSA", "kid": key_id, "use": "sig", "n": _base64url(numbers.n), "e": _base64url(numbers.e)}
    return json.dumps({"keys": [key]})


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


def connections() -> list[Connection]:
    """One connection of each provider, with what its signatures are checked with."""
    return [
        _connection("shopify:north", Role.STOREFRONT, secrets={"client_secret": SECRET}),
        _connection("stripe:main", Role.PAYMENT_PROCESSOR, secrets={"webhook_secret": SECRET}),
        _connection("shipstation:main", Role.CARRIER, settings={"jwks": jwks()}),
        _connection("backoffice:main", Role.JOURNAL, secrets={"secret": SECRET}),
    ]


def _connection(key: str, role: Role, **parts: dict[str, str]) -> Connection:
    return Connection(key=ConnectionKey.parse(key), role=role, **parts)


def path_of(connection: str) -> str:
    provider, _, account = connection.partition(":")
    return f"/hooks/{provider}/{account}"
