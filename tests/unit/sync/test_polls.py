"""What is read enters the inbox under the name of what it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    label_observed,
    order_observed,
    payment_observed,
)
from tests.unit.sync.books_fakes import document
from tests.unit.sync.desk import JOURNAL
from tradewind.domain.events import Event, Ignored, Resource, ResourceChanged, events_adapter
from tradewind.domain.order import LabelState, PaymentState
from tradewind.sync.polls import poll_delivery

HINT = ResourceChanged(
    resource=Resource(connection=STORE, kind="order", external_id="1"), version=AT, fingerprint="paid/1"
)  # fmt: skip


def key(event: Event) -> str:
    return poll_delivery(event, read_at=AT).delivery_key


@pytest.mark.parametrize(
    ("event", "connection", "address", "topic"),
    [
        (order_observed(), STORE, "order/1/", "poll/order_observed"),
        (payment_observed(), PROCESSOR, "payment/pi-1/", "poll/payment_observed"),
        (label_observed(), CARRIER, "label/se-1/", "poll/label_observed"),
        (document(), JOURNAL, "document/C1/", "poll/journal_recorded"),
        (HINT, STORE, "order/1/", "poll/resource_changed"),
    ],
)
def test_a_delivery_names_what_was_read(event: Any, connection: str, address: str, topic: str) -> None:
    delivery = poll_delivery(event, read_at=AT, lane="deferred")
    assert (delivery.connection, delivery.topic, delivery.source, delivery.format) == (
        connection, topic, "poll", "event"
    )  # fmt: skip
    assert delivery.delivery_key.startswith(address)
    assert (delivery.lane, delivery.received_at) == ("deferred", AT)
    assert events_adapter.validate_json(delivery.body) == (event,)


@pytest.mark.parametrize("event", [payment_observed(), label_observed()])
def test_reading_the_same_later_is_the_same_delivery(event: Any) -> None:
    assert key(event) == key(event.model_copy(update={"version": after(60)}))


@pytest.mark.parametrize(
    ("before", "changed"),
    [
        (order_observed(), order_observed(name="#2")),
        (order_observed(), order_observed(version=after(1))),
        (payment_observed(), payment_observed(state=PaymentState.CANCELLED)),
        (label_observed(), label_observed(state=LabelState.VOIDED)),
        (HINT, HINT.model_copy(update={"fingerprint": "refunded/1"})),
        (HINT, HINT.model_copy(update={"version": after(1)})),
    ],
)
def test_what_changed_is_another_delivery(before: Event, changed: Event) -> None:
    assert key(before) != key(changed)


def test_what_nobody_lists_is_refused() -> None:
    with pytest.raises(TypeError, match="ignored is not polled"):
        poll_delivery(Ignored(connection=STORE, reason="x"), read_at=AT)
