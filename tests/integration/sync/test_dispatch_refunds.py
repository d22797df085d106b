"""Refunds and late captures, on both databases: right before the call the provider is asked whether it is still so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.integration.sync.test_dispatch import Office
from tests.unit.domain.orders import (
    PROCESSOR,
    STORE,
    TOTAL,
    after,
    captured,
    gbp,
    line,
    order_observed,
    payment_observed,
    refund,
)
from tradewind.domain.order import Refund
from tradewind.errors import OutcomeUnknown, ProviderUnavailable
from tradewind.ledger import tables
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger
from tradewind.sync.recheck import SOON_S

EXCESS = 500


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger)


def edited(at: float = 1, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "current_total": gbp(TOTAL - EXCESS), "edited": True, "fully_paid": True, "fulfillment_orders": (),
        "lines": (line(current_quantity=1),),
    }  # fmt: skip
    return order_observed(version=after(at), **values | changes)


def paid(at: float, *refunds: Refund) -> Any:
    back = sum(one.amount.minor for one in refunds)
    return captured(version=after(at), refunds=refunds, refunded=gbp(back))


def given(number: int, reference: str | None, amount: int = EXCESS) -> Refund:
    return refund(f"re-{number}", amount, connection=PROCESSOR, payment="pi-1", reference=reference)


OURS = given(0, "overcapture-0")
THEIRS = refund("r-1", EXCESS)


async def test_the_storefront_and_the_processor_are_asked_before_the_excess_goes_back(office: Office) -> None:
    office.tell(edited(), paid(1))
    office.desk.will("fetch", [edited()], [paid(2)])
    office.desk.will("refund", [paid(3, OURS)])
    await office.send(PROCESSOR)
    assert [(call.connection, call.method) for call in office.desk.calls] == [
        (STORE, "fetch"), (PROCESSOR, "fetch"), (PROCESSOR, "refund"),
    ]  # fmt: skip
    office.apply()
    assert office.command("refund_payment").state == "done"


@pytest.mark.parametrize(
    "seen",
    [
        ([edited(2, refunds=(THEIRS,))], [paid(2)]),
        ([edited()], [paid(2, given(0, None))]),
        ([edited(2, current_total=gbp(TOTAL), lines=(line(),))], [paid(2)]),
        ([edited(2, refunds=(THEIRS,))], [paid(2, given(0, "r-1"))]),
    ],
    ids=["the storefront refunds it", "given back by hand", "edited back", "given back for the storefront"],
)
async def test_what_is_given_back_by_someone_else_is_not_given_back_again(office: Office, seen: Any) -> None:
    office.tell(edited(), paid(1))
    office.desk.will("fetch", *seen)
    await office.send(PROCESSOR)
    assert "refund" not in office.desk.asked
    assert office.command("refund_payment").state == "cancelled"


async def test_the_storefronts_refund_is_not_made_when_ours_was_and_the_record_has_not_heard(office: Office) -> None:
    office.tell(edited(refunds=(THEIRS,)), paid(1))
    office.desk.will("fetch", [paid(2, OURS)])
    await office.send(PROCESSOR)
    assert office.desk.asked == ["fetch"]
    assert office.command("refund_payment").state == "cancelled"


async def test_an_excess_that_has_grown_is_given_back_whole(office: Office) -> None:
    office.tell(edited(), paid(1))
    more = edited(2, current_total=gbp(250), lines=(line(current_quantity=0),))
    office.desk.will("fetch", [more], [paid(2)], [more], [paid(2)])
    await office.send(PROCESSOR)
    assert office.command("refund_payment").state == "pending"
    office.apply()
    office.desk.will("refund", [paid(3, given(0, "overcapture-0", 1000))])
    await office.send(PROCESSOR)
    assert office.desk.calls[-1].arguments[0].amount == gbp(1000)


async def test_another_amount_goes_under_another_key_than_one_that_may_have_been_sent(office: Office) -> None:
    office.tell(edited(), paid(1))
    office.desk.will("fetch", [edited()], [paid(2)])
    office.desk.will("refund", OutcomeUnknown("no answer"), [paid(4, given(0, "overcapture-0", 300))])
    first = await office.send(PROCESSOR)
    less = edited(2, refunds=(refund("r-1", 200),))
    # Found to be another amount, looked up, planned anew, sent.
    office.desk.will("fetch", [less], [paid(3)], [paid(3)], [less], [paid(3)], [less], [paid(3)])
    for _ in range(3):
        await office.send(PROCESSOR)
        office.apply()
    refunds = [call.arguments for call in office.desk.calls if call.method == "refund"]
    assert [(command.amount, key) for command, key in refunds] == [
        (gbp(500), f"{first.key}/0"), (gbp(300), f"{first.key}/1"),
    ]  # fmt: skip
    assert "find_effect" in office.desk.asked


async def test_it_waits_for_a_storefront_that_cannot_be_asked(office: Office) -> None:
    office.tell(edited(), paid(1))
    office.desk.will("fetch", ProviderUnavailable("down"))
    await office.send(PROCESSOR)
    assert office.desk.asked == ["fetch"]
    assert office.command("refund_payment").state == "pending"


class TestLateCapture:
    def waited(self, office: Office, seconds: float) -> None:
        with office.ledger.write() as database:
            database.execute(update(tables.outbox).values(created_at=db_now(database) - timedelta(seconds=seconds)))

    async def test_a_capture_that_had_to_wait_is_of_what_the_order_costs_by_now(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        self.waited(office, SOON_S + 60)
        now = edited(fully_paid=False)
        office.desk.will("fetch", [now], [now])
        await office.send(PROCESSOR)
        assert office.command("capture_payment").state == "pending"
        office.apply()
        office.desk.will("capture", [captured(version=after(2), amount=TOTAL - EXCESS)])
        await office.send(PROCESSOR)
        (call,) = [call for call in office.desk.calls if call.method == "capture"]
        assert call.arguments[0].amount == gbp(TOTAL - EXCESS)

    async def test_one_that_goes_at_once_costs_no_further_call(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        self.waited(office, 0)
        office.desk.will("capture", [captured(version=after(2))])
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture"]

    async def test_one_of_an_order_that_was_cancelled_meanwhile_is_not_made(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        self.waited(office, SOON_S + 60)
        office.desk.will("fetch", [order_observed(version=after(1), cancelled_at=after(1))])
        await office.send(PROCESSOR)
        assert office.desk.asked == ["fetch"]
        assert office.command("capture_payment").state == "cancelled"
