"""The planner: what a record asks for follows from the record alone, however often it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    TOTAL,
    after,
    captured,
    gbp,
    label_observed,
    line,
    order_observed,
    own_transaction,
    parcel,
    payment_observed,
    planned,
    record,
    refund,
    shipment_of,
    shipped_work,
    transaction,
    verbs,
    work,
)
from tradewind.domain.commands import (
    WRITES,
    BuyLabel,
    CancelPayment,
    CapturePayment,
    CreateFulfillment,
    MarkOrderPaid,
    Refetch,
    RefundPayment,
    VoidLabel,
    command_adapter,
)
from tradewind.domain.connections import Routes
from tradewind.domain.events import Resource
from tradewind.domain.order import (
    FulfillmentOrderStatus,
    LabelState,
    Order,
    PaymentState,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.planner import external_shipment_id

ORDER = "shopify:north/1"
PAID = (order_observed(fully_paid=True), captured())
AUTHORISED = own_transaction(kind=TransactionKind.AUTHORIZATION)


class TestWhoMayBeCommanded:
    def test_an_order_from_before_going_live_asks_for_nothing(self) -> None:
        assert planned(record(*PAID, live=False)) == []

    def test_a_test_order_asks_for_nothing(self) -> None:
        assert planned(record(order_observed(test=True), payment_observed())) == []

    def test_an_order_that_the_storefront_has_not_described_asks_for_nothing(self) -> None:
        assert planned(record(payment_observed())) == []


class TestCapture:
    def test_an_authorised_payment_is_captured_at_the_processor(self) -> None:
        assert planned(record(order_observed(), payment_observed())) == [
            CapturePayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1", amount=gbp(TOTAL))
        ]

    def test_no_more_is_captured_than_the_order_comes_to(self) -> None:
        (command,) = planned(record(order_observed(), payment_observed(authorized=gbp(9999))))
        assert isinstance(command, CapturePayment)
        assert command.amount == gbp(TOTAL)

    def test_several_payments_are_captured_until_the_total_is_reached(self) -> None:
        payments = [payment_observed(f"pi-{n}", authorized=gbp(500)) for n in (1, 2, 3, 4)]
        amounts = [
            c.amount.minor for c in planned(record(order_observed(), *payments)) if isinstance(c, CapturePayment)
        ]
        assert amounts == [500, 500, 250]

    def test_what_has_been_captured_counts(self) -> None:
        order = record(order_observed(), captured(amount=1000), payment_observed("pi-2"))
        (command,) = planned(order)
        assert isinstance(command, CapturePayment)
        assert (command.payment, command.amount) == ("pi-2", gbp(250))

    @pytest.mark.parametrize("state", [PaymentState.PENDING, PaymentState.FAILED, PaymentState.CANCELLED])
    def test_a_payment_that_is_not_authorised_is_left_alone(self, state: PaymentState) -> None:
        assert planned(record(order_observed(), payment_observed(state=state))) == []

    def test_the_storefront_captures_what_it_authorised_itself(self) -> None:
        assert planned(record(order_observed(transactions=(AUTHORISED,)))) == [
            CapturePayment(
                connection=STORE, order_id=ORDER, payment="tx-1", amount=gbp(TOTAL), storefront_order="1"
            )
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "later",
        [
            own_transaction("tx-2", kind=TransactionKind.CAPTURE, parent_id="tx-1"),
            own_transaction("tx-2", kind=TransactionKind.VOID, parent_id="tx-1"),
        ],
    )
    def test_what_is_captured_or_void_is_not_captured_again(self, later: object) -> None:
        assert "capture_payment" not in verbs(record(order_observed(transactions=(AUTHORISED, later))))

    def test_a_capture_that_failed_is_wanted_still(self) -> None:
        failed = own_transaction(
            "tx-2", kind=TransactionKind.CAPTURE, parent_id="tx-1", status=TransactionStatus.FAILURE
        )
        assert verbs(record(order_observed(transactions=(AUTHORISED, failed)))) == ["capture_payment"]

    def test_the_processors_authorisation_is_not_captured_at_the_storefront(self) -> None:
        told = transaction(kind=TransactionKind.AUTHORIZATION, status=TransactionStatus.SUCCESS)
        assert planned(record(order_observed(transactions=(told,)))) == []


class TestTellingPaid:
    def test_the_storefront_is_told_what_the_processor_captured(self) -> None:
        assert MarkOrderPaid(connection=STORE, order_id=ORDER, order="1") in planned(
            record(order_observed(), captured())
        )

    def test_a_storefront_that_knows_is_not_told(self) -> None:
        assert "mark_order_paid" not in verbs(record(*PAID))

    def test_what_an_edit_added_is_told_by_a_command_of_its_own(self) -> None:
        """Under the key of the first telling, which is done, the storefront would never hear of it."""
        first = transaction(amount=gbp(TOTAL - 300))
        told = transaction("tx-2", amount=gbp(TOTAL - 300), status=TransactionStatus.SUCCESS, parent_id="tx-1")
        second = transaction("tx-3", amount=gbp(300), payment_id="pay-2")
        before = planned(record(order_observed(transactions=(first,)), captured()))
        after = planned(record(order_observed(transactions=(first, told, second)), captured()))
        keys = [one.key for one in (*before, *after) if isinstance(one, MarkOrderPaid)]
        assert keys == [f"{STORE}/1/mark_order_paid/0", f"{STORE}/1/mark_order_paid/1"]

    def test_what_the_storefront_gave_back_since_is_not_told_again(self) -> None:
        told = transaction("tx-2", status=TransactionStatus.SUCCESS, parent_id="tx-1")
        back = transaction("tx-3", kind=TransactionKind.REFUND, amount=gbp(100), status=TransactionStatus.SUCCESS)
        placed = order_observed(transactions=(transaction(), told, back), refunds=(refund(amount=100),))
        assert "mark_order_paid" not in verbs(record(placed, captured()))

    def test_a_part_is_not_told(self) -> None:
        assert planned(record(order_observed(), captured(amount=TOTAL - 1))) == []

    def test_a_storefront_that_took_the_money_is_not_told(self) -> None:
        assert "mark_order_paid" not in verbs(record(order_observed(transactions=(own_transaction(),))))


class TestShipping:
    def test_a_paid_order_gets_a_label_for_each_fulfillment_order(self) -> None:
        works = (work("fo-1"), work("fo-2", assigned=(("line-2", 1),), remaining=(("line-2", 1),)))
        lines = (line(), line("line-2", sku=None, title="Card", unit_price=gbp(50)))
        first, second = planned(
            record(order_observed(fully_paid=True, fulfillment_orders=works, lines=lines), captured())
        )
        assert first == BuyLabel(
            connection=CARRIER, order_id=ORDER, fulfillment_order="fo-1", external_shipment_id=shipment_of("fo-1"),
            storefront=STORE, order="1", items=(("MUG", "Mug", 2, gbp(500)),),
        )  # fmt: skip
        assert isinstance(second, BuyLabel)
        assert second.items == (("", "Card", 1, gbp(50)),)
        assert first.external_shipment_id != second.external_shipment_id

    @pytest.mark.parametrize(
        "events",
        [
            (order_observed(), payment_observed()),
            (order_observed(fully_paid=True), captured(amount=TOTAL - 1)),
            (order_observed(fully_paid=True, on_hold=True), captured()),
            (order_observed(fully_paid=True, ship_to=None), captured()),
            (order_observed(fully_paid=True, fulfillment_orders=()), captured()),
            (order_observed(fully_paid=True, fulfillment_orders=(shipped_work(),)), captured()),
        ],
        ids=["authorised", "paid in part", "on hold", "no address", "no work", "shipped"],
    )
    def test_it_gets_none_before_it_may_be_shipped(self, events: tuple[object, ...]) -> None:
        assert "buy_label" not in verbs(record(*events))  # type: ignore[arg-type]

    @pytest.mark.parametrize("status", list(FulfillmentOrderStatus))
    def test_work_that_is_open_or_under_way_is_shipped(self, status: FulfillmentOrderStatus) -> None:
        order = record(order_observed(fully_paid=True, fulfillment_orders=(work(status=status),)), captured())
        assert ("buy_label" in verbs(order)) == (status in ("open", "in_progress"))

    def test_a_storefront_without_a_carrier_gets_none(self) -> None:
        assert verbs(record(*PAID), Routes(processor=PROCESSOR)) == []

    def test_what_needs_no_parcel_gets_no_label(self) -> None:
        lines = (line(), line("line-2", title="Voucher", requires_shipping=False))
        works = (work(remaining=(("line-1", 2), ("line-2", 1))), work("fo-2", remaining=(("line-2", 1),)))
        (command,) = planned(record(order_observed(fully_paid=True, lines=lines, fulfillment_orders=works), captured()))
        assert isinstance(command, BuyLabel)
        assert [title for _, title, _, _ in command.items] == ["Mug"]

    def test_only_what_is_left_is_shipped(self) -> None:
        half = work(remaining=(("line-1", 1), ("line-gone", 4)))
        (command,) = planned(record(order_observed(fully_paid=True, fulfillment_orders=(half,)), captured()))
        assert isinstance(command, BuyLabel)
        assert [quantity for _, _, quantity, _ in command.items] == [1]

    def test_the_storefront_is_told_of_the_label_with_tracking(self) -> None:
        assert planned(record(*PAID, label_observed())) == [
            CreateFulfillment(
                connection=STORE, order_id=ORDER, order="1", fulfillment_order="fo-1", tracking_number="T-1",
                tracking_url="https://track.example/T-1", carrier="royal_mail",
            )
        ]  # fmt: skip

    def test_a_parcel_that_the_storefront_knows_of_is_not_told_again(self) -> None:
        shipped = order_observed(fully_paid=True, fulfillment_orders=(shipped_work(),), fulfillments=(parcel(),))
        assert planned(record(shipped, captured(), label_observed())) == []

    def test_a_void_label_is_replaced_under_another_shipment_id(self) -> None:
        (command,) = planned(record(*PAID, label_observed(state=LabelState.VOIDED)))
        assert isinstance(command, BuyLabel)
        assert (command.ordinal, command.external_shipment_id) == (1, shipment_of("fo-1", 1))

    def test_the_label_in_force_is_the_one_that_is_told(self) -> None:
        second = label_observed(
            "se-2", external_shipment_id=shipment_of("fo-1", 1), tracking_number="T-2", created_at=after(9)
        )
        (command,) = planned(record(*PAID, label_observed(state=LabelState.VOIDED), second))
        assert isinstance(command, CreateFulfillment)
        assert (command.ordinal, command.tracking_number) == (1, "T-2")

    def test_an_order_of_nothing_is_paid_when_it_is_placed(self) -> None:
        assert verbs(record(order_observed(total=gbp(0), transactions=()))) == ["buy_label"]


class TestRefunds:
    def test_a_refund_that_the_storefront_recorded_is_made_where_the_money_is(self) -> None:
        order = record(order_observed(fully_paid=True, refunds=(refund(),), fulfillment_orders=()), captured())
        assert planned(order) == [
            RefundPayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1", amount=gbp(300), reference="r-1")
        ]

    def test_a_refund_of_the_storefronts_own_money_is_the_storefronts(self) -> None:
        order = record(order_observed(transactions=(own_transaction(),), refunds=(refund(),), fulfillment_orders=()))
        assert planned(order) == []

    def test_a_refund_of_nothing_is_not_made(self) -> None:
        order = record(order_observed(fully_paid=True, refunds=(refund(amount=0),), fulfillment_orders=()), captured())
        assert planned(order) == []

    def test_no_more_is_given_back_than_was_taken(self) -> None:
        order = record(
            order_observed(fully_paid=True, refunds=(refund(amount=TOTAL),), fulfillment_orders=()),
            captured(amount=1000),
        )
        assert [c.amount for c in planned(order) if isinstance(c, RefundPayment)] == [gbp(1000)]

    def test_where_all_is_given_back_nothing_more_is_asked(self) -> None:
        order = record(
            order_observed(fully_paid=True, refunds=(refund(amount=TOTAL),), fulfillment_orders=()),
            captured(refunded=gbp(TOTAL)),
        )
        assert planned(order) == []


class TestCancelled:
    def cancelled(self, *events: object, **changes: object) -> Order:
        return record(order_observed(cancelled_at=AT, version=after(1), **changes), *events)  # type: ignore[arg-type]

    def test_an_authorisation_is_released(self) -> None:
        assert planned(self.cancelled(payment_observed())) == [
            CancelPayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1")
        ]

    def test_captured_money_is_given_back(self) -> None:
        assert planned(self.cancelled(captured())) == [
            RefundPayment(
                connection=PROCESSOR, order_id=ORDER, payment="pi-1", amount=gbp(TOTAL), reference="cancellation"
            )
        ]  # fmt: skip

    def test_what_the_storefront_refunded_is_not_given_back_twice(self) -> None:
        refunds = [c for c in planned(self.cancelled(captured(), refunds=(refund(),))) if isinstance(c, RefundPayment)]
        assert [(one.reference, one.amount.minor) for one in refunds] == [("r-1", 300), ("cancellation", TOTAL - 300)]

    def test_what_was_given_back_by_hand_is_not_given_back_again(self) -> None:
        (command,) = planned(self.cancelled(captured(refunded=gbp(1000))))
        assert isinstance(command, RefundPayment)
        assert command.amount == gbp(250)

    def test_a_refund_that_the_storefront_tells_after_the_cancellation_is_not_made_again(self) -> None:
        assert planned(self.cancelled(captured(refunded=gbp(TOTAL)), refunds=(refund(amount=TOTAL),))) == []

    def test_labels_are_given_back(self) -> None:
        void = label_observed("se-2", state=LabelState.VOIDED)
        assert planned(self.cancelled(label_observed(), void)) == [
            VoidLabel(connection=CARRIER, order_id=ORDER, label="se-1")
        ]

    def test_nothing_is_captured_shipped_or_told_any_more(self) -> None:
        order = self.cancelled(payment_observed(), captured(external_id="pi-2"), label_observed())
        assert set(verbs(order)) == {"void_label", "cancel_payment", "refund_payment"}


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Records of every shape."""
    storefront = order_observed(
        cancelled_at=draw(st.sampled_from((None, AT))),
        fully_paid=draw(st.booleans()),
        on_hold=draw(st.booleans()),
        refunds=tuple(refund(f"r-{n}", 100 * n) for n in range(draw(st.integers(0, 3)))),
        transactions=(transaction(), *((AUTHORISED,) if draw(st.booleans()) else ())),
        fulfillment_orders=tuple(
            work(f"fo-{n}", status=draw(st.sampled_from(FulfillmentOrderStatus)))
            for n in range(draw(st.integers(0, 3)))
        ),
    )
    payments = [
        payment_observed(
            f"pi-{n}",
            state=draw(st.sampled_from(PaymentState)),
            captured=gbp(draw(st.sampled_from((0, 600, TOTAL)))),
            refunded=gbp(draw(st.sampled_from((0, 100)))),
        )
        for n in range(draw(st.integers(0, 2)))
    ]
    labels = [
        label_observed(f"se-{n}", fulfillment_order_id=f"fo-{n % 2}", state=draw(st.sampled_from(LabelState)))
        for n in range(draw(st.integers(0, 3)))
    ]
    return record(storefront, *payments, *labels)


@given(orders())
def test_planning_twice_asks_for_the_same_once(order: Order) -> None:
    keys = [command.key for command in planned(order)]
    assert keys == [command.key for command in planned(Order.model_validate_json(order.model_dump_json()))]
    assert len(set(keys)) == len(keys)


@given(orders())
def test_money_asked_for_stays_within_what_is_there(order: Order) -> None:
    assert order.placed is not None
    taken = order.captured_total()
    assert taken is not None
    captures = [c.amount.minor for c in planned(order) if isinstance(c, CapturePayment)]
    assert all(amount > 0 for amount in captures)
    assert sum(captures) <= max(0, (order.placed.total - taken).minor)
    for command in planned(order):
        if isinstance(command, RefundPayment):
            payment = next(one for one in order.payments if one.external_id == command.payment)
            assert 0 < command.amount.minor <= payment.captured.minor


@given(orders())
def test_every_command_survives_being_stored(order: Order) -> None:
    for command in planned(order):
        assert command_adapter.validate_json(command.model_dump_json()) == command
        assert command.verb in WRITES
        assert command.lane == "critical"
        assert command.key.startswith(f"{command.connection}/")


def test_the_target_shows_whether_a_command_has_had_its_effect() -> None:
    order, payment = (
        Resource(connection=STORE, kind="order", external_id="1"),
        Resource(connection=PROCESSOR, kind="payment", external_id="pi-1"),
    )
    commands = {
        CapturePayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1", amount=gbp(1)): payment,
        CapturePayment(connection=STORE, order_id=ORDER, payment="tx", amount=gbp(1), storefront_order="1"): order,
        CancelPayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1"): payment,
        RefundPayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1", amount=gbp(1), reference="r"): payment,
        MarkOrderPaid(connection=STORE, order_id=ORDER, order="1"): order,
        VoidLabel(connection=CARRIER, order_id=ORDER, label="se-1"): Resource(
            connection=CARRIER, kind="label", external_id="se-1"
        ),
        Refetch(connection=PROCESSOR, order_id=ORDER, resource=payment): payment,
    }
    assert {command: command.target for command in commands} == commands
    (buy,) = planned(record(*PAID))
    (tell,) = planned(record(*PAID, label_observed()))
    assert buy.target == tell.target == order


def test_keys_tell_intents_apart() -> None:
    refunds = [
        RefundPayment(connection=PROCESSOR, order_id=ORDER, payment="pi-1", amount=gbp(1), reference=reference)
        for reference in ("r-1", "r-2")
    ]
    assert refunds[0].key == "stripe:main/pi-1/r-1/refund_payment/0" != refunds[1].key
    again = refunds[0].model_copy(update={"amount": gbp(2)})
    assert again.key == refunds[0].key
    resource = Resource(connection=STORE, kind="order", external_id="1")
    assert (
        Refetch(connection=STORE, order_id=None, resource=resource, ordinal=3).key == "shopify:north/order/1/refetch/3"
    )


def test_a_shipment_id_is_stable_and_short_enough_for_every_carrier() -> None:
    assert external_shipment_id("shopify:north/fo-1", 0) == external_shipment_id("shopify:north/fo-1", 0)
    assert len({external_shipment_id(f"{store}/fo-1", n) for store in ("a", "b") for n in (0, 1)}) == 4
    assert len(external_shipment_id("x" * 500, 0)) <= 50
