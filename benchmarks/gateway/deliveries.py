"""Stripe events as HTTP requests, each with an id and a signature of its own, built before the clock runs."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator

SECRET = "whsec_benchmark"

_INTENT = {
    "id": "pi_@@@",
    "object": "payment_intent",
    "amount": 12995,
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 12995,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "manual",
    "client_secret": "pi_@@@_secret_7yK0",
    "confirmation_method": "automatic",
    "created": 1764000000,
    "currency": "usd",
    "customer": None,
    "description": "Order #1042",
    "invoice": None,
    "last_payment_error": None,
    "latest_charge": "ch_@@@",
    "livemode": False,
    "metadata": {"shop": "north.myshopify.com", "order_id": "5421337001042", "order_name": "#1042"},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": "pm_1PgafyB7WZ01zgkW",
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": "shopper@example.com",
    "review": None,
    "setup_future_usage": None,
    "shipping": {
        "address": {
            "city": "Springfield",
            "country": "US",
            "line1": "12 Main Street",
            "line2": None,
            "postal_code": "97475",
            "state": "OR",
        },
        "carrier": None,
        "name": "A Shopper",
        "phone": "+15415550123",
        "tracking_number": None,
    },
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
    "transfer_group": None,
}
_EVENT = {
    "id": "evt_@@@",
    "object": "event",
    "api_version": "2026-07-29.dahlia",
    "created": 1764000000,
    "data": {"object": _INTENT},
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": "req_7yK0", "idempotency_key": "order-5421337001042"},
    "type": "payment_intent.succeeded",
}
# Indented, as Stripe sends it.
_BODY = json.dumps(_EVENT, indent=2)
_PLACE = "@@@"


def requests(path: str, host: str, count: int, secret: str = SECRET) -> list[bytes]:
    """`count` requests as bytes, each an event never sent before, signed now (good for five minutes)."""
    return list(_requests(path, host, count, secret))


def _requests(path: str, host: str, count: int, secret: str) -> Iterator[bytes]:
    run, signed_at = secrets.token_hex(6), int(time.time())
    for number in range(count):
        body = _BODY.replace(_PLACE, f"{run}{number:012d}").encode()
        signature = hmac.new(secret.encode(), b"%d." % signed_at + body, hashlib.sha256).hexdigest()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
            f"Accept: */*; q=0.5, application/xml\r\nCache-Control: no-cache\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            f"Stripe-Signature: t={signed_at},v1={signature}\r\n\r\n"
        )
        yield head.encode() + body
