"""Matching: the sides agree, or every difference has a name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.domain.books import (
    AGREED,
    AT,
    CANCELLED,
    CASES,
    ID,
    NOTHING,
    PAYMENT,
    REFUNDED,
    SETTLED,
    found,
    labels,
    none,
    orders,
    payments,
    recorded_labels,
    recorded_orders,
    recorded_payments,
    table,
    work,
)
from tradewind.domain import frames
from tradewind.domain.discrepancies import EXPLANATIONS, DiscrepancyKind
from tradewind.domain.frames import Sides
from tradewind.domain.matching import match
from tradewind.domain.money import Money


def test_agreed_books_have_no_discrepancy() -> None:
    assert match(AGREED) == ()


def test_empty_books_have_no_discrepancy() -> None:
    assert match(Sides(settled_before=SETTLED, **NOTHING)) == ()


@pytest.mark.parametrize("kind", CASES)
def test_each_fault_has_its_own_name_and_no_other(kind: str) -> None:
    assert list(found(**CASES[kind])) == [kind]


def test_money_without_an_order_is_stray() -> None:
    stray = table(frames.PAYMENTS, PAYMENT, PAYMENT | {"payment": "pi_2", "payment_id": None})
    (only,) = found(payments=stray).values()
    assert (only.kind, only.subject) == (DiscrepancyKind.STRAY_PAYMENT, "stripe:main/payment/pi_2")
    assert only.found == "captured, captured 12.50 GBP, refunded 0.00 GBP"


def test_a_label_without_an_order_is_stray() -> None:
    (only,) = found(labels=labels({}, {"label": "se-9", "fulfillment_order": "elsewhere"})).values()
    assert (only.kind, only.subject) == (DiscrepancyKind.STRAY_LABEL, "shipstation:main/label/se-9")


def test_every_kind_is_explained() -> None:
    assert set(EXPLANATIONS) == set(DiscrepancyKind)


def test_a_cancelled_order_with_its_money_back_and_its_label_void_is_settled() -> None:
    void = {"state": "voided"}
    assert found(**CANCELLED, **REFUNDED, labels=labels(void), recorded_labels=recorded_labels(void)) == {}


def test_a_live_label_of_a_cancelled_order_is_found() -> None:
    assert list(found(**CANCELLED, **REFUNDED)) == ["label_after_cancel"]


def test_a_live_label_is_found_when_only_the_ledger_remembers_the_cancelled_order() -> None:
    remembered = found(
        orders=none("orders"), recorded_orders=recorded_orders(cancelled=True), work=work(told=False), **REFUNDED
    )
    assert list(remembered) == ["label_after_cancel"]


def test_a_label_whose_parcel_had_left_before_the_cancellation_is_not_to_be_voided() -> None:
    assert found(**(CANCELLED | {"work": work(told=True)}), **REFUNDED) == {}


DOLLARS = {"presentment_currency": "USD", "presentment_due": 1600}


def test_an_order_that_was_paid_in_the_customers_currency_is_compared_in_it() -> None:
    paid = {"currency": "USD", "authorized": 1600, "captured": 1600}
    agreed = {"payments": payments(**paid), "recorded_payments": recorded_payments(**paid)}
    assert found(orders=orders(**DOLLARS), **agreed) == {}
    short = paid | {"captured": 1500}
    wrong = found(orders=orders(**DOLLARS), payments=payments(**short), recorded_payments=recorded_payments(**short))[
        "amount_mismatch"
    ]
    assert (wrong.expected, wrong.found, wrong.difference) == (
        "16.00 USD",
        "15.00 USD",
        Money(minor=-100, currency="USD"),
    )


def test_a_refund_in_the_customers_currency_is_compared_in_it() -> None:
    paid = {"currency": "USD", "authorized": 1600, "captured": 1600, "refunded": 400}
    agreed = {"payments": payments(**paid), "recorded_payments": recorded_payments(**paid)}
    store = orders(**DOLLARS, refunded=300, presentment_refunded=400)
    assert found(orders=store, **agreed) == {}
    assert list(found(orders=orders(**DOLLARS, refunded=400, presentment_refunded=500), **agreed)) == [
        "refund_mismatch"
    ]


def test_money_in_a_currency_that_the_order_does_not_state_is_left_to_its_listing() -> None:
    paid = {"currency": "EUR", "authorized": 1500, "captured": 1500}
    assert found(payments=payments(**paid), recorded_payments=recorded_payments(**paid)) == {}


def test_what_an_edit_took_off_was_never_due() -> None:
    paid = {"authorized": 1250, "captured": 1000}
    agreed = {"payments": payments(**paid), "recorded_payments": recorded_payments(**paid)}
    assert found(orders=orders(due=1000), **agreed) == {}


def test_held_money_of_a_cancelled_order_is_found() -> None:
    held = {"state": "authorized", "captured": 0}
    void = {"labels": labels({"state": "voided"}), "recorded_labels": recorded_labels({"state": "voided"})}
    kinds = found(**CANCELLED, **void, payments=payments(**held), recorded_payments=recorded_payments(**held))
    assert list(kinds) == ["unreleased"]


def test_money_kept_for_a_cancelled_order_is_found() -> None:
    void = {"labels": labels({"state": "voided"}), "recorded_labels": recorded_labels({"state": "voided"})}
    mismatch = found(**CANCELLED, **void)["refund_mismatch"]
    assert mismatch.difference == Money(minor=-1250, currency="GBP")


def test_a_mismatch_tells_both_amounts_and_the_order() -> None:
    mismatch = found(**CASES["refund_mismatch"])["refund_mismatch"]
    assert (mismatch.order_id, mismatch.name) == (ID, "#1")
    assert (mismatch.expected, mismatch.found) == ("0.00 GBP", "3.00 GBP")
    assert mismatch.difference == Money(minor=300, currency="GBP")


def test_a_silent_refund_is_both_news_to_the_ledger_and_a_mismatch() -> None:
    assert sorted(found(payments=payments(refunded=300))) == ["refund_mismatch", "stale_payment"]


def test_a_discrepancy_of_a_payment_names_its_order() -> None:
    stale = found(**CASES["stale_payment"])["stale_payment"]
    assert (stale.order_id, stale.name) == (ID, "#1")


def test_money_that_the_storefront_took_is_not_looked_for_at_the_processor() -> None:
    at_store = {
        "orders": orders(captured_by_store=1250), "payment_owners": none("payment_owners"),
        "payments": none("payments"), "recorded_payments": none("recorded_payments"),
    }  # fmt: skip
    assert found(**at_store) == {}


def test_what_is_younger_than_the_settling_time_is_no_discrepancy_yet() -> None:
    for kind, sides in CASES.items():
        if not kind.startswith(("journal", "stale_payment", "stale_label", "duplicate_label")):
            assert found(**sides, settled_before=AT - timedelta(seconds=1)) == {}, kind


def test_a_ledger_that_is_ahead_of_the_listing_is_no_discrepancy() -> None:
    cancelled = recorded_orders(updated_at=AT + timedelta(seconds=1), cancelled=True)
    assert found(recorded_orders=cancelled, work=work(told=False)) != {}
    ahead = recorded_orders(updated_at=AT + timedelta(seconds=1), total=99)
    assert "stale_order" not in found(recorded_orders=ahead)


def test_orders_from_before_going_live_are_not_expected_to_ship() -> None:
    assert found(**CASES["unshipped"], orders=orders(live=False)) == {}


def test_unpaid_and_held_orders_are_not_expected_to_ship() -> None:
    assert found(**CASES["unshipped"], orders=orders(on_hold=True)) == {}
    unpaid = {"state": "authorized", "captured": 0}
    money = {"payments": payments(**unpaid), "recorded_payments": recorded_payments(**unpaid)}
    assert list(found(**CASES["unshipped"], **money, orders=orders(paid=False))) == ["uncaptured"]


def test_an_order_that_is_paid_at_the_processor_ships_even_if_its_store_was_not_told() -> None:
    assert list(found(**CASES["unshipped"], orders=orders(paid=False))) == ["unshipped"]


def test_payments_without_a_payment_id_are_not_matched_with_each_other() -> None:
    owners = table(frames.PAYMENT_OWNERS, {"order_id": ID, "payment_id": None}, {"order_id": ID, "payment_id": "pay-1"})
    stray = table(frames.PAYMENTS, PAYMENT, PAYMENT | {"payment": "pi_2", "payment_id": None})
    assert list(found(payments=stray, payment_owners=owners)) == ["stray_payment"]


def edited(**changes: Any) -> Any:
    """Three pounds were taken off after the capture, and the store has refunded nothing."""
    return orders(**{"due": 950, "presentment_due": 950} | changes)


def test_what_was_captured_too_much_is_told_until_it_is_back() -> None:
    mismatch = found(orders=edited())["amount_mismatch"]
    assert (mismatch.expected, mismatch.found) == ("9.50 GBP", "12.50 GBP")
    assert found(orders=edited(), **_returned(300)) == {}


def test_a_part_of_it_that_is_back_leaves_the_rest() -> None:
    mismatch = found(orders=edited(), **_returned(100))["amount_mismatch"]
    assert (mismatch.expected, mismatch.found) == ("9.50 GBP", "11.50 GBP")


def test_what_goes_back_beyond_it_is_a_refund_that_nobody_told() -> None:
    mismatch = found(orders=edited(), **_returned(400))
    assert list(mismatch) == ["refund_mismatch"]
    assert (mismatch["refund_mismatch"].expected, mismatch["refund_mismatch"].found) == ("0.00 GBP", "1.00 GBP")


def test_once_the_store_has_refunded_it_too_the_books_agree() -> None:
    refunded = orders(refunded=300, presentment_refunded=300)
    assert found(orders=refunded, **_returned(300)) == {}


def restocked(**changes: Any) -> Any:
    """A mug of 5.00 came back, and 3.00 went back for it."""
    return orders(**{"due": 1050, "kept": 200, "refunded": 300, "presentment_due": 1050} | changes)


def test_what_a_merchant_keeps_of_a_refund_is_no_mismatch() -> None:
    assert found(orders=restocked(), **_returned(300)) == {}


def test_money_beyond_what_a_merchant_keeps_is_a_mismatch() -> None:
    mismatch = found(orders=restocked(due=1040, presentment_due=1040), **_returned(300))["amount_mismatch"]
    assert (mismatch.expected, mismatch.found) == ("12.40 GBP", "12.50 GBP")


def test_less_money_than_is_due_is_a_mismatch_whatever_is_kept() -> None:
    short = {"captured": 1040, "refunded": 300}
    books = {"payments": payments(**short), "recorded_payments": recorded_payments(**short)}
    mismatch = found(orders=restocked(), **books)["amount_mismatch"]
    assert (mismatch.expected, mismatch.found) == ("10.50 GBP", "10.40 GBP")


def test_a_kept_fee_that_goes_back_after_all_is_a_refund_that_nobody_told() -> None:
    assert list(found(orders=restocked(), **_returned(500))) == ["refund_mismatch"]


def test_a_refund_that_nobody_told_is_found_on_an_order_that_was_paid_partly_by_gift_card() -> None:
    rest = {"authorized": 850, "captured": 850, "refunded": 425}
    books = {"payments": payments(**rest), "recorded_payments": recorded_payments(**rest)}
    mismatch = found(orders=orders(captured_by_store=400), **books)
    assert list(mismatch) == ["refund_mismatch"]
    assert mismatch["refund_mismatch"].difference == Money(minor=425, currency="GBP")


def _returned(amount: int) -> dict[str, Any]:
    row = {"refunded": amount}
    return {"payments": payments(**row), "recorded_payments": recorded_payments(**row)}
