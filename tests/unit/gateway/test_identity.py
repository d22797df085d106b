"""However odd an authentic delivery is, it becomes a row that every database takes."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.gateway.identity import delivery_of
from tradewind.providers.hooks import HookRequest
from tradewind.providers.registry import PROVIDERS

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["id", "type", "created", "request", "api_version", "resource_type", "resource_url", "data"])
ODD = st.one_of(
    st.binary(max_size=100),
    ANY_JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.dictionaries(NAMES, ANY_JSON, max_size=6).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"[" * 100_000, b'{"id":"\\u0000","type":"a"}', b'{"id":"\\ud800","type":"a"}', b"1e999"]),
)
HEADER_NAMES = st.sampled_from(
    ["x-shopify-topic", "x-shopify-webhook-id", "x-shopify-event-id", "x-shopify-triggered-at", "x-backoffice-id"]
)
TIMES = st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-01:00", "2026-11-01T00:00:00"])
HEADERS = st.dictionaries(HEADER_NAMES, TIMES | st.text(st.characters(max_codepoint=255), max_size=300))


@pytest.mark.parametrize("name", PROVIDERS)
@given(body=ODD, headers=HEADERS)
def test_every_delivery_becomes_a_row(name: str, body: bytes, headers: dict[str, str]) -> None:
    received_at = datetime.now(UTC)
    hook = HookRequest(headers, body, "https://hooks.example.com/")
    delivery = delivery_of(PROVIDERS[name], f"{name}:main", hook, received_at)
    assert delivery == delivery_of(PROVIDERS[name], f"{name}:main", hook, received_at)
    assert (delivery.body, delivery.received_at) == (body, received_at)
    for text, most in ((delivery.delivery_key, 200), (delivery.topic, 100), (delivery.correlation or "-", 200)):
        assert text.isprintable()
        assert 0 < len(text) <= most
        text.encode()
    if delivery.occurred_at is not None:
        assert delivery.occurred_at.tzinfo is UTC
