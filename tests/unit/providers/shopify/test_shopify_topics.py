"""Every topic that is taken: what a delivery of it is, and that Shopify's published samples are understood."""

import json
from datetime import UTC, datetime

import pytest

from tests.contracts import contract
from tests.unit.providers.shopify.store import NAME, ORDER_ID, WORK_ID
from tradewind.domain.events import (
    ConnectionRevoked,
    DisputeObserved,
    HoldReleased,
    Ignored,
    RefundRecorded,
    Resource,
    ResourceChanged,
)
from tradewind.domain.money import Money
from tradewind.domain.order import DisputeStatus, HoldReason
from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.payloads import TOPICS, events
from tradewind.providers.shopify.webhooks import WANTED_TOPICS

RECEIVED_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SAMPLES = "shopify/webhook-samples-2026-07.json.gz"
KINDS = {"orders": "order", "fulfillments": "order", "order_transactions": "order", "refunds": "order",
         "returns": "order", "fulfillment_orders": "fulfillment_order",
         "fulfillment_holds": "fulfillment_order", "products": "product",
         "inventory_levels": "inventory"}  # fmt: skip
MARKED = {"snapshot": DisputeObserved, "fact": (RefundRecorded, HoldReleased), "hint": ResourceChanged}


def read(topic, body):
    return events(topic, json.dumps(body).encode(), connection=NAME, received_at=RECEIVED_AT)


def dispute(**changes):
    """The example of shopify.dev, disputes/create."""
    return {
        "id": 285332461850802050,
        "order_id": 1,
        "type": "chargeback",
        "amount": "11.50",
        "currency": "CAD",
        "reason": "fraudulent",
        "network_reason_code": "4837",
        "status": "under_review",
        "evidence_due_by": "2026-12-30T19:00:00-05:00",
        "evidence_sent_on": None,
        "finalized_on": None,
        "initiated_at": "2026-11-01T19:00:00-05:00",
        **changes,
    }


def test_every_published_sample_is_understood_or_changes_nothing():
    samples = contract(SAMPLES)
    assert len(samples) == 33
    for topic, sample in samples.items():
        told = read(topic, sample["response"])
        assert told, topic
        if topic == "app/uninstalled":
            assert isinstance(told[0], ConnectionRevoked)
        elif topic not in TOPICS:
            assert isinstance(told[0], Ignored), topic
        else:
            assert isinstance(told[-1], ResourceChanged), topic
            assert told[-1].resource.kind == KINDS[topic.partition("/")[0]], topic


def test_every_topic_that_is_taken_or_wanted_is_one_of_shopifys():
    published = set(contract("shopify/webhook-topics-2026-07.json"))
    assert set(TOPICS) <= published
    assert set(WANTED_TOPICS.values()) <= {*TOPICS, "app/uninstalled"}
    assert all(topic == name.lower().replace("_", "/", 1) or "_" in topic for name, topic in WANTED_TOPICS.items())


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.startswith("fulfillment_orders/")])
def test_a_fulfillment_order_is_read_with_its_order(topic):
    hint = read(topic, {"fulfillment_order": {"id": WORK_ID, "status": "open"}})[-1]
    assert hint.resource == Resource(connection=NAME, kind="fulfillment_order", external_id=WORK_ID)


def test_work_that_was_moved_is_told_by_where_it_was():
    body = {"original_fulfillment_order": {"id": WORK_ID}, "moved_fulfillment_order": {"id": "gid://shopify/X/2"}}
    assert read("fulfillment_orders/moved", body)[0].resource.external_id == WORK_ID


@pytest.mark.parametrize(
    ("reason", "known"),
    [("high_risk_of_fraud", HoldReason.RISK), ("awaiting_payment", HoldReason.OTHER), ("new", HoldReason.OTHER)],
)
def test_a_released_hold_is_a_fact_with_its_reason_and_a_hint(reason, known):
    hold = {"id": "gid://shopify/FulfillmentHold/1", "reason": reason, "reason_notes": None, "handle": "a"}
    body = {"fulfillment_order": {"id": WORK_ID}, "fulfillment_hold": hold}
    fact, hint = read("fulfillment_holds/released", body)
    assert fact == HoldReleased(connection=NAME, fulfillment_order=WORK_ID, reason=known)
    assert hint.resource.external_id == WORK_ID


def test_a_new_risk_is_a_hint_of_its_order():
    body = {"provider_id": 1, "risk_level": "high", "admin_graphql_api_order_id": ORDER_ID}
    (hint,) = read("orders/risk_assessment_changed", body)
    assert (hint.resource.external_id, hint.version) == (ORDER_ID, None)


def test_a_dispute_is_a_snapshot_of_the_last_moment_that_it_tells():
    (event,) = read("disputes/create", dispute())
    assert (event.order_external_id, event.version.hour) == (ORDER_ID, 19)
    assert event.dispute.amount == Money(minor=1150, currency="CAD")
    assert event.dispute.status is DisputeStatus.UNDER_REVIEW
    (ended,) = read("disputes/update", dispute(status="lost", finalized_on="2026-12-05T19:00:00-05:00"))
    assert ended.version > event.version
    assert ended.dispute.status is DisputeStatus.LOST


@pytest.mark.parametrize("status", ["needs_response", "won", "accepted", "prevented", "charge_refunded"])
def test_every_status_of_a_dispute_is_known(status):
    assert isinstance(read("disputes/update", dispute(status=status))[0], DisputeObserved)


def test_a_dispute_without_an_order_changes_nothing():
    assert isinstance(read("disputes/create", dispute(order_id=None))[0], Ignored)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("disputes/create", dispute(status="unheard of")),
        ("disputes/create", dispute(initiated_at=None)),
        ("fulfillment_orders/hold_released", {"fulfillment_order": {"id": 5}}),
        ("fulfillment_holds/released", {"fulfillment_order": {"id": WORK_ID}}),
        ("fulfillment_holds/released", {"fulfillment_order": {"id": WORK_ID}, "fulfillment_hold": {"reason": 1}}),
        ("fulfillment_orders/moved", {}),
        ("returns/request", {"order": None}),
        ("returns/request", {"order": {"admin_graphql_api_id": "gid://shopify/Order/one"}}),
    ],
)
def test_a_body_of_another_shape_is_a_schema_mismatch(topic, body):
    with pytest.raises(SchemaMismatch):
        read(topic, body)
