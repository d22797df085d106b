"""A ledger in which one order went all the way, one hangs, one delivery is dead, and two stores have the same name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from tests.unit.domain.orders import (
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    order_observed,
    payment_observed,
    scanned,
)
from tradewind.domain.connections import Connection, ConnectionKey, ConnectionState, Role
from tradewind.domain.events import Event, OrderObserved, events_adapter
from tradewind.ledger import connections, inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applier

NOW = datetime.now(UTC).replace(microsecond=0)
SOUTH = "shopify:south"
GID = "gid://shopify/Order/820982911946154508"
ORDER = f"{STORE}/{GID}"
PAYLOAD = {
    "id": 820982911946154508,
    "admin_graphql_api_id": GID,
    "created_at": "2026-11-24T08:00:00-05:00",
    "updated_at": "2026-11-24T08:00:02-05:00",
    "cancelled_at": None,
    "fulfillment_status": None,
    "financial_status": "authorized",
    "currency": "GBP",
    "total_price": "12.50",
    "current_total_price": "12.50",
    "refunds": [],
    "fulfillments": [],
    "email": "ada@example.com",
    "customer": {"id": 115310627314723954, "first_name": "Ada", "last_name": "Lovelace"},
    "shipping_address": {"address1": "12 St James's Square", "city": "London"},
    "line_items": [{"sku": "MUG-1", "quantity": 1, "current_quantity": 1, "price": "12.50", "name": "Enamel mug"}],
}
HEADERS = {
    "content-type": "application/json",
    "x-shopify-topic": "orders/create",
    "x-shopify-shop-domain": "north.myshopify.com",
    "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "x-shopify-hmac-sha256": "XWmrwMey6OsLMeiZKwP4FppHH3cmAiiJJAweH5Jo4bM=",
    "x-forwarded-for": "203.0.113.9",
    ":verified": json.dumps(["HMAC-SHA256 of the body", "client_secret", None]),
}


def fill(ledger: Ledger) -> None:
    """Everything, as webhooks and answers brought it over the last hour."""
    _connect(ledger)
    steps: Sequence[tuple[float, str, str, Sequence[Event]]] = (
        (3000, "poll/order", STORE, [order_observed(GID)]),
        (2990, "payment_intent.amount_capturable_updated", PROCESSOR, [payment_observed()]),
        (2900, "outcome/capture_payment", PROCESSOR, [captured(version=after(60))]),
        (1200, "API_TRACK", CARRIER, [scanned()]),
        (1100, "poll/order", SOUTH, [_of_the_south()]),
    )
    _take(ledger, _webhook())
    for age_s, topic, connection, events in steps:
        _take(ledger, _event(topic, connection, events, NOW - timedelta(seconds=age_s)))
    _attempt(ledger)
    stripe = {":verified": json.dumps(["HMAC-SHA256 of timestamp and body", "webhook_secret_previous", _signed(60)])}
    _take(ledger, _raw(PROCESSOR, "charge.succeeded", b'{"id": "evt_odd", "object": "event"}', 60, stripe))
    _take(ledger, _event("payment_intent.succeeded", PROCESSOR, [payment_observed("pi_9", payment_id="x-9")], NOW))


def _attempt(ledger: Ledger) -> None:
    """The capture was made; the store does not take the payment yet."""
    with ledger.write() as conn:
        for due in outbox.claim_due(conn, PROCESSOR, worker="fill", limit=5, lease_s=30, writes=True):
            outbox.succeed(conn, due)
        for due in outbox.claim_due(conn, STORE, worker="fill", limit=5, lease_s=30, writes=True):
            outbox.postpone(conn, due, reason="ProviderUnavailable: HTTP 503", delay_s=240)


def _webhook() -> inbox.Delivery:
    return _raw(STORE, "orders/create", json.dumps(PAYLOAD).encode(), 3600, HEADERS)


def _raw(connection: str, topic: str, body: bytes, age_s: float, headers: dict[str, str]) -> inbox.Delivery:
    return inbox.Delivery(
        connection=connection,
        source="webhook",
        delivery_key=headers.get("x-shopify-webhook-id", f"{topic}-{age_s}"),
        topic=topic,
        body=body,
        format="raw",
        headers=headers,
        occurred_at=NOW - timedelta(seconds=age_s + 1),
        received_at=NOW - timedelta(seconds=age_s),
    )


def _event(topic: str, connection: str, events: Iterable[Event], at: datetime) -> inbox.Delivery:
    return inbox.Delivery(
        connection=connection,
        source="outcome" if topic.startswith("outcome/") else "poll",
        delivery_key=f"{topic}/{connection}/{at:%H%M%S}",
        topic=topic,
        body=events_adapter.dump_json(tuple(events)),
        format="event",
        headers={},
        occurred_at=at,
        received_at=at,
    )


def _take(ledger: Ledger, delivery: inbox.Delivery) -> None:
    """Receive and apply it, a second later."""
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery])
    Applier(ledger, worker="fill", now=lambda: delivery.received_at + timedelta(seconds=1)).run_once()


def _of_the_south() -> OrderObserved:
    """The other store's order of the same name."""
    return order_observed().model_copy(update={"connection": SOUTH, "external_id": "7"})


def _signed(age_s: float) -> str:
    return (NOW - timedelta(seconds=age_s + 2)).isoformat()


def _connect(ledger: Ledger) -> None:
    with ledger.write() as conn:
        for key, role, settings, secrets in _ACCOUNTS:
            account = Connection(
                key=ConnectionKey.parse(key),
                role=role,
                settings=settings,
                secrets=secrets,
            )
            connections.put(conn, ledger.keys, account)
            connections.set_state(conn, key, ConnectionState.LIVE, live_from=datetime(2026, 1, 1, tzinfo=UTC))
        connections.set_state(conn, CARRIER, ConnectionState.PAUSED, reason="the depot is being moved")


_ACCOUNTS: tuple[tuple[str, Role, dict[str, str], dict[str, str]], ...] = (
    (STORE, Role.STOREFRONT, {"shop_domain": "north.myshopify.com"}, {"client_secret": "hush"}),
    (SOUTH, Role.STOREFRONT, {"shop_domain": "south.myshopify.com"}, {"client_secret": "hush"}),
    (PROCESSOR, Role.PAYMENT_PROCESSOR, {}, {"secret_key": "sk_test_1", "webhook_secret": "hush"}),
    (CARRIER, Role.CARRIER, {}, {"api_key": "hush"}),
)
