"""What cannot be taken in is set aside, and what it was about is read instead: its order waits for nobody."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from tests.unit.domain.orders import (
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    gbp,
    order_observed,
    payment_observed,
    refund_recorded,
    scanned,
    transaction,
)
from tests.unit.sync.desk import claimed, store, tell, told
from tradewind.domain.events import Event, Resource, ResourceChanged
from tradewind.errors import SchemaMismatch
from tradewind.ledger import inbox, orders
from tradewind.ledger.engine import Ledger
from tradewind.sync import apply as apply_module
from tradewind.sync import poison
from tradewind.sync.apply import Applier
from tradewind.sync.decode import REFETCH_TOPIC

ORDER = f"{STORE}/1"


def reads(ledger: Ledger) -> list[str]:
    """What is to be read, oldest first."""
    with ledger.read() as database:
        query = text("SELECT resource FROM outbox WHERE verb = 'refetch' AND state = 'pending' ORDER BY id")
        return list(database.execute(query).scalars())


def row(ledger: Ledger, id: int) -> inbox.DeliveryRow:
    with ledger.read() as database:
        return inbox.get(database, ledger.keys, id).row


def raw(topic: str, body: object, connection: str = STORE) -> inbox.Delivery:
    text = json.dumps(body).encode()
    return told(key="wh", topic=topic, source="webhook", body=text, format="raw", connection=connection)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/updated", {"id": 450, "currency": 7}),
        ("refunds/create", {"id": 9, "order_id": 450}),
    ],
)
def test_an_order_whose_delivery_cannot_be_read_is_read_itself(
    ledger: Ledger, applier: Applier, topic: str, body: object
) -> None:
    (id,) = store(ledger, raw(topic, body))
    applier.run_once()
    assert row(ledger, id).state == "dead"
    assert reads(ledger) == [f"{STORE}/order/gid://shopify/Order/450"]


def test_a_parcel_whose_scans_cannot_be_read_is_asked_for_by_its_number(ledger: Ledger, applier: Applier) -> None:
    body = {"resource_url": "x", "resource_type": "API_TRACK", "data": {"tracking_number": "T-1", "events": "none"}}
    (id,) = store(ledger, raw("API_TRACK", body, CARRIER))
    applier.run_once()
    assert row(ledger, id).state == "dead"
    assert reads(ledger) == [f"{CARRIER}/label/tracking_number=T-1"]


@pytest.mark.parametrize("body", [{}, {"id": "450"}, {"id": True}, {"id": -1}, [], "text"])
def test_a_delivery_that_names_nothing_asks_for_nothing(ledger: Ledger, applier: Applier, body: object) -> None:
    store(ledger, raw("orders/create", body))
    applier.run_once()
    assert reads(ledger) == []


def test_an_event_that_its_order_cannot_take_has_the_order_read(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed())
    applier.run_once()
    (id,) = tell(ledger, order_observed(version=after(1), currency="EUR"))
    applier.run_once()
    assert (row(ledger, id).state, row(ledger, id).order_id) == ("dead", ORDER)
    assert reads(ledger) == [f"{STORE}/order/1"]


@pytest.mark.parametrize(
    ("event", "address"),
    [
        (scanned("delivered", after(60)), f"{CARRIER}/label/tracking_number=T-1"),
        (refund_recorded(), f"{STORE}/order/1"),
        (payment_observed(), f"{PROCESSOR}/payment/pi-1"),
    ],
)
def test_whatever_cannot_be_committed_names_what_to_read(event: Event, address: str) -> None:
    dead = claimed(told(event, key="k"))
    assert [one.address for one in poison.about(dead, [event])] == [address]


def test_one_of_our_own_events_that_cannot_be_read_names_nothing() -> None:
    dead = claimed(told(key="k", body=b"{"))
    assert poison.about(dead, SchemaMismatch("no")) == []


def test_what_was_read_instead_and_is_poison_too_is_not_read_for_ever(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed())
    applier.run_once()
    (id,) = tell(ledger, order_observed(version=after(1), currency="EUR"), topic=REFETCH_TOPIC, source="outcome")
    applier.run_once()
    assert row(ledger, id).state == "dead"
    assert reads(ledger) == []


def test_the_next_event_of_an_order_with_a_dead_letter_has_the_order_read(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed())
    applier.run_once()
    tell(ledger, order_observed(version=after(1), currency="EUR"), topic=REFETCH_TOPIC, source="outcome")
    applier.run_once()
    hint = ResourceChanged(resource=Resource(connection=STORE, kind="order", external_id="1"), version=after(2))
    store(ledger, told(hint, key="next"))
    applier.run_once()
    assert reads(ledger) == [f"{STORE}/order/1"]
    truth = order_observed(version=after(2), transactions=(transaction(amount=gbp(1250)),))
    store(ledger, told(truth, key="truth", topic=REFETCH_TOPIC, source="outcome"))
    applier.run_once()
    with ledger.read() as database:
        found = orders.load(database, ledger.keys, [ORDER])[ORDER][0]
    assert found.placed is not None
    assert found.placed.updated_at == truth.placed.updated_at


def test_a_delivery_that_cannot_be_committed_has_its_payment_read(
    ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of our own")

    monkeypatch.setattr(apply_module.orders, "save_many", broken)
    (id,) = tell(ledger, payment_observed(payment_id=None), order_observed())[1:]
    applier.run_once()
    assert row(ledger, id).state == "dead"
    assert f"{STORE}/order/1" in reads(ledger)
