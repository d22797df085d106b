"""Matching: the sides agree, or every difference has a name."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.domain import frames
from tradewind.domain.discrepancies import EXPLANATIONS, Discrepancy, DiscrepancyKind
from tradewind.domain.frames import Schema, Sides, frame
from tradewind.domain.matching import match
from tradewind.domain.money import Money

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SETTLED = AT + timedelta(hours=1)
ID = "shopify:north/gid://shopify/Order/1"
FO = "gid://shopify/FulfillmentOrder/1"

ORDER = {
    "order_id": ID,
    "connection": "shopify:north",
    "name": "#1",
    "currency": "GBP",
    "total": 1250,
    "captured_by_store": 0,
    "refunded": 0,
    "cancelled": False,
    "paid": True,
    "on_hold": False,
    "live": True,
    "placed_at": AT,
    "updated_at": AT,
}
RECORDED_ORDER = {"order_id": ID, "name": "#1", "currency": "GBP", "total": 1250, "cancelled": False, "updated_at": AT}
PAYMENT = {
    "connection": "stripe:main",
    "payment": "pi_1",
    "payment_id": "pay-1",
    "state": "captured",
    "currency": "GBP",
    "authorized": 1250,
    "captured": 1250,
    "refunded": 0,
    "created_at": AT,
}
LABEL = {
    "connection": "shipstation:main",
    "label": "se-1",
    "shipment": "tw-1",
    "fulfillment_order": FO,
    "state": "purchased",
    "tracking_number": "T1",
    "created_at": AT,
}
DOCUMENT = {
    "connection": "backoffice:main",
    "document": "C1",
    "kind": "credit",
    "currency": "GBP",
    "total": -500,
    "business_day": "2026-11-01",
}
WORK = {"order_id": ID, "fulfillment_order": FO, "ready": False, "remaining": 0, "told": True}
OPEN_WORK = dict(WORK, ready=True, remaining=2, told=False)


def table(schema: Schema, *rows: dict[str, Any]) -> pd.DataFrame:
    return frame([tuple(row[name] for name in schema) for row in rows], schema)


def order_row(**changes: Any) -> dict[str, Any]:
    """An order of which all is due, in one currency, unless changed."""
    row = ORDER | changes
    row = {"due": row["total"], "presentment_currency": row["currency"]} | row
    amounts = {f"presentment_{name}": row[name] for name in ("due", "captured_by_store", "refunded")}
    return amounts | row


def orders(**changes: Any) -> pd.DataFrame:
    return table(frames.STORE_ORDERS, order_row(**changes))


def recorded_orders(**changes: Any) -> pd.DataFrame:
    return table(frames.RECORDED_ORDERS, RECORDED_ORDER | changes)


def payments(**changes: Any) -> pd.DataFrame:
    return table(frames.PAYMENTS, PAYMENT | changes)


def recorded_payments(**changes: Any) -> pd.DataFrame:
    return table(frames.RECORDED_PAYMENTS, PAYMENT | {"order_id": ID} | changes)


def labels(*changes: dict[str, Any]) -> pd.DataFrame:
    return table(frames.LABELS, *(LABEL | change for change in changes or ({},)))


def recorded_labels(*changes: dict[str, Any]) -> pd.DataFrame:
    return table(frames.RECORDED_LABELS, *(LABEL | {"order_id": ID} | change for change in changes or ({},)))


def work(**changes: Any) -> pd.DataFrame:
    return table(frames.WORK, WORK | changes)


def documents(**changes: Any) -> pd.DataFrame:
    return table(frames.DOCUMENTS, DOCUMENT | changes)


NOTHING = {
    "orders": table(frames.STORE_ORDERS),
    "payment_owners": table(frames.PAYMENT_OWNERS),
    "work": table(frames.WORK),
    "payments": table(frames.PAYMENTS),
    "labels": table(frames.LABELS),
    "documents": table(frames.DOCUMENTS),
    "recorded_orders": table(frames.RECORDED_ORDERS),
    "recorded_payments": table(frames.RECORDED_PAYMENTS),
    "recorded_labels": table(frames.RECORDED_LABELS),
    "recorded_documents": table(frames.DOCUMENTS),
}

AGREED = Sides(
    settled_before=SETTLED,
    orders=orders(), payment_owners=table(frames.PAYMENT_OWNERS, {"order_id": ID, "payment_id": "pay-1"}), work=work(),
    payments=payments(), labels=labels(), documents=documents(), recorded_orders=recorded_orders(),
    recorded_payments=recorded_payments(), recorded_labels=recorded_labels(), recorded_documents=documents(),
)  # fmt: skip


def found(**sides: pd.DataFrame | datetime) -> dict[str, Discrepancy]:
    """What is found when these sides are otherwise than the agreed books."""
    return {d.kind.value: d for d in match(dataclasses.replace(AGREED, **sides))}  # type: ignore[arg-type]


def none(side: str) -> pd.DataFrame:
    return NOTHING[side]


def test_agreed_books_have_no_discrepancy() -> None:
    assert match(AGREED) == ()


def test_empty_books_have_no_discrepancy() -> None:
    assert match(Sides(settled_before=SETTLED, **NOTHING)) == ()


CASES: dict[str, dict[str, Any]] = {
    "missing_order": {"recorded_orders": none("recorded_orders")},
    "stale_order": {"recorded_orders": recorded_orders(updated_at=AT - timedelta(seconds=1))},
    "amount_mismatch": {"payments": payments(captured=1240), "recorded_payments": recorded_payments(captured=1240)},
    "missing_payment": {"payments": none("payments"), "recorded_payments": none("recorded_payments")},
    "unrecorded_payment": {"recorded_payments": none("recorded_payments")},
    "stale_payment": {"recorded_payments": recorded_payments(state="authorized", captured=0)},
    "uncaptured": {
        "payments": payments(state="authorized", captured=0),
        "recorded_payments": recorded_payments(state="authorized", captured=0),
    },
    "refund_mismatch": {"payments": payments(refunded=300), "recorded_payments": recorded_payments(refunded=300)},
    "missing_label": {"labels": none("labels"), "recorded_labels": none("recorded_labels")},
    "unrecorded_label": {"recorded_labels": none("recorded_labels")},
    "stale_label": {"recorded_labels": recorded_labels({"state": "voided"})},
    "duplicate_label": {
        "labels": labels({}, {"label": "se-2"}),
        "recorded_labels": recorded_labels({}, {"label": "se-2"}),
    },
    "unshipped": {
        "work": table(frames.WORK, OPEN_WORK),
        "labels": none("labels"),
        "recorded_labels": none("recorded_labels"),
    },
    "unfulfilled": {"work": table(frames.WORK, OPEN_WORK)},
    "journal_missing": {"recorded_documents": none("recorded_documents")},
    "journal_mismatch": {"recorded_documents": documents(total=-501)},
    "journal_unknown": {"documents": none("documents")},
}


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


CANCELLED = {
    "orders": orders(cancelled=True, refunded=1250),
    "recorded_orders": recorded_orders(cancelled=True),
    "work": work(told=False),
}
REFUNDED = {"payments": payments(refunded=1250), "recorded_payments": recorded_payments(refunded=1250)}


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


IDS = ("order_id", "payment", "payment_id", "label", "fulfillment_order", "document")
FRAMES = [side.name for side in dataclasses.fields(Sides) if side.name != "settled_before"]


def numbered(sides: Sides, number: int) -> Sides:
    """The same books of another order."""
    frames_of = {name: getattr(sides, name) for name in FRAMES}
    own = {
        name: table.assign(**{column: table[column] + f"-{number}" for column in IDS if column in table})
        for name, table in frames_of.items()
    }
    return dataclasses.replace(sides, **own)


@given(st.lists(st.sampled_from([None, *CASES]), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_each_order_has_its_own_discrepancies_in_whatever_order_rows_come(faults: list[str | None], seed: int) -> None:
    each = [
        numbered(dataclasses.replace(AGREED, **(CASES[fault] if fault else {})), number)
        for number, fault in enumerate(faults)
    ]
    together = {
        name: pd.concat([getattr(one, name) for one in each]).sample(frac=1, random_state=seed) for name in FRAMES
    }
    found_together = match(Sides(settled_before=SETTLED, **together))
    assert sorted(one.kind.value for one in found_together) == sorted(fault for fault in faults if fault)


def many(schema: Schema, row: dict[str, Any], numbers: pd.Series) -> pd.DataFrame:
    """The row once per number, with every id made its own."""
    ids = {"order_id": ID, "payment": "pi_", "payment_id": "pay-", "label": "se-", "fulfillment_order": FO}
    return pd.DataFrame(
        {
            name: (ids[name] + numbers if name in ids else pd.Series([row[name]] * len(numbers))).astype(kind)
            for name, kind in schema.items()
        }
    )


@pytest.mark.parametrize("size", [100_000])
def test_large_books_match_in_linear_time(size: int) -> None:
    numbers = pd.Series(np.arange(size)).astype("str")
    recorded = {"order_id": ID}
    started = time.process_time()
    sides = Sides(
        settled_before=SETTLED,
        orders=many(frames.STORE_ORDERS, order_row(), numbers),
        payment_owners=many(frames.PAYMENT_OWNERS, ORDER, numbers),
        work=many(frames.WORK, WORK, numbers),
        payments=many(frames.PAYMENTS, PAYMENT, numbers),
        labels=many(frames.LABELS, LABEL, numbers),
        documents=none("documents"),
        recorded_orders=many(frames.RECORDED_ORDERS, RECORDED_ORDER, numbers).iloc[1:],
        recorded_payments=many(frames.RECORDED_PAYMENTS, PAYMENT | recorded, numbers),
        recorded_labels=many(frames.RECORDED_LABELS, LABEL | recorded, numbers),
        recorded_documents=none("recorded_documents"),
    )
    built = time.process_time()
    assert [d.kind.value for d in match(sides)] == ["missing_order"]
    assert time.process_time() - built < 5, f"built in {built - started:.1f} s"
