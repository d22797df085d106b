"""Where an order stands: one word, and one each for its money and its goods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.domain.orders import (
    AT,
    STORE,
    TOTAL,
    after,
    captured,
    dispute_observed,
    gbp,
    label_observed,
    line,
    order_observed,
    own_transaction,
    parcel,
    payment_observed,
    record,
    refund,
    return_of,
    scanned,
    shipped_work,
    transaction,
    work,
)  # fmt: skip
from tradewind.domain.events import HoldReleased, OrderObserved
from tradewind.domain.order import (
    FulfillmentOrder,
    HoldReason,
    LabelState,
    PaymentState,
    Risk,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.reducer import OrderEvent
from tradewind.domain.states import GoodsState, MoneyState, OrderState, fulfilment_state, payment_state, state_of

PAID = (order_observed(fully_paid=True), captured())
SENT = {"fully_paid": True, "fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),)}
SHIPPED = (order_observed(**SENT), captured(), label_observed())
AUTHORISED = own_transaction(kind=TransactionKind.AUTHORIZATION)
ALL_BACK = refund("r-1", TOTAL, lines=(("line-1", 2),), restocked=(("line-1", "shed", 2),))


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((), "unknown"),
        ((order_observed(),), "placed"),
        ((order_observed(on_hold=True),), "on_hold"),
        ((order_observed(risk=Risk.HIGH), payment_observed()), "on_hold"),
        ((order_observed(), payment_observed()), "authorized"),
        ((order_observed(transactions=(AUTHORISED,)),), "authorized"),
        ((order_observed(), captured(amount=1)), "partially_paid"),
        (PAID, "paid"),
        ((*PAID, label_observed()), "labelled"),
        ((*PAID, label_observed(state=LabelState.VOIDED)), "paid"),
        (SHIPPED, "shipped"),
        ((*SHIPPED, scanned("in_transit")), "shipped"),
        ((*SHIPPED, scanned("delivered")), "delivered"),
        ((*SHIPPED, scanned("failed_attempt")), "delivery_failed"),
        ((*SHIPPED, scanned("returned_to_sender")), "delivery_failed"),
        ((order_observed(fulfillment_orders=(shipped_work(), work("fo-2")), fulfillments=(parcel(),)),),
         "partially_shipped"),
        ((order_observed(fulfillments=(parcel(status="cancelled"),)),), "placed"),
        ((order_observed(lines=(line(requires_shipping=False),), transactions=(own_transaction(),)),), "completed"),
        ((order_observed(), captured(refunded=gbp(1))), "partially_refunded"),
        ((order_observed(), captured(refunded=gbp(TOTAL))), "refunded"),
        ((*SHIPPED[:1], captured(refunded=gbp(1)), label_observed()), "shipped"),
        ((order_observed(cancelled_at=AT), *PAID[1:], label_observed()), "cancelled"),
        ((order_observed(cancelled_at=AT, **SENT), captured(), label_observed()), "return_requested"),
        ((order_observed(cancelled_at=AT), captured(), label_observed(), scanned("accepted")), "return_requested"),
        ((order_observed(returns=(return_of(),), **SENT),), "return_requested"),
        ((order_observed(returns=(return_of(status="declined"),), **SENT), *SHIPPED[1:]), "shipped"),
        ((order_observed(returns=(return_of(units=1, status="closed"),), **SENT), *SHIPPED[1:]), "shipped"),
        ((order_observed(returns=(return_of(status="closed"),), **SENT), *SHIPPED[1:]), "returned"),
        ((order_observed(refunds=(ALL_BACK,), **SENT), *SHIPPED[1:]), "returned"),
        ((*SHIPPED, dispute_observed()), "disputed"),
        ((*SHIPPED, dispute_observed(), dispute_observed(version=after(1), status="won")), "shipped"),
        ((*SHIPPED, dispute_observed(status="lost")), "refunded"),
    ],
)  # fmt: skip
def test_the_furthest_point_is_the_state(events: tuple[OrderEvent, ...], state: str) -> None:
    assert state_of(record(*events)) is OrderState(state)


@pytest.mark.parametrize(
    ("events", "money", "goods"),
    [
        ((), "unpaid", "unfulfilled"),
        ((*SHIPPED[:1], captured(refunded=gbp(1)), label_observed(), scanned("delivered")),
         "partially_refunded", "delivered"),
        ((order_observed(), payment_observed(state=PaymentState.CANCELLED)), "voided", "unfulfilled"),
        ((order_observed(cancelled_at=AT), captured(refunded=gbp(TOTAL))), "refunded", "cancelled"),
        ((order_observed(on_hold=True), captured()), "paid", "on_hold"),
    ],
)  # fmt: skip
def test_money_and_goods_have_states_of_their_own(events: tuple[OrderEvent, ...], money: str, goods: str) -> None:
    order = record(*events)
    assert (payment_state(order), fulfilment_state(order)) == (MoneyState(money), GoodsState(goods))


@pytest.mark.parametrize(
    ("reason", "state"), [(HoldReason.RISK, OrderState.PAID), (HoldReason.OTHER, OrderState.ON_HOLD)]
)
def test_only_whoever_releases_a_hold_for_the_risk_has_accepted_it(reason: HoldReason, state: OrderState) -> None:
    held = record(order_observed(risk=Risk.MEDIUM), captured())
    assert state_of(held) is OrderState.ON_HOLD
    released = HoldReleased(connection=STORE, fulfillment_order="fo-1", reason=reason)
    assert state_of(record(order_observed(risk=Risk.MEDIUM), captured(), released)) is state
    assert state_of(record(released, order_observed(risk=Risk.MEDIUM), captured())) is state


def risky(number: int, *works: FulfillmentOrder, **changes: Any) -> OrderObserved:
    return order_observed(version=after(number), risk=Risk.MEDIUM, fulfillment_orders=works, **changes)


HELD = work(status="on_hold", holds=(HoldReason.RISK,))


@pytest.mark.parametrize(
    "released",
    [
        risky(2, work()),
        risky(2, work(status="on_hold", holds=(HoldReason.OTHER,))),
        risky(2, work(status="closed", remaining=()), fulfillments=(parcel(),)),
    ],
    ids=["may leave", "held for another reason", "has left"],
)
def test_a_release_of_which_nobody_told_is_seen(released: OrderObserved) -> None:
    assert not record(risky(1, HELD), released, captured()).is_held_for_risk
    assert not record(released, risky(1, HELD), captured()).is_held_for_risk


@pytest.mark.parametrize(
    "told",
    [
        (risky(2, work()),),
        (risky(1, HELD), risky(2, HELD)),
        (risky(1, work(status="on_hold", holds=(HoldReason.OTHER,))), risky(2, work())),
        (risky(1, HELD), risky(2, work(status="closed", remaining=()), work("fo-2"))),
        (risky(1, HELD), risky(2, work(), work("fo-2", status="on_hold", holds=(HoldReason.RISK,)))),
    ],
    ids=["never held", "still held", "held for another reason", "nothing of it was sent", "the rest is held"],
)
def test_no_release_is_seen_where_none_was(told: Sequence[OrderObserved]) -> None:
    assert record(*told, captured()).is_held_for_risk


def test_what_needs_no_parcel_is_not_left_to_be_shipped() -> None:
    lines = (line(), line("line-2", requires_shipping=False))
    works = (shipped_work(), work("fo-2", remaining=(("line-2", 1),)))
    order = record(order_observed(lines=lines, fulfillment_orders=works, fulfillments=(parcel(),)))
    assert state_of(order) is OrderState.SHIPPED


def test_captured_is_what_storefront_and_processor_took() -> None:
    taken = (
        own_transaction("tx-1", amount=gbp(100)),
        own_transaction("tx-2", amount=gbp(50), kind=TransactionKind.CAPTURE),
        own_transaction("tx-3", amount=gbp(7), status=TransactionStatus.FAILURE),
        own_transaction("tx-4", amount=gbp(7), kind=TransactionKind.REFUND),
        transaction("tx-5", status=TransactionStatus.SUCCESS),
    )
    order = record(order_observed(transactions=taken), captured(amount=1000))
    assert order.captured_total() == gbp(1150)
    assert not order.is_paid
    assert record(captured()).captured_total() is None
