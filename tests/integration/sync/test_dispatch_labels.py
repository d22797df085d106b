"""Labels, on both databases: bought once, for what the storefront wants right now."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text, update

from tests.integration.sync.test_dispatch import CANCELLED, PAID, Office
from tests.unit.domain.orders import (
    CARRIER,
    HOME,
    after,
    label_observed,
    order_observed,
    shipped_work,
)
from tradewind.domain.commands import BuyLabel, VoidLabel
from tradewind.domain.order import TrackingStatus
from tradewind.errors import OutcomeUnknown, RequestRejected
from tradewind.ledger import tables
from tradewind.ledger.engine import Ledger


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger)


class TestLabels:
    async def test_the_storefront_is_asked_right_before_the_label_is_bought(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("fetch", [order_observed(fully_paid=True)])
        office.desk.will("buy_label", [label_observed()])
        await office.send(CARRIER)
        assert office.desk.asked == ["fetch", "buy_label"]
        (command, details) = office.desk.calls[1].arguments
        assert isinstance(command, BuyLabel)
        assert (details.order_name, details.ship_to, details.email) == ("#1042", HOME, None)
        office.apply()
        assert "create_fulfillment" in office.commands()

    @pytest.mark.parametrize(
        "seen",
        [
            CANCELLED,
            order_observed(version=after(9), fully_paid=True, on_hold=True),
            order_observed(version=after(9), fully_paid=True, fulfillment_orders=(shipped_work(),)),
            order_observed(version=after(9), fully_paid=True, fulfillment_orders=()),
        ],
        ids=["cancelled", "on hold", "shipped", "work gone"],
    )
    async def test_an_order_that_is_not_to_be_shipped_any_more_gets_no_label(self, office: Office, seen: Any) -> None:
        office.tell(*PAID)
        office.desk.will("fetch", [seen])
        await office.send(CARRIER)
        assert office.desk.asked == ["fetch"]
        assert office.command("buy_label").state == "cancelled"
        office.apply()
        with office.ledger.read() as database:
            assert database.execute(text("SELECT updated_at IS NOT NULL FROM orders")).scalar_one()
        assert [row.connection for row in office.outcomes()] == [CARRIER]

    async def test_what_the_record_does_not_want_any_more_is_not_even_asked_about(self, office: Office) -> None:
        office.tell(*PAID)
        office.tell(CANCELLED)
        await office.send(CARRIER)
        assert office.desk.calls == []
        assert office.command("buy_label").state == "cancelled"

    async def test_an_order_on_hold_gets_its_label_when_it_is_released(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("fetch", [order_observed(version=after(1), fully_paid=True, on_hold=True)])
        await office.send(CARRIER)
        office.apply()
        assert office.command("buy_label").state == "cancelled"
        office.tell(order_observed(version=after(2), fully_paid=True))
        office.desk.will("fetch", [order_observed(version=after(2), fully_paid=True)])
        office.desk.will("buy_label", [label_observed()])
        await office.send(CARRIER)
        assert office.command("buy_label").state == "done"

    async def test_a_second_attempt_looks_the_label_up_first(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("buy_label", OutcomeUnknown("no answer"))
        await office.send(CARRIER)
        office.desk.will("find_label", [label_observed()])
        await office.send(CARRIER)
        assert office.desk.asked == ["fetch", "buy_label", "find_label"]
        assert office.command("buy_label").state == "done"
        office.apply()
        assert office.command("create_fulfillment").state == "pending"

    async def test_where_none_is_found_it_is_bought(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("buy_label", OutcomeUnknown("no answer"), [label_observed()])
        await office.send(CARRIER)
        await office.send(CARRIER)
        assert office.desk.asked == ["fetch", "buy_label", "find_label", "fetch", "buy_label"]

    async def test_a_worker_that_died_may_have_bought_it(self, office: Office) -> None:
        office.tell(*PAID)
        await office.claim(CARRIER)
        office.abandon()
        office.desk.will("find_label", [label_observed()])
        await office.send(CARRIER)
        assert office.desk.asked == ["find_label"]

    async def test_a_refused_label_is_looked_up_too(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("buy_label", RequestRejected("external_shipment_id is taken"))
        office.desk.will("fetch", [order_observed(fully_paid=True)], [order_observed(fully_paid=True)])
        await office.send(CARRIER)
        office.apply()
        office.desk.will("find_label", [label_observed()])
        await office.send(CARRIER)
        assert office.desk.asked == ["fetch", "buy_label", "fetch", "find_label"]

    async def test_a_label_that_was_bought_unheard_for_an_order_cancelled_since_is_given_back(
        self, office: Office
    ) -> None:
        office.tell(*PAID)
        office.desk.will("buy_label", OutcomeUnknown("no answer"))
        await office.send(CARRIER)
        office.tell(CANCELLED)
        office.desk.will("find_label", [label_observed()])
        await office.send(CARRIER)
        office.apply()
        (void,) = await office.claim(CARRIER)
        assert isinstance(void.command, VoidLabel)
        assert void.command.label == "se-1"

    async def test_an_order_whose_address_was_erased_gets_no_label(self, office: Office) -> None:
        office.tell(*PAID)
        (due,) = await office.claim(CARRIER)
        with office.ledger.write() as database:
            database.execute(update(tables.orders).values(personal=None))
        await office.dispatcher.send(due)
        assert office.desk.asked == []
        assert office.command("buy_label").state == "cancelled"


async def test_a_parcel_that_has_been_scanned_is_not_given_back_and_its_void_is_no_dead_letter(office: Office) -> None:
    office.tell(*PAID, label_observed())
    office.tell(CANCELLED)
    scanned = label_observed(version=after(5), tracking_status=TrackingStatus.IN_TRANSIT)
    office.desk.will("void_label", RequestRejected("labels.void: not approved", code="label_already_used"))
    office.desk.will("fetch", [scanned])
    with office.ledger.write() as database:
        # What was wanted before the cancellation is not what this is about.
        database.execute(update(tables.outbox).where(tables.outbox.c.verb == "buy_label").values(state="done"))
    await office.send(CARRIER)
    office.apply()
    await office.send(CARRIER)
    assert office.desk.asked == ["void_label", "fetch"]
    assert office.command("void_label").state == "cancelled"
    assert office.dead == []
