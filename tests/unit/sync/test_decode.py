"""From a stored delivery to events: the provider's mapping for its own bodies, JSON for ours."""

from __future__ import annotations

import json

import pytest

from tests.unit.domain.orders import PROCESSOR, STORE, after, order_observed, payment_observed
from tests.unit.sync.desk import claimed, told
from tradewind.domain.events import ResourceChanged
from tradewind.errors import SchemaMismatch
from tradewind.sync.decode import decode


def test_our_own_events_come_back_as_they_were() -> None:
    events = (order_observed(), payment_observed())
    assert decode(claimed(told(*events, key="k"))) == events


def test_a_raw_body_goes_through_its_providers_mapping() -> None:
    body = {"id": "evt_1", "type": "x", "data": {"object": {"object": "payment_intent", "id": "pi_1"}}}
    delivery = told(key="k", connection=PROCESSOR, body=json.dumps(body).encode(), format="raw", topic="x")
    (event,) = decode(claimed(delivery))
    assert isinstance(event, ResourceChanged)
    assert event.resource.address == "stripe:main/payment/pi_1"


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"type": "no such"}]', b'[{"type": "order_observed"}]', b"\xff"])
def test_what_does_not_fit_says_where(body: bytes) -> None:
    with pytest.raises(SchemaMismatch, match=r"poll/test: \d+ fields do not fit: "):
        decode(claimed(told(key="k", body=body)))


def test_values_are_not_told() -> None:
    body = json.dumps([{"type": "order_observed", "connection": STORE, "version": "Ada", "placed": {"name": ["Ada"]}}])
    with pytest.raises(SchemaMismatch) as refused:
        decode(claimed(told(key="k", body=body.encode(), received_at=after(0))))
    assert "Ada" not in str(refused.value)
    assert refused.value.__cause__ is None
