"""Dispatch, on both databases: an effect that may be there already is looked up before its command goes again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.integration.sync.test_dispatch import CANCELLED, PAID, Office
from tests.unit.domain.orders import (
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    work,
)
from tradewind.domain.commands import CapturePayment
from tradewind.errors import KeySpent, OutcomeUnknown, RateLimited, RequestRejected
from tradewind.ledger import outbox, tables
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger
from tradewind.sync.dispatch import KEY_LIFE_S, LAST_GENERATION, LONGEST_ASKED_S, Dispatcher

SHORT = timedelta(seconds=10)


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger)


def keys_sent(office: Office) -> list[str]:
    return [call.arguments[1] for call in office.desk.calls if call.method == "capture"]


def age(office: Office, seconds: float) -> None:
    """The first attempt under the present key was so long ago."""
    with office.ledger.write() as database:
        database.execute(update(tables.outbox).values(first_attempt_at=db_now(database) - timedelta(seconds=seconds)))


class TestStoredFailure:
    async def test_it_is_never_asked_for_under_the_same_key_again(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        rounds = LAST_GENERATION + 4
        for number in range(rounds):
            office.desk.will("capture", KeySpent("stored 500"))
            office.desk.will("fetch", [payment_observed(version=after(number + 1))])
            await office.send(PROCESSOR)
            office.apply()
        office.desk.will("capture", [captured(version=after(60))])
        await office.send(PROCESSOR)
        assert len(set(keys_sent(office))) == rounds + 1
        assert office.command("capture_payment").state == "done"
        assert office.dead == []

    async def test_its_effect_is_looked_up_before_the_next_key_goes(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", KeySpent("stored 500"))
        await office.send(PROCESSOR)
        office.desk.will("find_effect", [captured(version=after(1))])
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture", "fetch", "find_effect"]
        office.apply()
        assert office.command("capture_payment").state == "done"
        assert office.commands().keys() >= {"mark_order_paid", "buy_label"}

    async def test_nor_while_the_payment_cannot_be_read(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", KeySpent("stored 500"))
        office.desk.will("fetch", OutcomeUnknown("no answer"))
        await office.send(PROCESSOR)
        office.desk.will("find_effect", OutcomeUnknown("no answer"), [])
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture", "fetch", "find_effect"]
        office.desk.will("capture", [captured(version=after(1))])
        await office.send(PROCESSOR)
        assert office.desk.asked[3:] == ["find_effect", "capture"]
        first, second = keys_sent(office)
        assert first != second
        assert office.command("capture_payment").state == "done"


class TestKeyLife:
    async def test_a_young_key_protects_by_itself(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", OutcomeUnknown("no answer"), [captured(version=after(1))])
        await office.send(PROCESSOR)
        age(office, KEY_LIFE_S - 600)
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture", "capture"]

    async def test_a_key_that_may_be_forgotten_is_not_trusted(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", OutcomeUnknown("no answer"))
        await office.send(PROCESSOR)
        age(office, KEY_LIFE_S)
        office.desk.will("find_effect", [captured(version=after(1))])
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture", "find_effect"]
        assert office.command("capture_payment").state == "done"

    async def test_without_an_effect_it_goes_again(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", OutcomeUnknown("no answer"), [captured(version=after(1))])
        await office.send(PROCESSOR)
        age(office, KEY_LIFE_S)
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture", "find_effect", "capture"]
        assert office.command("capture_payment").state == "done"

    async def test_a_dead_command_that_is_tried_again_is_looked_up(self, office: Office) -> None:
        office.tell(CANCELLED, captured())
        office.desk.will("refund", ZeroDivisionError("the answer could not be read"))
        due = await office.send(PROCESSOR)
        assert office.command("refund_payment").state == "dead"
        with office.ledger.write() as database:
            outbox.retry_dead(database, due.key)
        office.desk.will("find_effect", [captured(version=after(1), refunded=gbp(2550))])
        await office.send(PROCESSOR)
        assert office.desk.asked == ["refund", "find_effect"]
        assert office.command("refund_payment").state == "done"


class TestParameters:
    async def test_an_order_that_was_edited_before_the_call_is_sent_as_it_is_now(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        (due,) = await office.claim(PROCESSOR)
        assert isinstance(due.command, CapturePayment)
        office.tell(order_observed(version=after(1), total=gbp(1000), presentment_total=gbp(1000)))
        await office.dispatcher.send(due)
        assert office.desk.calls == []
        office.desk.will("capture", [captured(version=after(2))])
        await office.send(PROCESSOR)
        (call,) = office.desk.calls
        assert call.arguments[0].amount == gbp(1000)

    async def test_what_may_have_been_sent_goes_again_unchanged(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", OutcomeUnknown("no answer"), [captured(version=after(2))])
        first = await office.send(PROCESSOR)
        office.tell(order_observed(version=after(1), total=gbp(1000), presentment_total=gbp(1000)))
        await office.send(PROCESSOR)
        assert [call.arguments for call in office.desk.calls] == [(first.command, first.idempotency_key)] * 2

    async def test_a_label_is_bought_for_what_the_storefront_wants_now(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("buy_label", OutcomeUnknown("no answer"), [label_observed()])
        await office.send(CARRIER)
        fewer = order_observed(
            version=after(1), fully_paid=True, fulfillment_orders=(work(remaining=(("line-1", 1),)),)
        )
        office.desk.will("fetch", [fewer], [fewer])
        await office.send(CARRIER)
        office.apply()
        await office.send(CARRIER)
        assert office.desk.asked == ["fetch", "buy_label", "find_label", "fetch", "find_label", "fetch", "buy_label"]
        bought = [call.arguments[0] for call in office.desk.calls if call.method == "buy_label"]
        assert [[quantity for _, _, quantity, _ in command.items] for command in bought] == [[2], [1]]
        assert office.command("buy_label").state == "done"


class TestCancelling:
    async def test_what_the_record_asks_for_again_meanwhile_is_not_cancelled(self, office: Office) -> None:
        office.tell(*PAID)
        (due,) = await office.claim(CARRIER)

        async def released(*_: Any) -> Any:
            office.tell(order_observed(version=after(3), fully_paid=True))
            return [order_observed(version=after(1), fully_paid=True, on_hold=True)]

        office.tell(order_observed(version=after(1), fully_paid=True, name="#before"))
        office.desk.will("fetch", released)
        await office.dispatcher.send(due)
        assert office.command("buy_label").state == "pending"
        office.apply()
        office.desk.will("fetch", [order_observed(version=after(3), fully_paid=True)])
        office.desk.will("buy_label", [label_observed()])
        await office.send(CARRIER)
        assert office.command("buy_label").state == "done"


class TestLeases:
    async def test_a_worker_that_slept_through_its_lease_buys_nothing(self, office: Office) -> None:
        office.tell(*PAID)
        (due,) = await office.claim(CARRIER)

        async def slept(*_: Any) -> Any:
            office.abandon()
            assert len(await office.dispatcher.claim(CARRIER, 1)) == 1
            return [order_observed(fully_paid=True)]

        office.desk.will("fetch", slept)
        await office.dispatcher.send(due)
        assert office.desk.asked == ["fetch"]
        held = office.command("buy_label")
        assert (held.state, held.attempts) == ("in_flight", 2)
        assert office.dead == []

    async def test_the_lease_is_renewed_right_before_a_label_is_bought(self, office: Office) -> None:
        office.tell(*PAID)
        (due,) = await office.claim(CARRIER)

        async def slow(*_: Any) -> Any:
            office.shorten_leases(SHORT)
            return [order_observed(fully_paid=True)]

        async def bought(*_: Any) -> Any:
            assert office.leased_for() > SHORT
            return [label_observed()]

        office.desk.will("fetch", slow)
        office.desk.will("buy_label", bought)
        await office.dispatcher.send(due)
        assert office.command("buy_label").state == "done"

    async def test_a_lease_that_ran_out_is_not_renewed_and_the_label_is_bought_by_the_next_claim(
        self, office: Office
    ) -> None:
        office.tell(*PAID)
        (due,) = await office.claim(CARRIER)

        async def too_slow(*_: Any) -> Any:
            office.abandon()
            return [order_observed(fully_paid=True)]

        office.desk.will("fetch", too_slow)
        await office.dispatcher.send(due)
        assert office.desk.asked == ["fetch"]
        office.desk.will("fetch", [order_observed(fully_paid=True)])
        office.desk.will("buy_label", [label_observed()])
        await office.send(CARRIER)
        assert office.desk.asked.count("buy_label") == 1
        assert office.command("buy_label").state == "done"

    async def test_an_attempt_ends_before_its_lease(self, office: Office) -> None:
        dispatcher = Dispatcher(office.ledger, office.desk, worker="d", lease_s=0.2)
        office.tell(order_observed(), payment_observed())
        (due,) = await dispatcher.claim(PROCESSOR, 1)

        async def hangs(*_: Any) -> Any:
            await asyncio.sleep(60)

        office.desk.will("capture", hangs)
        await dispatcher.send(due)
        waiting = office.command("capture_payment")
        assert (waiting.state, waiting.generation, waiting.reason) == ("pending", 0, "TimeoutError: ")


async def test_a_provider_that_asks_for_eternity_is_asked_again_in_an_hour(office: Office) -> None:
    office.tell(order_observed(), payment_observed())
    office.desk.will("capture", RateLimited("slow down", retry_after_s=1e9))
    before = datetime.now(UTC)
    await office.send(PROCESSOR)
    wait_s = (office.command("capture_payment").next_attempt_at - before).total_seconds()
    assert LONGEST_ASKED_S - 1 <= wait_s <= LONGEST_ASKED_S + 30


class TestEcho:
    """Our own writes come back as webhooks; the record that they meet asks for nothing new."""

    @pytest.mark.parametrize(
        "echo",
        [captured(version=after(1)), captured(version=after(2)), payment_observed(version=after(-9)), order_observed()],
        ids=["same", "read again", "older", "order as before"],
    )
    async def test_of_a_capture(self, office: Office, echo: Any) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", [captured(version=after(1))])
        await office.send(PROCESSOR)
        office.apply()
        before = {verb: row.state for verb, row in office.commands().items()}
        office.tell(echo)
        assert {verb: row.state for verb, row in office.commands().items() if verb != "refetch"} == before
        assert [due.command.verb for due in await office.claim(PROCESSOR)] == []

    async def test_of_a_label_and_its_fulfillment(self, office: Office) -> None:
        office.tell(*PAID)
        office.desk.will("fetch", [order_observed(fully_paid=True)])
        office.desk.will("buy_label", [label_observed()])
        await office.send(CARRIER)
        office.apply()
        await office.send(STORE)
        office.apply()
        before = office.commands().keys()
        office.tell(label_observed(version=after(20)), order_observed(version=after(21), fully_paid=True))
        assert office.commands().keys() == before
        assert await office.claim(CARRIER) == await office.claim(STORE) == []


async def test_a_refusal_after_a_lost_answer_is_settled_by_what_the_provider_shows(office: Office) -> None:
    office.tell(order_observed(), payment_observed())
    office.desk.will("capture", OutcomeUnknown("no answer"), RequestRejected("already captured"))
    office.desk.will("fetch", [captured(version=after(1))])
    await office.send(PROCESSOR)
    await office.send(PROCESSOR)
    office.apply()
    await office.send(PROCESSOR)
    assert office.desk.asked == ["capture", "capture", "fetch"]
    assert office.command("capture_payment").state == "cancelled"
