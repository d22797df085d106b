"""The frames that are validated, made from a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.frames import read_frames
from tests.flows.books_frames import ROWS
from tests.unit.sync.books_fakes import (
    AT,
    STORE,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    record,
    settled_order,
)
from tradewind.domain.catalogue import CatalogueItem, StockLevel
from tradewind.domain.money import Money
from tradewind.domain.order import Refund
from tradewind.domain.reducer import new_order
from tradewind.ledger import catalogue, discrepancies
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    level = StockLevel(location="shed", location_name="Shed", on_hand=10, available=10)
    mug = CatalogueItem(
        connection=STORE, external_id="v-1", inventory_item_id="i-1", sku="MUG", title="Mug", price=gbp(500),
        updated_at=AT, levels=(level,),
    )  # fmt: skip
    with opened.write() as database:
        catalogue.upsert_items(database, [mug])
    yield opened
    opened.close()


def settled(number: int = 1, **changes: Any) -> Any:
    return settled_order(order_observed(number, **changes), payment_observed(number), label_observed(number))


def row_of(frame: pd.DataFrame) -> dict[str, Any]:
    (row,) = frame.to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_the_frames_have_the_columns_that_the_suites_read(ledger: Ledger) -> None:
    record(ledger, settled())
    for suite, frame in read_frames(ledger).items():
        assert list(frame.columns) == list(ROWS[suite]), suite


def test_a_settled_order_adds_up(ledger: Ledger) -> None:
    record(ledger, settled())
    order = row_of(read_frames(ledger)["orders"])
    assert order["row"] == "#1 (shopify:north)"
    assert (order["total"], order["parts_total"], order["captured"]) == (1250, 1250, 1250)
    assert (order["subtotal"], order["lines_total"]) == (1000, 1000)
    assert (order["shipped"], order["live_labels"], order["labels_of_one_parcel"], order["unknown_skus"]) == (
        True, 1, 1, 0
    )  # fmt: skip


def test_tax_counts_only_where_prices_do_not_include_it(ledger: Ledger) -> None:
    record(ledger, settled(1, tax=gbp(208)), settled(2, tax=gbp(208), taxes_included=False, total=gbp(1458)))
    orders = read_frames(ledger)["orders"]
    assert list(orders["parts_total"]) == [1250, 1458]


@pytest.mark.parametrize(("given_back", "captured"), [(0, 1250), (200, 1050), (300, 950), (400, 950)])
def test_what_was_captured_too_much_and_is_back_is_not_captured(ledger: Ledger, given_back: int, captured: int) -> None:
    changed = order_observed(current_total=gbp(950), presentment_current_total=gbp(950), edited=True)
    record(ledger, settled_order(changed, payment_observed(refunded=gbp(given_back)), label_observed()))
    order = row_of(read_frames(ledger)["orders"])
    assert (order["due"], order["captured"]) == (950, captured)


def test_what_the_store_refunded_was_captured(ledger: Ledger) -> None:
    refund = Refund(connection=STORE, external_id="r-1", amount=gbp(300), created_at=AT)
    changed = order_observed(current_total=gbp(950), presentment_current_total=gbp(950), edited=True, refunds=(refund,))
    record(ledger, settled_order(changed, payment_observed(refunded=gbp(300)), label_observed()))
    order = row_of(read_frames(ledger)["orders"])
    assert (order["due"], order["captured"]) == (1250, 1250)


def test_two_live_labels_of_a_parcel_are_counted(ledger: Ledger) -> None:
    record(
        ledger,
        settled_order(order_observed(), label_observed(1), label_observed(2, fulfillment_order_id="fo-1")),
    )
    order = row_of(read_frames(ledger)["orders"])
    assert (order["live_labels"], order["labels_of_one_parcel"]) == (2, 2)


def test_an_unknown_sku_is_counted(ledger: Ledger) -> None:
    line = order_observed().placed.lines[0].model_copy(update={"sku": "GHOST"})
    record(ledger, settled(1, lines=(line,)))
    assert row_of(read_frames(ledger)["orders"])["unknown_skus"] == 1


def test_test_orders_and_orders_known_only_by_name_are_left_out(ledger: Ledger) -> None:
    record(ledger, settled(1, test=True), new_order(STORE, "order-2"))
    frames = read_frames(ledger)
    assert frames["orders"].empty


def test_a_payment_is_shown_with_its_order(ledger: Ledger) -> None:
    record(ledger, settled())
    payment = row_of(read_frames(ledger)["payments"])
    assert (payment["row"], payment["order_currency"], payment["refunded"]) == ("pi-1 of #1", "GBP", 0)


@pytest.mark.parametrize(("paid_in", "stated"), [("GBP", "GBP"), ("EUR", "EUR"), ("USD", "GBP")])
def test_a_payment_may_be_in_either_currency_of_its_order(ledger: Ledger, paid_in: str, stated: str) -> None:
    amounts = {name: Money(minor=1250, currency=paid_in) for name in ("authorized", "captured")}
    paid = payment_observed(1, refunded=Money(minor=0, currency=paid_in), **amounts)
    record(ledger, settled_order(order_observed(1, presentment_total=Money(minor=1500, currency="EUR")), paid))
    assert row_of(read_frames(ledger)["payments"])["order_currency"] == stated


def test_stock_is_shown_with_the_name_of_its_place(ledger: Ledger) -> None:
    record(ledger, settled())
    stock = row_of(read_frames(ledger)["stock"])
    assert (stock["row"], stock["on_hand"], stock["in_catalogue"]) == ("MUG at Shed", -2, True)


@pytest.mark.parametrize(
    ("changes", "limited"),
    [({}, True), ({"backorders": True}, False), ({"levels": ()}, False)],
    ids=["counted", "backorders allowed", "not counted yet"],
)
def test_only_what_was_counted_and_is_not_backordered_is_limited(
    ledger: Ledger, changes: dict[str, Any], limited: bool
) -> None:
    with ledger.write() as database:
        (mug,) = catalogue.items(database)
        catalogue.upsert_items(database, [mug.model_copy(update=changes)])
    record(ledger, settled())
    assert row_of(read_frames(ledger)["stock"])["limited"] is limited


def found(kind: str) -> discrepancies.Discrepancy:
    return discrepancies.Discrepancy(
        kind=kind, subject=f"{STORE}/order-1", expected="0.00 GBP", found="3.00 GBP", currency="GBP", amount=300,
        detail="#1: They do not agree.",
    )  # fmt: skip


def test_open_discrepancies_are_rows_of_the_books(ledger: Ledger) -> None:
    with ledger.write() as database:
        discrepancies.record(database, "night-1", [found("refund_mismatch")])
    books = row_of(read_frames(ledger)["books"])
    assert (books["kind"], books["row"]) == ("refund_mismatch", "#1: expected 0.00 GBP, found 3.00 GBP")


def test_what_is_being_repaired_is_not_yet_a_fault_and_is_one_when_found_again(ledger: Ledger) -> None:
    with ledger.write() as database:
        discrepancies.record(database, "night-1", [found("missing_order")])
    assert read_frames(ledger)["books"].empty
    with ledger.write() as database:
        discrepancies.record(database, "night-2", [found("missing_order")])
    assert row_of(read_frames(ledger)["books"])["kind"] == "missing_order"
