import json
from datetime import UTC, datetime

import pytest

from tests.contracts import contract
from tests.unit.providers.shopify.store import NAME, both, line, order, page, parcel, refund
from tradewind.domain.events import ConnectionRevoked, Ignored, RefundRecorded, ResourceChanged
from tradewind.domain.money import Money
from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.mapping import order_observed
from tradewind.providers.shopify.payloads import events
from tradewind.providers.shopify.wire import OrderNode

RECEIVED_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ORDER_TOPICS = (
    "orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled",
    "orders/partially_fulfilled",
)  # fmt: skip


def read(topic, body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return events(topic, raw, connection=NAME, received_at=RECEIVED_AT)


def sample(topic):
    return contract("shopify/webhook-samples-2026-07.json.gz")[topic]["response"]


def rest_order(**changes):
    """The webhook of the order that `store.order()` is."""
    return {
        "id": 1,
        "admin_graphql_api_id": "gid://shopify/Order/1",
        "currency": "GBP",
        "financial_status": "paid",
        "cancelled_at": None,
        "total_price": "24.00",
        "current_total_price": "24.00",
        "updated_at": "2026-11-01T05:00:05-05:00",
        "line_items": [{"id": 21, "current_quantity": 2}],
        "refunds": [],
        "fulfillments": [],
        **changes,
    }


def rest_refund(**changes):
    return {
        "id": 61,
        "admin_graphql_api_id": "gid://shopify/Refund/61",
        "order_id": 1,
        "created_at": "2026-11-02T10:00:00Z",
        "refund_line_items": [
            {"line_item_id": 21, "quantity": 1, "restock_type": "return", "subtotal_set": rest_money("10.00")},
            {"line_item_id": 22, "quantity": 1, "restock_type": "no_restock", "subtotal_set": rest_money("1.00")},
        ],
        "transactions": [
            {"id": 49, "kind": "refund", "status": "success", "amount": "10.50", "currency": "GBP"},
            {"kind": "refund", "status": "failure", "amount": "10.50", "currency": "GBP"},
            {"kind": "void", "status": "success", "amount": "1.00", "currency": "GBP"},
        ],
        **changes,
    }


def rest_money(amount, currency="GBP"):
    return {"shop_money": {"amount": amount, "currency_code": currency}}


def fingerprint_of(**changes):
    node = OrderNode.model_validate(order(**changes))
    return order_observed(node, connection=NAME, processor_gateways=()).placed.fingerprint


@pytest.mark.parametrize("topic", ORDER_TOPICS)
def test_an_orders_webhook_is_a_hint_that_tells_its_version(topic):
    (hint,) = read(topic, rest_order())
    assert isinstance(hint, ResourceChanged)
    assert hint.resource.address == "shopify:north/order/gid://shopify/Order/1"
    assert hint.version == datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rest", "graphql"),
    [
        ({}, {}),
        (
            {"financial_status": "authorized", "cancelled_at": "2026-11-01T10:00:04Z"},
            {"displayFinancialStatus": "AUTHORIZED", "cancelledAt": "2026-11-01T10:00:04Z"},
        ),
        (
            {"current_total_price": "14.0", "refunds": [{"id": 61}], "line_items": [{"current_quantity": 1}]},
            {
                "currentTotalPriceSet": both("14.00"),
                "refunds": [refund()],
                "lineItems": page(line(currentQuantity=1)),
            },
        ),
        (
            {"fulfillments": [{"status": "cancelled"}, {"status": "success"}]},
            {"fulfillments": [parcel(51), parcel(52, status="CANCELLED")]},
        ),
        ({"financial_status": None}, {"displayFinancialStatus": "PENDING"}),
    ],
)
def test_webhook_and_order_show_the_same_fingerprint(rest, graphql):
    (hint,) = read("orders/updated", rest_order(**rest))
    assert hint.fingerprint == fingerprint_of(**graphql)


@pytest.mark.parametrize(
    "change",
    [
        {"financial_status": "refunded"},
        {"cancelled_at": "2026-11-01T10:00:04Z"},
        {"total_price": "25.00"},
        {"current_total_price": "23.00"},
        {"line_items": [{"current_quantity": 1}]},
        {"refunds": [{"id": 1}]},
        {"fulfillments": [{"status": "success"}]},
    ],
)
def test_a_change_within_the_same_second_has_another_fingerprint(change):
    (hint,) = read("orders/updated", rest_order(**change))
    assert hint.fingerprint != fingerprint_of()


def test_a_refund_is_a_fact_and_a_hint():
    fact, hint = read("refunds/create", rest_refund())
    assert isinstance(fact, RefundRecorded)
    assert fact.order_external_id == "gid://shopify/Order/1"
    assert fact.refund.amount == Money(minor=1050, currency="GBP")
    assert fact.refund.restocked == (("gid://shopify/LineItem/21", None, 1),)
    assert fact.refund.lines == (("gid://shopify/LineItem/21", 1), ("gid://shopify/LineItem/22", 1))
    assert isinstance(hint, ResourceChanged)
    assert hint.version == fact.refund.created_at


@pytest.mark.parametrize(
    "change",
    [
        {"transactions": []},
        {"transactions": [{"kind": "refund", "status": "success", "amount": "12.00", "currency": "EUR"}]},
    ],
)
def test_a_refund_that_does_not_tell_its_amount_in_the_shops_currency_is_only_a_hint(change):
    assert [event.type for event in read("refunds/create", rest_refund(**change))] == ["resource_changed"]


def test_an_uninstalled_app_ends_the_connection():
    (event,) = read("app/uninstalled", sample("app/uninstalled"))
    assert isinstance(event, ConnectionRevoked)
    assert event.occurred_at == RECEIVED_AT


@pytest.mark.parametrize("topic", ["customers/redact", "shop/update", "carts/create", "unnamed"])
def test_a_topic_that_changes_nothing_is_ignored(topic):
    (event,) = read(topic, {})
    assert isinstance(event, Ignored)
    assert topic in event.reason


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"[" * 100_000, b"{"])
def test_a_body_that_is_no_object_is_a_schema_mismatch(body):
    with pytest.raises(SchemaMismatch):
        read("orders/create", body)


@pytest.mark.parametrize(
    "change",
    [
        {"total_price": None},
        {"total_price": "12.345"},
        {"currency": "pounds"},
        {"updated_at": "yesterday"},
        {"updated_at": "2026-11-01T10:00:05"},
        {"updated_at": 5},
        {"line_items": None},
        {"line_items": [{"current_quantity": "two"}]},
        {"fulfillments": {}, "refunds": 3},
        {"admin_graphql_api_id": None, "id": "1"},
    ],
)
def test_an_order_of_another_shape_is_a_schema_mismatch_that_shows_nothing_of_it(change):
    with pytest.raises(SchemaMismatch) as caught:
        read("orders/create", rest_order(email="ada@example.com", **change))
    assert "ada" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("missing", ["currency", "total_price", "updated_at", "line_items", "refunds"])
def test_a_missing_field_is_named(missing):
    body = rest_order()
    del body[missing]
    with pytest.raises(SchemaMismatch, match=missing):
        read("orders/create", body)


def test_a_boolean_is_no_id():
    with pytest.raises(SchemaMismatch):
        read("fulfillments/create", {"order_id": True})
