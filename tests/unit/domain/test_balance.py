"""What is due, taken and given back, in two currencies; and what the planner asks for because of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.domain.orders import (
    AT,
    TOTAL,
    captured,
    dispute_observed,
    gbp,
    label_observed,
    order_observed,
    own_transaction,
    parcel,
    payment_observed,
    planned,
    record,
    refund,
    scanned,
    shipped_work,
    verbs,
    work,
)  # fmt: skip
from tradewind.domain.commands import BuyLabel, CapturePayment, CreateFulfillment, RefundPayment
from tradewind.domain.connections import Routes
from tradewind.domain.money import Money
from tradewind.domain.order import PaymentState, Risk, TransactionKind

AUTHORISED = own_transaction(kind=TransactionKind.AUTHORIZATION, multi_capturable=True)
FOREIGN = {"presentment_total": Money(minor=2480, currency="JPY")}


def jpy(minor: int) -> Money:
    return Money(minor=minor, currency="JPY")


def part(number: int, amount: int, **changes: Any) -> Any:
    kind = TransactionKind.CAPTURE
    return own_transaction(f"tx-c{number}", kind=kind, parent_id="tx-1", amount=gbp(amount), **changes)


def test_units_taken_off_before_they_were_paid_are_not_due() -> None:
    (command,) = planned(record(order_observed(current_total=gbp(750)), payment_observed()))
    assert isinstance(command, CapturePayment)
    assert command.amount == gbp(750)


def test_units_taken_off_and_paid_back_were_due() -> None:
    order = record(order_observed(current_total=gbp(750), refunds=(refund("r-1", 500),)), captured())
    assert order.balance() is not None
    assert order.balance().due == gbp(TOTAL)
    assert order.is_paid


def test_a_refund_by_amount_takes_nothing_off_the_due() -> None:
    assert record(order_observed(refunds=(refund("r-1", 500),)), captured()).balance().due == gbp(TOTAL)


def test_an_edit_that_raises_the_total_waits_for_what_is_outstanding() -> None:
    raised = order_observed(total=gbp(TOTAL + 500), fully_paid=False)
    assert verbs(record(raised, captured())) == []
    more = payment_observed("pi-2", authorized=gbp(9999))
    assert [c.amount for c in planned(record(raised, captured(), more)) if isinstance(c, CapturePayment)] == [gbp(500)]


def test_an_authorisation_that_may_be_captured_in_parts_is_captured_for_the_rest() -> None:
    (command,) = planned(record(order_observed(transactions=(AUTHORISED, part(1, 1000)))))
    assert isinstance(command, CapturePayment)
    assert (command.amount, command.ordinal) == (gbp(250), 1)


def test_any_other_is_not_captured_after_its_first_part() -> None:
    once = AUTHORISED.model_copy(update={"multi_capturable": False})
    assert planned(record(order_observed(transactions=(once, part(1, 1000))))) == []


@pytest.mark.parametrize("risk", [Risk.PENDING, Risk.MEDIUM, Risk.HIGH])
def test_nothing_is_captured_or_shipped_while_the_risk_is_not_accepted(risk: Risk) -> None:
    assert verbs(record(order_observed(risk=risk), payment_observed())) == []
    assert verbs(record(order_observed(risk=risk, fully_paid=True), captured())) == []


def test_a_processor_that_took_the_customers_currency_is_compared_in_it() -> None:
    money = {"authorized": jpy(2480), "captured": jpy(2480), "refunded": jpy(0)}
    order = record(order_observed(**FOREIGN), payment_observed(state=PaymentState.CAPTURED, **money))
    assert order.is_paid
    assert order.captured_total() == gbp(TOTAL)
    short = money | {"captured": jpy(2479)}
    order = record(order_observed(**FOREIGN), payment_observed(state=PaymentState.CAPTURED, **short))
    assert not order.is_paid
    assert order.captured_total() < gbp(TOTAL)


def test_a_gift_card_pays_a_part_and_the_processor_the_rest_in_the_customers_currency() -> None:
    card = own_transaction("tx-g", gateway="gift_card", amount=gbp(250), presentment=jpy(480))
    order = record(
        order_observed(transactions=(card,), **FOREIGN),
        payment_observed(authorized=jpy(2480), captured=jpy(0), refunded=jpy(0)),
    )
    (command,) = planned(order)
    assert isinstance(command, CapturePayment)
    assert command.amount == jpy(2000)


def test_the_storefront_captures_in_the_customers_currency() -> None:
    seen = AUTHORISED.model_copy(update={"presentment": jpy(2480)})
    (command,) = planned(record(order_observed(transactions=(seen,), **FOREIGN)))
    assert isinstance(command, CapturePayment)
    assert command.amount == jpy(2480)


def test_what_went_back_on_a_gift_card_is_not_refunded_at_the_processor() -> None:
    on_card = own_transaction("tx-r", kind=TransactionKind.REFUND, gateway="gift_card", amount=gbp(100))
    told = refund("r-1", 300, transactions=("tx-r", "tx-s"))
    order = record(order_observed(transactions=(on_card,), refunds=(told,), fully_paid=True), captured())
    assert [c.amount for c in planned(order) if isinstance(c, RefundPayment)] == [gbp(200)]


def test_a_refund_is_spread_over_the_payments() -> None:
    payments = [captured(external_id=f"pi-{n}", amount=700) for n in (1, 2)]
    order = record(order_observed(refunds=(refund("r-1", 500), refund("r-2", 400)), fully_paid=True), *payments)
    back = [(c.payment, c.reference, c.amount.minor) for c in planned(order) if isinstance(c, RefundPayment)]
    assert back == [("pi-1", "r-1", 500), ("pi-1", "r-2", 200), ("pi-2", "r-2", 200)]


@pytest.mark.parametrize(("status", "wanted"), [("needs_response", []), ("lost", []), ("won", ["refund_payment"])])
def test_a_disputed_payment_is_not_refunded(status: str, wanted: list[str]) -> None:
    shipped = {"fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),), "fully_paid": True}
    order = record(order_observed(refunds=(refund(),), **shipped), captured(), dispute_observed(status=status))
    assert verbs(order) == wanted


def test_a_disputed_order_is_not_shipped() -> None:
    assert verbs(record(order_observed(fully_paid=True), captured(), dispute_observed())) == []


def test_a_label_is_voided_only_before_its_parcel_has_left() -> None:
    cancelled = (order_observed(cancelled_at=AT), captured(refunded=gbp(TOTAL)), label_observed())
    assert verbs(record(*cancelled)) == ["void_label"]
    assert verbs(record(*cancelled, scanned("unknown"))) == ["void_label"]
    assert verbs(record(*cancelled, scanned("accepted"))) == []
    told = (order_observed(cancelled_at=AT, fulfillments=(parcel(),)), *cancelled[1:])
    assert verbs(record(*told)) == []


def test_units_that_are_added_after_a_parcel_has_left_get_a_label_of_their_own() -> None:
    rest = work(remaining=(("line-1", 1),))
    order = record(
        order_observed(fully_paid=True, fulfillment_orders=(rest,), fulfillments=(parcel(),)),
        captured(),
        label_observed(),
    )
    (command,) = planned(order)
    assert isinstance(command, BuyLabel)
    assert command.ordinal == 1


@pytest.mark.parametrize(("notifier", "store", "carrier"), [("store", True, False), ("carrier", False, True),
                                                            ("nobody", False, False)])  # fmt: skip
def test_one_alone_tells_the_shopper(notifier: Any, store: bool, carrier: bool) -> None:
    routes = Routes(processor="stripe:main", carrier="shipstation:main", notify_customer=notifier)
    paid = (order_observed(fully_paid=True), captured())
    (label,) = planned(record(*paid), routes)
    (told,) = planned(record(*paid, label_observed()), routes)
    assert isinstance(label, BuyLabel)
    assert isinstance(told, CreateFulfillment)
    assert (told.notify_customer, label.notify_customer) == (store, carrier)
