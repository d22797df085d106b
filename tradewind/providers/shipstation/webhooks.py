"""ShipStation's webhooks: signed with RSA-SHA256 over `timestamp.body`, keys published as JWKS, no delivery id.

Source: docs.shipstation.com/apis/docs/guides/webhooks-validation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookIdentity, HookRequest, KeyUnknown, Verdict, json_object, moment, plain

TOLERANCE_S = 300
KEY_REFRESH_S = 60.0


def authenticate(request: HookRequest, secrets: Mapping[str, str], now: datetime) -> Verdict:
    """Raises SignatureInvalid unless a published key signed the body within 300 s of now.

    secrets: `jwks`, the published key set as JSON text. Raises KeyUnknown when it does not hold the named key (yet).
    """
    key_id = request.headers.get("x-shipengine-rsa-sha256-key-id", "")
    timestamp = request.headers.get("x-shipengine-timestamp", "")
    signed_at = _signed_at(timestamp)
    if not key_id or signed_at is None or abs((now - signed_at).total_seconds()) > TOLERANCE_S:
        raise SignatureInvalid("x-shipengine-* headers are missing, or signed more than five minutes from now")
    try:
        signature = base64.b64decode(request.headers.get("x-shipengine-rsa-sha256-signature", ""), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureInvalid("x-shipengine-rsa-sha256-signature is not base64") from None
    key = _keys(secrets.get("jwks", "")).get(key_id)
    if key is None:
        raise KeyUnknown("the signing key has not been fetched yet", retry_after_s=KEY_REFRESH_S)
    try:
        key.verify(signature, timestamp.encode() + b"." + request.body, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise SignatureInvalid("x-shipengine-rsa-sha256-signature does not match the body") from None
    return Verdict("RSA-SHA256 of timestamp and body", f"public key {key_id}", signed_at)


def identify(request: HookRequest) -> HookIdentity:
    """The key is a digest of type, address and data: ShipStation sends no id, and repeats the same three.

    Source: docs.shipstation.com/apis/docs/guides/webhooks-schemas, whose examples have these three and nothing else.

    A body that is no envelope is named by the digest of its bytes. occurred_at: of the newest scan, when there is one.
    """
    envelope = json_object(request.body)
    topic, address, data = plain(envelope.get("resource_type")), envelope.get("resource_url"), envelope.get("data")
    if topic is None:
        return HookIdentity(f"sha256:{hashlib.sha256(request.body).hexdigest()}", "unreadable", None, None, None)
    said = json.dumps([topic, address, data], sort_keys=True, separators=(",", ":")).encode()
    return HookIdentity(
        delivery_key=f"sha256:{hashlib.sha256(said).hexdigest()}",
        topic=topic,
        occurred_at=_newest_scan(data),
        correlation=plain(address),
        api_version="v2" if topic.endswith("_V2") else "v1",
    )


@lru_cache(maxsize=8)
def _keys(jwks: str) -> Mapping[str, RSAPublicKey]:
    """The RSA keys of a key set (RFC 7517) by key id; what cannot be read is not there."""
    listed = json_object(jwks.encode()).get("keys")
    keys = {}
    for entry in listed if isinstance(listed, list) else ():
        try:
            numbers = RSAPublicNumbers(e=_number(entry["e"]), n=_number(entry["n"]))
            keys[str(entry["kid"])] = numbers.public_key()
        except (KeyError, TypeError, ValueError):
            continue
    return keys


def _number(text: str) -> int:
    """A base64url number without padding (RFC 7518, 6.3.1)."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _newest_scan(data: Any) -> datetime | None:
    scans = data.get("events") if isinstance(data, dict) else None
    if not isinstance(scans, list):
        return None
    times = (moment(scan.get("occurred_at")) for scan in scans if isinstance(scan, dict))
    return max((at for at in times if at is not None), default=None)


def _signed_at(timestamp: str) -> datetime | None:
    """ISO 8601 as documented, or Unix seconds."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        return moment(timestamp)
    try:
        return datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None
