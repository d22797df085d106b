"""The real week, entry by entry, against books that hold it: what is missing or differs by a penny is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts import data_dir
from tests.unit.domain.orders import (
    AT,
    gbp,
    order_observed,
    parcel,
    record,
    refund,
    shipped_work,
)
from tests.unit.sandbox.replay_files import uci_row, write_uci
from tests.unit.sync.books_fakes import document
from tradewind.demo.replayed import SOLD, judge_replay
from tradewind.domain.events import JournalRecorded
from tradewind.domain.money import Money
from tradewind.domain.order import Order
from tradewind.ledger import journal, orders
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.sandbox.replay import ReplayReport, read_history
from tradewind.settings import Settings

BOOKED = ("credit", "write_off", "adjustment", "zero_value", "service")
WEEK = "online-retail/2011-11-14_20.csv.gz"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    yield opened
    opened.close()


def replayed(path: Path) -> dict[str, Any]:
    """What the sandbox says of the file."""
    return ReplayReport(read_history(path)).as_dict()


def minor(total: str) -> int:
    return Money.of(Decimal(total), "GBP").minor


def sold(row: dict[str, Any], refunded: int = 0, **changes: Any) -> Order:
    """The record of a sale that was shipped; refunded: what its store gave back."""
    values: dict[str, Any] = {
        "name": f"#{row['invoice']}",
        "processed_at": datetime.fromisoformat(row["day"]).replace(hour=12, tzinfo=UTC),
        "total": gbp(minor(row["total"])),
        "fulfillment_orders": (shipped_work(),),
        "fulfillments": (parcel(),),
        "refunds": (refund(f"r-{row['invoice']}", refunded),) if refunded else (),
    }
    observed = order_observed(row["invoice"], **values | changes)
    order = record(observed)
    return order.model_copy(update={"id": f"{order.connection}/{row['invoice']}", "external_id": row["invoice"]})


def book(
    ledger: Ledger, report: dict[str, Any], *, without: Iterable[str] = (), changed: Mapping[str, Any] | None = None
) -> None:
    """Books that hold the file; without: entries that are missing; changed: what differs, by entry."""
    kept = [row for row in report["invoices"] if row["invoice"] not in without]
    differing = changed or {}
    back: Counter[str] = Counter()
    for row in kept:
        if row["class"] == "cancellation":
            back[row["sale"]] -= minor(row["total"])
    with ledger.write() as database:
        records = [
            sold(row, back[row["invoice"]], **differing.get(row["invoice"], {})) for row in kept if row["class"] in SOLD
        ]
        orders.save_many(database, ledger.keys, [(one, None) for one in records])
        for row in kept:
            if row["class"] in BOOKED:
                journal.add(database, booked(row, **differing.get(row["invoice"], {})))


def booked(row: dict[str, Any], **changes: Any) -> JournalRecorded:
    values = {
        "kind": row["class"],
        "total": gbp(minor(row["total"])),
        "business_day": date.fromisoformat(row["day"]),
    }
    return document(row["invoice"], **values | changes)


class TestTheRealWeek:
    @pytest.fixture(scope="class")
    @staticmethod
    def report() -> dict[str, Any]:
        return replayed(data_dir() / WEEK)

    def test_books_that_hold_it_equal_the_file_to_the_penny(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report)
        verdict = judge_replay(report, ledger)
        assert verdict["differences"] == []
        assert verdict["totals_equal"]
        assert verdict["totals"] == {day: dict(of) for day, of in report["totals"].items()}
        classes = report["counts"]
        assert verdict["ended"] == {
            "shipped": classes["sale"],
            "cancelled": classes["cancellation"],
            "recorded": classes["credit"] + classes["zero_value"] + classes["write_off"],
        }
        assert verdict["invoices"] == sum(classes.values()) == len(report["invoices"])

    def test_books_that_hold_nothing_miss_all_of_it(self, ledger: Ledger, report: dict[str, Any]) -> None:
        verdict = judge_replay(report, ledger)
        assert verdict["ended"] == {"missing": len(report["invoices"])}
        assert not verdict["totals_equal"]
        assert {found["ledger"] for found in verdict["differences"]} == {"0"}

    def test_each_class_is_missed_when_one_of_it_is(self, ledger: Ledger, report: dict[str, Any]) -> None:
        sales = {row["sale"] for row in report["invoices"] if row["class"] == "cancellation"}
        missing = {}
        for row in report["invoices"]:
            if row["invoice"] not in sales:
                missing.setdefault(row["class"], row["invoice"])
        book(ledger, report, without=missing.values())
        verdict = judge_replay(report, ledger)
        assert verdict["ended"]["missing"] == len(missing) == 5
        # What has no value makes no difference to totals, and is missed all the same.
        assert {found["class"] for found in verdict["differences"]} == {"sale", "credit", "cancellation"}


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    rows = [
        uci_row("1", "A", 2, "3.00"), uci_row("2", "A", 5, "3.00"), uci_row("C3", "A", -2, "3.00"),
        uci_row("C4", "A", -1, "3.00"), uci_row("C5", "Z", -1, "9.99"), uci_row("6", "POST", 1, "18.00"),
        uci_row("7", "A", "many", "3.00"),
    ]  # fmt: skip
    return replayed(write_uci(tmp_path, rows))


def ends(ledger: Ledger, report: dict[str, Any]) -> tuple[dict[str, int], list[dict[str, str]]]:
    verdict = judge_replay(report, ledger)
    return verdict["ended"], verdict["differences"]


class TestASmallHistory:
    def test_all_of_it_is_accounted_for(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report)
        found, differences = ends(ledger, report)
        assert found == {"shipped": 2, "cancelled": 2, "recorded": 2, "refused": 1}
        assert differences == []

    def test_a_penny_is_found(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report, changed={"1": {"total": gbp(601)}})
        assert ends(ledger, report)[1] == [
            {"day": "2011-11-14", "class": "sale", "file": "21.00", "ledger": "21.01"}
        ]  # fmt: skip

    def test_the_wrong_day_is_found(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report, changed={"1": {"processed_at": AT}, "6": {"business_day": date(2011, 11, 15)}})
        assert [(one["day"], one["class"]) for one in ends(ledger, report)[1]] == [
            ("2011-11-14", "sale"), ("2011-11-14", "service"), ("2011-11-15", "service"), ("2026-11-01", "sale")
        ]  # fmt: skip

    def test_the_wrong_class_is_found(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report, changed={"C5": {"kind": "write_off"}})
        assert {one["class"] for one in ends(ledger, report)[1]} == {"credit", "write_off"}

    def test_an_order_that_is_stuck_is_told_by_its_state(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report, changed={"1": {"fulfillments": ()}})
        assert ends(ledger, report)[0]["placed"] == 1

    def test_a_cancelled_sale_covers_the_cancellation(self, ledger: Ledger, report: dict[str, Any]) -> None:
        book(ledger, report, changed={"1": {"cancelled_at": AT, "refunds": (), "fulfillments": ()}})
        found, differences = ends(ledger, report)
        assert found == {"cancelled": 3, "shipped": 1, "recorded": 2, "refused": 1}
        assert differences == []

    def test_two_cancellations_do_not_share_one_refund(self, ledger: Ledger, tmp_path: Path) -> None:
        rows = [uci_row("1", "A", 4, "3.00"), uci_row("C2", "A", -1, "3.00"), uci_row("C3", "A", -1, "3.00")]
        twice = replayed(write_uci(tmp_path, rows))
        book(ledger, twice, changed={"1": {"refunds": (refund("r", 300),)}})
        assert ends(ledger, twice)[1] == [
            {"day": "2011-11-14", "class": "cancellation", "file": "-6.00", "ledger": "-3.00"}
        ]
