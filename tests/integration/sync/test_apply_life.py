"""Apply, on both databases: holds, disputes, two currencies, and the stock that a change moves."""

from __future__ import annotations

from typing import Any

from tests.integration.sync.records import drain, hint, recorded, row, wanted
from tests.unit.domain.orders import (
    PROCESSOR,
    STORE,
    after,
    captured,
    dispute_observed,
    order_observed,
    parcel,
    payment_observed,
    shipped_work,
    work,
)  # fmt: skip
from tests.unit.sync.desk import tell
from tradewind.domain.events import HoldReleased
from tradewind.domain.money import Money
from tradewind.domain.order import HoldReason, Risk
from tradewind.domain.stock import Availability
from tradewind.ledger import orders, stock
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applier

WORK = f"{STORE}/fulfillment_order/fo-1"


def levels(ledger: Ledger) -> dict[tuple[str, str], Availability]:
    with ledger.read() as database:
        return stock.levels(database)


def test_a_dispute_waits_for_its_payment(ledger: Ledger, applier: Applier) -> None:
    (id,) = tell(ledger, dispute_observed(), connection=PROCESSOR)
    drain(applier)
    assert row(ledger, id).waits_for == f"{PROCESSOR}/payment/pi-1"
    tell(ledger, order_observed(), captured())
    drain(applier)
    assert row(ledger, id).state == "applied"
    with ledger.read() as database:
        assert [one.state for one in orders.by_name(database, "#1042")] == ["disputed"]


def test_a_hint_of_a_fulfillment_order_reads_its_order(ledger: Ledger, applier: Applier) -> None:
    (id,) = tell(ledger, hint("fulfillment_order", "fo-1"))
    drain(applier)
    assert row(ledger, id).waits_for == WORK
    tell(ledger, order_observed())
    drain(applier)
    assert row(ledger, id).state == "applied"
    assert wanted(ledger) == ["refetch"]


def test_a_hold_released_for_its_risk_lets_a_risky_order_be_captured(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed(risk=Risk.HIGH), payment_observed())
    tell(ledger, HoldReleased(connection=STORE, fulfillment_order="fo-1", reason=HoldReason.OTHER))
    drain(applier)
    assert wanted(ledger) == []
    tell(ledger, HoldReleased(connection=STORE, fulfillment_order="fo-1", reason=HoldReason.RISK))
    drain(applier)
    assert wanted(ledger) == ["capture_payment"]


def test_a_payment_in_the_customers_currency_is_taken_and_one_in_a_third_is_not(
    ledger: Ledger, applier: Applier
) -> None:
    def paid(external_id: str, currency: str) -> Any:
        money = {name: Money(minor=0, currency=currency) for name in ("captured", "refunded")}
        return payment_observed(external_id, authorized=Money(minor=2480, currency=currency), **money)

    tell(ledger, order_observed(presentment_total=Money(minor=2480, currency="JPY")), paid("pi-1", "JPY"))
    (third,) = tell(ledger, paid("pi-2", "USD"), connection=PROCESSOR)
    drain(applier)
    assert [one.external_id for one in recorded(ledger).payments] == ["pi-1"]
    assert row(ledger, third).state == "dead"


def test_each_change_moves_the_difference_once(ledger: Ledger, applier: Applier) -> None:
    reduced = work(assigned=(("line-1", 1),), remaining=(("line-1", 1),))
    stages: tuple[dict[str, Any], ...] = (
        {}, {"fulfillment_orders": (reduced,)}, {"fulfillment_orders": (work(),)},
        {"fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),)},
    )  # fmt: skip
    seen = []
    for number, changes in enumerate(stages):
        tell(ledger, order_observed(version=after(number), **changes))
        drain(applier)
        held = levels(ledger)["MUG", "shed"]
        seen.append((held.on_hand, held.reserved))
    assert seen == [(0, 2), (0, 1), (0, 2), (-2, 0)]
