"""The back office's webhooks: HMAC-SHA256 in hex over `timestamp.body`, with an id of their own per document."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tradewind.domain.rotation import live
from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookIdentity, HookRequest, Rotation, Verdict, moment, plain

TOLERANCE_S = 300
TOPIC = "document"

_LONGEST_TIME = 12  # digits: more than a Unix time has for 29,000 years
ROTATION = Rotation("secret", timedelta(hours=24), "Set the new secret in the back office.")


def authenticate(request: HookRequest, secrets: Mapping[str, str], now: datetime) -> Verdict:
    """Raises SignatureInvalid unless the secret signed the body within 300 s of now."""
    timestamp = request.headers.get("x-backoffice-timestamp", "")
    numeric = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIME
    if not numeric or abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise SignatureInvalid("X-Backoffice-Timestamp is missing, or more than five minutes from now")
    given = request.headers.get("x-backoffice-signature", "").encode()
    payload = timestamp.encode() + b"." + request.body
    for name, secret in live(secrets, (ROTATION.secret,), now):
        if hmac.compare_digest(hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest().encode(), given):
            return Verdict("HMAC-SHA256 of timestamp and body", name, datetime.fromtimestamp(int(timestamp), UTC))
    raise SignatureInvalid("no live secret made the X-Backoffice-Signature")


def identify(request: HookRequest) -> HookIdentity:
    """The key is X-Backoffice-Id, one per document and the same when it is repeated; without it, the body's digest."""
    key = plain(request.headers.get("x-backoffice-id")) or f"sha256:{hashlib.sha256(request.body).hexdigest()}"
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    document = body if isinstance(body, dict) else {}
    return HookIdentity(key, TOPIC, moment(document.get("occurred_at")), plain(document.get("document")), None)
