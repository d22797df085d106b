"""Stripe's webhooks: signed with HMAC-SHA256 over `timestamp.body`, named by their event id.

Source: docs.stripe.com/webhooks (signature verification, tolerance of five minutes, one signature per live secret).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from tradewind.domain.rotation import live
from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookIdentity, HookRequest, Rotation, Verdict, json_object, plain
from tradewind.providers.stripe.limits import livemode_of

TOLERANCE_S = 300

TOPICS: Mapping[str, Literal["hint"]] = MappingProxyType(
    dict.fromkeys(
        (
            "charge.captured",
            "charge.dispute.closed",
            "charge.dispute.created",
            "charge.dispute.funds_reinstated",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
            "charge.expired",
            "charge.failed",
            "charge.refunded",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "payment_intent.canceled",
            "payment_intent.partially_funded",
            "payment_intent.payment_failed",
            "payment_intent.processing",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
            "refund.created",
            "refund.failed",
            "refund.updated",
        ),
        "hint",
    )
)
"""What is subscribed to. Every one is a hint: Stripe delivers in no order and an event's object is as old as the event,
so that the payment or the dispute is read again (docs.stripe.com/webhooks, "Event ordering").

Left out: `payment_intent.created`, which every abandoned checkout causes, and what says the same as one of these
(`charge.refund.updated`, `charge.pending`, `charge.updated`).
"""
WANTED_EVENTS = tuple(TOPICS)

_LONGEST_TIME = 12  # digits: more than a Unix time has for 29,000 years
# An event and everything in it are of one mode. Inside a string the quotes would be escaped.
_LIVEMODE = re.compile(rb'"livemode"\s*:\s*(true|false)')
ROTATION = Rotation(
    "webhook_secret",
    timedelta(hours=24),
    "In Stripe's Workbench open the webhook endpoint, roll its signing secret and let the old one expire in 24 hours; "
    "until then Stripe signs each delivery with both.",
)
"""Source: docs.stripe.com/webhooks, "Roll endpoint signing secrets": an old secret stays active for up to 24 hours."""


def authenticate(request: HookRequest, secrets: Mapping[str, str], now: datetime) -> Verdict:
    """Raises SignatureInvalid unless a live secret signed the body at most 300 s ago, in the mode of the secret key.

    secrets: `webhook_secret`, and `webhook_secret_previous` while a secret is being rolled. An event of test mode on a
    connection with a live key, or the reverse, was signed with a secret of the wrong endpoint: its objects cannot be
    read with that key, and none of them is the connection's.
    """
    signed_at, signatures = _signature(request.headers.get("stripe-signature", ""))
    if now.timestamp() - signed_at > TOLERANCE_S:
        raise SignatureInvalid("Stripe-Signature is older than five minutes")
    payload = b"%d." % signed_at + request.body
    for name, secret in live(secrets, (ROTATION.secret,), now):
        if _signed_by(secret, payload, signatures):
            _check_mode(request.body, secrets.get("secret_key"))
            return Verdict("HMAC-SHA256 of timestamp and body", name, datetime.fromtimestamp(signed_at, UTC))
    raise SignatureInvalid("no live webhook secret made the Stripe-Signature")


def identify(request: HookRequest) -> HookIdentity:
    """The key is the event id: Stripe repeats a delivery, also to several endpoints, with the same one.

    Repeated for up to three days, in any order. Source: docs.stripe.com/webhooks ("Handle duplicate events"),
    docs.stripe.com/webhooks/process-undelivered-events.

    A body that is no event is named by its digest. correlation: the id of the API request that caused the event.
    """
    event = json_object(request.body)
    key, topic = plain(event.get("id")), plain(event.get("type"))
    if key is None or topic is None:
        digest = hashlib.sha256(request.body).hexdigest()
        return HookIdentity(f"sha256:{digest}", "unreadable", None, None, None)
    caused_by = event.get("request")
    return HookIdentity(
        delivery_key=key,
        topic=topic,
        occurred_at=_time(event.get("created")),
        correlation=plain(caused_by.get("id")) if isinstance(caused_by, dict) else None,
        api_version=plain(event.get("api_version")),
    )


def _check_mode(body: bytes, secret_key: str | None) -> None:
    told, expected = _LIVEMODE.search(body), livemode_of(secret_key or "")
    if told and expected is not None and (told[1] == b"true") is not expected:
        raise SignatureInvalid(
            f"an event with livemode {told[1].decode()} on a connection with a key of the other mode"
        )


def _signature(header: str) -> tuple[int, list[str]]:
    signed_at: int | None = None
    signatures = []
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= _LONGEST_TIME:
            signed_at = int(value)
        elif name == "v1":
            signatures.append(value)
    if signed_at is None or not signatures:
        raise SignatureInvalid("Stripe-Signature is missing or has no t and v1")
    return signed_at, signatures


def _signed_by(secret: str, payload: bytes, signatures: list[str]) -> bool:
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest().encode()
    return any(hmac.compare_digest(expected, signature.encode()) for signature in signatures)


def _time(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
