"""What was captured too much goes back once, whoever is first: we, the storefront, or a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.unit.domain.orders import (
    AT,
    PROCESSOR,
    ROUTES,
    TOTAL,
    after,
    captured,
    dispute_observed,
    gbp,
    line,
    order_observed,
    own_transaction,
    planned,
    record,
    refund,
    return_of,
)
from tradewind.domain.commands import RefundPayment
from tradewind.domain.money import Money
from tradewind.domain.order import CapturedBy, Order, Payment, Refund, Transaction, TransactionKind, TransactionStatus
from tradewind.domain.overcapture import kept
from tradewind.domain.refunds import is_of_excess

EXCESS = 500
MANUAL = ROUTES.model_copy(update={"refund_overcapture": "manual"})


def edited(**changes: Any) -> Any:
    """One of the two mugs was taken off; the rest waits elsewhere, so that nothing is shipped."""
    values: dict[str, Any] = {
        "current_total": gbp(TOTAL - EXCESS), "edited": True, "fully_paid": True, "fulfillment_orders": (),
        "lines": (line(current_quantity=1),),
    }  # fmt: skip
    return order_observed(version=after(1), **values | changes)


def given(number: int, amount: int, reference: str | None = None, payment: str = "pi-1") -> Refund:
    """A refund that the processor lists."""
    return refund(f"re-{number}", amount, connection=PROCESSOR, payment=payment, reference=reference)


def paid(*refunds: Refund, version: int = 2, **changes: Any) -> Any:
    back = sum(one.amount.minor for one in refunds)
    return captured(version=after(version), refunds=refunds, refunded=gbp(back), **changes)


def back(order: Order, routes: Any = ROUTES) -> list[tuple[str, int]]:
    return [(c.reference, c.amount.minor) for c in planned(order, routes) if isinstance(c, RefundPayment)]


def taken_off(paid_at: datetime | None, *others: Transaction, **of_refund: Any) -> Any:
    """One of the two mugs was taken off by a refund of no money; the storefront heard of the payment then, or not."""
    told = refund("r-0", 0, **{"lines": (("line-1", 1),), "created_at": after(2)} | of_refund)
    sale = own_transaction(captured_by=CapturedBy.PROCESSOR, processed_at=paid_at)
    return edited(edited=False, refunds=(told,), transactions=(*others, sale) if paid_at else others)


class TestExcess:
    def test_what_an_edit_took_off_after_the_capture_goes_back(self) -> None:
        (command,) = planned(record(edited(), paid()))
        assert isinstance(command, RefundPayment)
        assert (command.connection, command.payment, command.amount) == (PROCESSOR, "pi-1", gbp(EXCESS))
        assert command.key == "stripe:main/pi-1/overcapture-0/refund_payment/0"
        assert is_of_excess(command)

    def test_once_it_went_back_nothing_is_asked(self) -> None:
        order = record(edited(), paid(given(0, EXCESS, "overcapture-0")))
        assert back(order) == []
        balance = order.balance()
        assert balance is not None
        assert balance.taken - balance.given_back == gbp(TOTAL - EXCESS)

    def test_the_next_edit_is_a_cause_of_its_own(self) -> None:
        again = edited(current_total=gbp(250), lines=(line(current_quantity=0),))
        assert back(record(again, paid(given(0, EXCESS, "overcapture-0")))) == [("overcapture-1", 500)]

    def test_more_taken_off_before_it_went_changes_the_amount_and_not_the_key(self) -> None:
        before, later = record(edited(), paid()), record(edited(current_total=gbp(250)), paid())
        assert [one.key for one in planned(before)] == [one.key for one in planned(later)]
        assert back(later) == [("overcapture-0", 1000)]

    @pytest.mark.parametrize(
        "order",
        [
            record(edited(edited=False), paid()),
            record(edited(), captured(amount=TOTAL - EXCESS)),
            record(edited(), captured(amount=300)),
            record(edited(), paid(), live=False),
            record(edited(), paid(), dispute_observed()),
            record(edited(), paid(), dispute_observed(status="lost")),
            record(edited(transactions=(own_transaction(),))),
        ],
        ids=["not edited", "captured after it", "in part", "not live", "disputed", "lost", "the storefront took it"],
    )
    def test_nothing_goes_back_otherwise(self, order: Order) -> None:
        assert back(order) == []

    def test_it_is_left_to_people_where_they_want_that(self) -> None:
        assert back(record(edited(), paid()), MANUAL) == []

    def test_only_what_is_beyond_the_new_total_of_a_part_that_was_captured_goes_back(self) -> None:
        assert back(record(edited(), captured(amount=900))) == [("overcapture-0", 150)]

    def test_it_is_taken_from_the_payments_one_after_another(self) -> None:
        order = record(edited(), captured(external_id="pi-1", amount=400), captured(external_id="pi-2", amount=850))
        commands = [c for c in planned(order) if isinstance(c, RefundPayment)]
        assert [(c.payment, c.amount.minor) for c in commands] == [("pi-1", 400), ("pi-2", 100)]

    def test_a_gift_card_keeps_what_it_paid(self) -> None:
        card = own_transaction("tx-g", gateway="gift_card", amount=gbp(250))
        assert back(record(edited(transactions=(card,)), captured(amount=1000))) == [("overcapture-0", EXCESS)]

    def test_no_more_goes_back_than_the_processor_has(self) -> None:
        card = own_transaction("tx-g", gateway="gift_card", amount=gbp(950))
        assert back(record(edited(transactions=(card,)), captured(amount=300))) == [("overcapture-0", 300)]

    def test_units_that_came_back_and_were_paid_in_part_are_no_excess(self) -> None:
        """The merchant kept two pounds of what a returned mug had cost."""
        kept = refund("r-1", 300, lines=(("line-1", 1),), restocked=(("line-1", "shed", 1),))
        order = record(edited(refunds=(kept,)), paid(given(0, 300, "r-1")))
        assert back(order) == []

    def test_units_that_are_back_and_not_refunded_yet_are_no_excess(self) -> None:
        order = record(edited(returns=(return_of(1, status="closed"),)), paid())
        assert back(order) == []

    def test_an_edit_that_is_listed_as_a_refund_of_nothing_is_an_edit(self) -> None:
        listed = refund("r-1", 0, lines=(("line-1", 1),), cancelled=(("line-1", 1),))
        assert back(record(edited(refunds=(listed,)), paid())) == [("overcapture-0", EXCESS)]

    def test_a_refund_of_other_units_leaves_the_excess(self) -> None:
        told = refund("r-1", 300, lines=(("line-2", 1),))
        lines = (line(current_quantity=1), line("line-2", quantity=1, current_quantity=0, unit_price=gbp(300)))
        order = record(
            edited(refunds=(told,), lines=lines, total=gbp(TOTAL), current_total=gbp(TOTAL - EXCESS - 300)), paid()
        )
        assert back(order) == [("r-1", 300), ("overcapture-0", EXCESS)]


class TestTakenOffWhileUnpaid:
    """The merchant takes a mug off an order in the seconds between our capture and the storefront's hearing of it."""

    @pytest.mark.parametrize("cancelled", [(), (("line-1", 1),)])
    @pytest.mark.parametrize("paid_at", [after(5), None], ids=["heard of it since", "has not heard of it"])
    def test_what_it_cost_goes_back(self, paid_at: datetime | None, cancelled: Any) -> None:
        assert back(record(taken_off(paid_at, cancelled=cancelled), paid())) == [("overcapture-0", EXCESS)]

    def test_nothing_of_it_is_kept_on_purpose(self) -> None:
        told = taken_off(after(5)).placed
        assert kept(told, told.currency) == gbp(0)

    def test_a_refund_of_no_money_of_a_paid_order_is_left_to_people(self) -> None:
        assert back(record(taken_off(AT), paid())) == []

    def test_a_payment_of_which_the_time_is_not_known_may_have_been_first(self) -> None:
        told = taken_off(None, own_transaction(captured_by=CapturedBy.PROCESSOR, processed_at=None))
        assert back(record(told, paid())) == []

    def test_a_payment_that_failed_was_none(self) -> None:
        failed = own_transaction(status=TransactionStatus.FAILURE, processed_at=AT)
        assert back(record(taken_off(None, failed), paid())) == [("overcapture-0", EXCESS)]

    def test_goods_that_came_back_are_no_excess(self) -> None:
        restocked = (("line-1", "shed", 1),)
        assert back(record(taken_off(after(5), restocked=restocked), paid())) == []

    def test_what_the_storefront_refunds_after_us_is_made_already(self) -> None:
        told = taken_off(after(5))
        later = refund("r-2", EXCESS, created_at=after(9))
        placed = told.placed.model_copy(update={"refunds": (*told.placed.refunds, later)})
        both = told.model_copy(update={"placed": placed})
        assert back(record(both, paid(given(0, EXCESS, "overcapture-0")))) == []


class TestOnce:
    def test_the_storefronts_refund_is_made_and_nothing_beside_it(self) -> None:
        assert back(record(edited(refunds=(refund("r-1", EXCESS),)), paid())) == [("r-1", EXCESS)]

    def test_a_storefront_that_refunds_a_part_leaves_the_rest_to_us(self) -> None:
        order = record(edited(refunds=(refund("r-1", 200),)), paid())
        assert back(order) == [("r-1", 200), ("overcapture-0", 300)]

    def test_a_refund_that_the_storefront_tells_after_ours_is_made_already(self) -> None:
        order = record(edited(refunds=(refund("r-1", EXCESS),)), paid(given(0, EXCESS, "overcapture-0")))
        assert back(order) == []
        assert order.is_paid

    def test_what_goes_beyond_it_is_made(self) -> None:
        told = (refund("r-1", EXCESS), refund("r-2", 100, created_at=after(9)))
        assert back(record(edited(refunds=told), paid(given(0, EXCESS, "overcapture-0")))) == [("r-2", 100)]

    def test_a_refund_that_was_made_in_part_is_not_made_again(self) -> None:
        told = (refund("r-1", 700),)
        order = record(edited(refunds=told), paid(given(0, EXCESS, "overcapture-0")))
        assert back(order) == [("r-1", 200)]
        order = record(edited(refunds=told), paid(given(0, EXCESS, "overcapture-0"), given(1, 200, "r-1")))
        assert back(order) == []

    def test_what_a_person_gave_back_at_the_processor_is_not_given_back_again(self) -> None:
        assert back(record(edited(), paid(given(0, EXCESS)))) == []
        assert back(record(edited(refunds=(refund("r-1", EXCESS),)), paid(given(0, EXCESS)))) == []

    def test_a_refund_by_hand_counts_against_nothing_where_no_edit_was(self) -> None:
        order = record(order_observed(refunds=(refund(),), fully_paid=True, fulfillment_orders=()), paid(given(0, 100)))
        assert back(order) == [("r-1", 300)]

    def test_a_refund_that_the_record_shows_to_be_made_is_not_asked_for(self) -> None:
        told = order_observed(refunds=(refund(),), fully_paid=True, fulfillment_orders=())
        assert back(record(told, paid(given(0, 300, "r-1")))) == []

    def test_all_that_is_left_goes_back_when_it_is_cancelled(self) -> None:
        gone = {"cancelled_at": AT, "current_total": gbp(0), "lines": (line(current_quantity=0),)}
        ours = paid(given(0, EXCESS, "overcapture-0"))
        assert back(record(edited(**gone), ours)) == [("cancellation", 750)]
        assert back(record(edited(refunds=(refund("r-1", TOTAL),), **gone), ours)) == [("r-1", 750)]
        known = record(edited(refunds=(refund("r-1", 750),), **gone), ours)
        assert sum(amount for _, amount in back(known)) == 750

    def test_an_excess_is_still_found_when_the_processors_refunds_were_recorded_without_their_reasons(self) -> None:
        old = [refund(f"re-{n}", 300, connection=PROCESSOR) for n in (0, 1)]
        told = (refund("r-1", 300), refund("r-2", 300, created_at=after(5)))
        order = record(order_observed(refunds=told, fully_paid=True, fulfillment_orders=()), paid(*old))
        assert back(order) == [("r-1", 300), ("r-2", 300)]  # under the keys of then, which are done


class TestCurrencies:
    @pytest.mark.parametrize(("shown", "code"), [((2480, 1488), "JPY"), ((12500, 7500), "KWD"), ((1638, 983), "USD")])
    def test_the_excess_is_in_the_currency_that_was_taken(self, shown: tuple[int, int], code: str) -> None:
        total, current = (Money(minor=minor, currency=code) for minor in shown)
        nothing = Money.zero(code)
        order = record(
            edited(presentment_total=total, presentment_current_total=current),
            captured(authorized=total, captured=total, refunded=nothing),
        )
        assert [c.amount for c in planned(order) if isinstance(c, RefundPayment)] == [total - current]

    def test_a_refund_that_the_storefront_rounds_otherwise_leaves_no_penny(self) -> None:
        """The storefront has given all back in its own money: what is left in the other is the rate's."""
        total, current = Money(minor=2480, currency="JPY"), Money(minor=1488, currency="JPY")
        told = refund("r-1", EXCESS, presentment=Money(minor=991, currency="JPY"))
        order = record(
            edited(presentment_total=total, presentment_current_total=current, refunds=(told,)),
            captured(authorized=total, captured=total, refunded=Money.zero("JPY")),
        )
        assert back(order) == [("r-1", 991)]
        balance = order.balance()
        assert balance is not None
        assert balance.due == balance.taken == total

    def test_payments_in_two_currencies_are_left_to_people(self) -> None:
        yen = Money(minor=1000, currency="JPY")
        order = record(
            edited(presentment_total=Money(minor=2480, currency="JPY")),
            captured(external_id="pi-1"),
            captured(external_id="pi-2", authorized=yen, captured=yen, refunded=Money.zero("JPY")),
        )
        assert back(order) == []


def test_no_more_is_asked_back_than_a_payment_has_left() -> None:
    """Half was given back at the processor by hand, and then the storefront refunds more than the other half."""
    told, by_hand = refund("r-1", 1000), given(1, 600)
    order = record(order_observed(fully_paid=True, fulfillment_orders=(), refunds=(told,)), paid(by_hand))
    assert back(order) == [("r-1", TOTAL - 600)]
    served = record(
        order_observed(fully_paid=True, fulfillment_orders=(), refunds=(told,)),
        paid(by_hand, given(2, TOTAL - 600, "r-1")),
    )
    assert back(served) == []


def test_a_payment_that_was_not_captured_gives_nothing_back() -> None:
    (payment,) = record(edited(), captured(amount=0)).payments
    assert isinstance(payment, Payment)
    assert back(record(edited(), captured(amount=0))) == []


def test_the_storefronts_own_part_of_a_refund_is_not_asked_for_again() -> None:
    card = own_transaction("tx-g", gateway="gift_card", amount=gbp(250))
    on_card = own_transaction("tx-r", kind=TransactionKind.REFUND, gateway="gift_card", amount=gbp(200))
    told = refund("r-1", EXCESS, transactions=("tx-r", "tx-s"))
    order = record(edited(transactions=(card, on_card), refunds=(told,)), captured(amount=1000))
    assert back(order) == [("r-1", 300)]


@pytest.mark.parametrize(("code", "shown"), [("JPY", (2481, 1489)), ("EUR", (1463, 877)), ("KWD", (4877, 2926))])
def test_in_the_shops_money_an_order_of_which_the_excess_is_back_agrees_to_the_penny(
    code: str, shown: tuple[int, int]
) -> None:
    total, current = (Money(minor=minor, currency=code) for minor in shown)
    order = record(
        edited(presentment_total=total, presentment_current_total=current),
        captured(authorized=total, captured=total, refunded=total - current),
    )
    balance = order.shop_balance()
    assert balance is not None
    assert (balance.taken, balance.given_back, balance.due) == (gbp(TOTAL), gbp(EXCESS), gbp(TOTAL - EXCESS))


def kept_of(**changes: Any) -> int:
    told = order_observed(**changes).placed
    return kept(told, told.currency).minor


class TestKept:
    """What a merchant decided not to give back of what a refund took off."""

    def test_a_restocking_fee_is_kept(self) -> None:
        fewer = {"current_total": gbp(TOTAL - EXCESS), "lines": (line(current_quantity=1),)}
        assert kept_of(**fewer, refunds=(refund(amount=300, lines=(("line-1", 1),)),)) == 200

    def test_nothing_is_kept_of_what_was_refunded_in_full(self) -> None:
        fewer = {"current_total": gbp(TOTAL - EXCESS), "lines": (line(current_quantity=1),)}
        assert kept_of(**fewer, refunds=(refund(amount=EXCESS, lines=(("line-1", 1),)),)) == 0

    def test_tax_on_a_refunded_charge_may_be_kept(self) -> None:
        assert kept_of(current_total=gbp(TOTAL - 300), refunds=(refund(amount=250),)) == 50

    def test_units_that_were_taken_off_without_a_refund_are_owed(self) -> None:
        fewer = {"current_total": gbp(TOTAL - EXCESS), "lines": (line(current_quantity=1),)}
        assert kept_of(**fewer) == 0
        free = refund("r-0", amount=0, lines=(("line-1", 1),))
        assert kept_of(**fewer, refunds=(free, refund(amount=100))) == 0

    def test_what_an_edit_took_off_is_owed(self) -> None:
        fewer = {"current_total": gbp(TOTAL - EXCESS), "lines": (line(current_quantity=1),), "edited": True}
        assert kept_of(**fewer, refunds=(refund(amount=100),)) == 0

    def test_a_fee_is_kept_beside_what_an_edit_took_off(self) -> None:
        none_left = {"current_total": gbp(250), "lines": (line(current_quantity=0),), "edited": True}
        assert kept_of(**none_left, refunds=(refund(amount=300, lines=(("line-1", 1),)),)) == 200

    def test_it_is_told_in_the_customers_currency_too(self) -> None:
        told = order_observed(
            current_total=gbp(TOTAL - EXCESS),
            presentment_total=jpy(2500),
            presentment_current_total=jpy(1500),
            lines=(line(current_quantity=1),),
            refunds=(refund(amount=300, presentment=jpy(600), lines=(("line-1", 1),)),),
        ).placed
        assert kept(told, "JPY") == jpy(400)


def jpy(minor: int) -> Money:
    return Money(minor=minor, currency="JPY")
