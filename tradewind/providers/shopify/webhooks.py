"""Shopify's webhooks: HMAC-SHA256 of the raw body with the app's client secret, named by their webhook id.

Source: shopify.dev, "Verify webhook deliveries" and "Webhooks delivery structure". Header names come in two spellings,
`X-Shopify-…` and the newer `Shopify-…`; both are read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from tradewind.domain.rotation import live
from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookIdentity, HookRequest, Rotation, Verdict

WANTED_TOPICS: Mapping[str, str] = {
    "ORDERS_CREATE": "orders/create",
    "ORDERS_UPDATED": "orders/updated",
    "ORDERS_PAID": "orders/paid",
    "ORDERS_CANCELLED": "orders/cancelled",
    "ORDERS_FULFILLED": "orders/fulfilled",
    "ORDERS_PARTIALLY_FULFILLED": "orders/partially_fulfilled",
    "ORDERS_RISK_ASSESSMENT_CHANGED": "orders/risk_assessment_changed",
    "REFUNDS_CREATE": "refunds/create",
    "RETURNS_REQUEST": "returns/request",
    "RETURNS_APPROVE": "returns/approve",
    "RETURNS_DECLINE": "returns/decline",
    "RETURNS_CANCEL": "returns/cancel",
    "RETURNS_CLOSE": "returns/close",
    "RETURNS_REOPEN": "returns/reopen",
    "RETURNS_PROCESS": "returns/process",
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD": "fulfillment_orders/placed_on_hold",
    "FULFILLMENT_ORDERS_HOLD_RELEASED": "fulfillment_orders/hold_released",
    "FULFILLMENT_HOLDS_RELEASED": "fulfillment_holds/released",
    "FULFILLMENT_ORDERS_MOVED": "fulfillment_orders/moved",
    "APP_UNINSTALLED": "app/uninstalled",
}
"""WebhookSubscriptionTopic → the topic that deliveries name.

The order topics overlap on purpose: one of them lost is made good by the next, and an order that is known already costs
no call. Products and stock levels are read by the catalog sync, in batches.
"""

ROTATION = Rotation(
    "client_secret",
    timedelta(hours=24),
    "In the Dev Dashboard open the app's settings and rotate its client secret; revoke the old one when the grace is "
    "over. Until then Shopify may sign with either.",
)
"""Source: shopify.dev, "Rotate or revoke client credentials": accept both until the old secret is revoked."""
_SECRETS = (ROTATION.secret, "webhook_secret")


def authenticate(request: HookRequest, secrets: Mapping[str, str], now: datetime) -> Verdict:
    """Raises SignatureInvalid unless a live secret signed the raw body.

    secrets: `client_secret`, and `client_secret_previous` while it is rotated, good until `…_previous_until`: Shopify
    signs with the older one for up to an hour. `webhook_secret` is for deliveries that something else signs. Shopify
    signs no time: repetitions are known by their webhook id.
    """
    try:
        signature = base64.b64decode(_header(request, "hmac-sha256") or "", validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature:
        raise SignatureInvalid("X-Shopify-Hmac-Sha256 is missing or not base64")
    for name, secret in live(secrets, _SECRETS, now):
        if hmac.compare_digest(hmac.digest(secret.encode(), request.body, "sha256"), signature):
            return Verdict("HMAC-SHA256 of the body", name)
    raise SignatureInvalid("no live secret of the app made X-Shopify-Hmac-Sha256")


def identify(request: HookRequest) -> HookIdentity:
    """The key is the webhook id: Shopify repeats a delivery under the same one.

    The event id is shared by the deliveries of one change to several subscriptions, so it only correlates: whoever
    keeps one delivery per event drops the other topics. Source: shopify.dev, "Ignore duplicate webhooks" and "Verify
    Events deliveries". A delivery without
    a webhook id is named by the digest of its topic and body.
    """
    topic = _header(request, "topic") or "unnamed"
    webhook_id = _header(request, "webhook-id")
    return HookIdentity(
        delivery_key=webhook_id or f"sha256:{hashlib.sha256(topic.encode() + b'/' + request.body).hexdigest()}",
        topic=topic,
        occurred_at=_time(_header(request, "triggered-at")),
        correlation=_header(request, "event-id"),
        api_version=_header(request, "api-version"),
    )


def _header(request: HookRequest, name: str) -> str | None:
    return request.headers.get(f"x-shopify-{name}") or request.headers.get(f"shopify-{name}") or None


def _time(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
