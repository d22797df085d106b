"""Invoices of the Online Retail data set, sorted into what a store carries and what the books record."""

import csv
import gzip
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from tests.contracts import data_dir
from tests.unit.sandbox.replay_files import uci_row, write_uci
from tradewind.sandbox.replay import Classified, InvoiceClass, ReplayReport, read_history
from tradewind.sandbox.replay.invoice import Refusal
from tradewind.sandbox.replay.orders import goods_sold, order_lines

WEEK = "online-retail/2011-11-14_20.csv.gz"


def classify(folder: Path, *rows: tuple[str, ...]) -> dict[str, Classified]:
    history = read_history(write_uci(folder, rows))
    return {found.entry.number: found for found in history.entries}


def kind_of(folder: Path, *rows: tuple[str, ...]) -> InvoiceClass:
    """The class of the last invoice."""
    return list(classify(folder, *rows).values())[-1].kind


def reason_of(folder: Path, *rows: tuple[str, ...]) -> str:
    (found,) = classify(folder, *rows).values()
    assert isinstance(found.entry, Refusal)
    return found.entry.reason


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([uci_row("1")], "sale"),
        ([uci_row("1", "M", 1, "5.00")], "sale"),
        ([uci_row("1", "POST", 1, "18.00")], "service"),
        ([uci_row("1", "DOT", 1, "5.0"), uci_row("1", "C2", 1, "50.0"), uci_row("1", "D", -1, "3")], "service"),
        ([uci_row("1", "AMAZONFEE", 1, "13541.33")], "service"),
        ([uci_row("1", "gift_0001_30", 1, "25.00")], "service"),
        ([uci_row("1", "POST", 1, "18.00"), uci_row("1")], "sale"),
        ([uci_row("1", quantity=-130, price="0.0", description="missing?", customer="")], "write_off"),
        ([uci_row("1", quantity=5, price="0.0", description="", customer="")], "zero_value"),
        ([uci_row("1", "PADS", 1, "0.001")], "zero_value"),
        ([uci_row("1", quantity=-1, price="10.00")], "adjustment"),
        ([uci_row("A563186", "B", 1, "-11062.06", description="Adjust bad debt", customer="")], "adjustment"),
        ([uci_row("A563185", "B", 1, "11062.06", description="Adjust bad debt", customer="")], "adjustment"),
        ([uci_row("C1", quantity=-1)], "credit"),
        ([uci_row("C1", "D", -1, "183.0")], "credit"),
        ([uci_row("C1", "M", 1, "373.57")], "adjustment"),
    ],
)
def test_an_invoice_on_its_own_has_the_documented_class(
    tmp_path: Path, rows: list[tuple[str, ...]], expected: str
) -> None:
    assert kind_of(tmp_path, *rows) == expected


class TestCancellations:
    def test_one_that_takes_everything_back_is_whole(self, tmp_path: Path) -> None:
        found = classify(
            tmp_path,
            uci_row("1", "A", 2, "3.00"),
            uci_row("1", "B", 1, "4.00"),
            uci_row("C2", "B", -1, "4.0"),
            uci_row("C2", "A", -2, "3.0"),
        )["C2"]
        assert (found.kind, found.sale, found.is_whole) == ("cancellation", "1", True)
        assert found.returned == ((0, 2), (1, 1))

    def test_one_that_takes_back_a_part_is_not_whole(self, tmp_path: Path) -> None:
        found = classify(tmp_path, uci_row("1", "A", 5, "3.00"), uci_row("C2", "A", -2, "3.00"))["C2"]
        assert (found.kind, found.is_whole, found.returned) == ("cancellation", False, ((0, 2),))

    def test_it_takes_from_several_lines_of_the_same_code_and_price(self, tmp_path: Path) -> None:
        found = classify(
            tmp_path, uci_row("1", "A", 2, "3.00"), uci_row("1", "A", 2, "3.00"), uci_row("C2", "A", -3, "3.00")
        )["C2"]
        assert found.returned == ((0, 2), (1, 1))

    @pytest.mark.parametrize(
        "cancellation",
        [
            uci_row("C2", "A", -3, "3.00"),
            uci_row("C2", "A", -1, "2.99"),
            uci_row("C2", "B", -1, "3.00"),
            uci_row("C2", "A", -1, "3.00", customer="99999.0"),
            uci_row("C2", "A", -1, "3.00", customer=""),
        ],
        ids=["more than was sold", "another price", "another code", "another customer", "no customer"],
    )
    def test_one_that_matches_no_sale_is_a_credit(self, tmp_path: Path, cancellation: tuple[str, ...]) -> None:
        assert kind_of(tmp_path, uci_row("1", "A", 2, "3.00"), cancellation) == "credit"

    def test_two_sales_without_a_customer_are_not_the_same_customer(self, tmp_path: Path) -> None:
        rows = uci_row("1", "A", 2, "3.00", customer=""), uci_row("C2", "A", -2, "3.00", customer="")
        assert kind_of(tmp_path, *rows) == "credit"

    def test_what_has_been_taken_back_cannot_be_taken_back_again(self, tmp_path: Path) -> None:
        sale, back = uci_row("1", "A", 2, "3.00"), uci_row("C2", "A", -2, "3.00")
        assert kind_of(tmp_path, sale, back, uci_row("C3", "A", -1, "3.00")) == "credit"

    def test_a_sale_after_it_is_not_the_one_it_takes_back(self, tmp_path: Path) -> None:
        found = classify(tmp_path, uci_row("C1", "A", -2, "3.00"), uci_row("2", "A", 2, "3.00"))
        assert [each.kind for each in found.values()] == ["credit", "sale"]

    def test_a_sale_that_it_takes_back_whole_comes_before_a_later_one(self, tmp_path: Path) -> None:
        found = classify(
            tmp_path, uci_row("1", "A", 2, "3.00"), uci_row("2", "A", 9, "3.00"), uci_row("C3", "A", -2, "3.00")
        )["C3"]
        assert (found.sale, found.is_whole) == ("1", True)

    def test_more_money_than_the_sale_brought_is_a_credit(self, tmp_path: Path) -> None:
        sale = uci_row("1", "A", 2, "3.00"), uci_row("1", "D", -1, "5.00")
        assert kind_of(tmp_path, *sale, uci_row("C2", "A", -1, "3.00")) == "credit"


class TestRefusals:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (uci_row("1", quantity="six"), "row 2: Quantity 'six' is not a whole number"),
            (uci_row("1", quantity="1.5"), "row 2: Quantity '1.5' is not a whole number"),
            (uci_row("1", quantity=""), "row 2: Quantity is missing"),
            (uci_row("1", price="£1"), "row 2: UnitPrice '£1' is not a number"),
            (uci_row("1", price="nan"), "row 2: UnitPrice 'nan' is not a number"),
            (uci_row("1", price="9999999999"), "row 2: UnitPrice '9999999999' is out of range"),
            (uci_row("1", at="yesterday"), "row 2: InvoiceDate 'yesterday' is not a time like 2011-11-14 08:10:00"),
            (uci_row("1", code=""), "row 2: StockCode is missing"),
            (uci_row(""), "row 2: InvoiceNo is missing"),
        ],
    )
    def test_an_unreadable_value_is_named_with_its_row(self, tmp_path: Path, row: tuple[str, ...], reason: str) -> None:
        assert reason_of(tmp_path, row) == reason

    def test_one_unreadable_row_refuses_the_whole_invoice_and_no_other(self, tmp_path: Path) -> None:
        found = classify(tmp_path, uci_row("1"), uci_row("2"), uci_row("2", quantity="x"), uci_row("3"))
        assert [each.kind for each in found.values()] == ["sale", "refused", "sale"]

    def test_an_invoice_of_two_customers_is_refused(self, tmp_path: Path) -> None:
        reason = reason_of(tmp_path, uci_row("1"), uci_row("1", customer="17850.0"))
        assert reason == "row 2: one invoice with several customers: 17850, 18211"

    def test_goods_that_leave_a_sale_at_no_price_are_refused(self, tmp_path: Path) -> None:
        assert "negative quantity at no price" in reason_of(tmp_path, uci_row("1"), uci_row("1", "X", -2, "0.0"))


class TestOddValues:
    def test_an_invoice_that_spans_minutes_belongs_to_the_first(self, tmp_path: Path) -> None:
        rows = uci_row("1", at="2011-11-14 08:11:00"), uci_row("1", at="2011-11-14 08:10:00")
        assert classify(tmp_path, *rows)["1"].invoice.invoiced_at.isoformat() == "2011-11-14T08:10:00+00:00"

    def test_duplicate_lines_are_two_lines(self, tmp_path: Path) -> None:
        found = classify(tmp_path, uci_row("1"), uci_row("1"))["1"]
        assert (len(found.invoice.lines), str(found.invoice.total)) == (2, "3.30")

    def test_rows_of_one_invoice_need_not_stand_together(self, tmp_path: Path) -> None:
        found = classify(tmp_path, uci_row("1"), uci_row("2"), uci_row("1"))
        assert [len(each.invoice.lines) for each in found.values()] == [2, 1]

    def test_a_blank_description_leaves_the_code_as_title(self, tmp_path: Path) -> None:
        assert classify(tmp_path, uci_row("1", description=" "))["1"].invoice.lines[0].title == "22465"

    def test_codes_are_told_apart_by_case(self, tmp_path: Path) -> None:
        invoice = classify(tmp_path, uci_row("1", "84997B"), uci_row("1", "84997b"))["1"].invoice
        assert set(goods_sold([invoice])) == {"84997B", "84997b"}

    def test_whole_numbers_may_carry_a_decimal_point(self, tmp_path: Path) -> None:
        assert classify(tmp_path, uci_row("1", quantity="6.0"))["1"].invoice.lines[0].quantity == 6


class TestTheRealWeek:
    def test_every_invoice_has_a_class_and_none_is_refused(self) -> None:
        history = read_history(data_dir() / WEEK)
        report = ReplayReport(history).as_dict()
        assert len(report["invoices"]) == len({row["invoice"] for row in report["invoices"]}) == 894
        assert report["counts"] == {"sale": 690, "credit": 101, "write_off": 46, "zero_value": 37, "cancellation": 20}

    def test_totals_per_day_and_class_are_the_files(self) -> None:
        """Computed here from the file alone; of the classification only each invoice's class is taken."""
        report = ReplayReport(read_history(data_dir() / WEEK)).as_dict()
        kinds = {row["invoice"]: row["class"] for row in report["invoices"]}
        expected: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with gzip.open(data_dir() / WEEK, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                total = (Decimal(row["Quantity"]) * Decimal(row["UnitPrice"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
                expected[row["InvoiceDate"][:10]][kinds[row["InvoiceNo"]]] += total
        assert report["totals"] == {
            day: {kind: str(total) for kind, total in of_day.items()} for day, of_day in expected.items()
        }

    def test_every_sale_is_an_order_of_the_same_total_with_something_to_ship(self) -> None:
        history = read_history(data_dir() / WEEK)
        for found in history.entries:
            if found.kind is InvoiceClass.SALE:
                lines = order_lines(found.invoice)
                assert sum(line.net for line in lines) == found.invoice.total
                assert any(line.requires_shipping for line in lines)

    def test_every_code_is_on_sale(self) -> None:
        history = read_history(data_dir() / WEEK)
        assert len(goods_sold(history.invoices)) == 2447
