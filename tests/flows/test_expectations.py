"""Every expectation catches its own fault, and clean books pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.checkpoint import validate
from expectations.verdict import Check, Verdict
from tests.flows.books_frames import clean, table
from tradewind.domain.discrepancies import DiscrepancyKind

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)

# One worker imports Great Expectations once for all of these tests.
pytestmark = pytest.mark.xdist_group("great-expectations")


def checked(frames: Mapping[str, pd.DataFrame], tmp_path: Path, *, emit: bool = False) -> Verdict:
    return validate(frames, state_dir=tmp_path, run_name="night-1", taken_at=AT, emit=emit)


FAULTS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "order_is_recorded_once": ("orders", [{}, {}]),
    "totals_add_up": ("orders", [{"parts_total": 1249}]),
    "lines_add_up": ("orders", [{"lines_total": 1001}]),
    "total_is_not_negative": (
        "orders", [{"total": -5, "parts_total": -5, "captured": 0, "has_capture": False, "shipped": False}]
    ),
    "sku_is_known": ("orders", [{"unknown_skus": 1}]),
    "capture_equals_total": ("orders", [{"captured": 1251}]),
    "shipped_is_paid": ("orders", [{"captured": 0, "has_capture": False}]),
    "cancelled_has_no_label": ("orders", [{"cancelled": True}]),
    "one_label_per_parcel": ("orders", [{"labels_of_one_parcel": 2}]),
    "payment_belongs_to_one_order": ("payments", [{}, {"row": "pi_1 of #2"}]),
    "refund_is_within_capture": ("payments", [{"refunded": 1251}]),
    "capture_is_within_authorisation": ("payments", [{"authorized": 1249}]),
    "payment_is_in_the_orders_currency": ("payments", [{"order_currency": "EUR"}]),
    "nothing_is_oversold": ("stock", [{"available": -1, "reserved": 11}]),
    "shelf_is_not_below_zero": ("stock", [{"on_hand": -1}]),
    "reservation_is_not_below_zero": ("stock", [{"reserved": -1}]),
    "stocked_sku_is_known": ("stock", [{"in_catalogue": False}]),
    "stock_is_kept_once": ("stock", [{}, {}]),
    "money_agrees": ("books", [{}]),
    "parcels_agree": ("books", [{"kind": "label_after_cancel"}]),
    "ledger_is_up_to_date": ("books", [{"kind": "missing_order"}]),
}  # fmt: skip


def failed_checks(suite: str, frame: pd.DataFrame) -> list[Check]:
    """What does not hold of one frame, without a checkpoint around it."""
    from expectations.quiet import gx
    from expectations.results import RESULT_FORMAT, checks_of_suite

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.pandas_default.read_dataframe(frame)
    expected = import_module(f"expectations.{suite}").suite()
    result = batch.validate(expected, result_format=RESULT_FORMAT)
    return [check for check in checks_of_suite(result) if not check.success]


@pytest.mark.parametrize("rule", FAULTS)
def test_each_expectation_catches_its_own_fault(rule: str) -> None:
    suite, changes = FAULTS[rule]
    (failed,) = failed_checks(suite, table(suite, *changes))
    assert (failed.suite, failed.rule, failed.error) == (suite, rule, None)
    assert failed.failed == len(changes)
    assert len(failed.rows_in_words()) == len(changes)


def test_clean_books_pass_and_every_expectation_has_a_fault_here(tmp_path: Path) -> None:
    verdict = checked(clean(), tmp_path)
    assert verdict.failed == ()
    assert verdict.success
    assert {check.rule for check in verdict.checks} == set(FAULTS)


def test_empty_books_pass(tmp_path: Path) -> None:
    assert checked(clean(**{suite: table(suite) for suite in ("orders", "payments", "stock")}), tmp_path).success


def test_each_expectation_tells_a_merchant_what_to_do(tmp_path: Path) -> None:
    for check in checked(clean(), tmp_path).checks:
        assert check.says.endswith("."), check.rule
        assert check.advice.endswith("."), check.rule


LAWFUL = {
    "an order that was never paid and not shipped": {"captured": 0, "has_capture": False, "shipped": False},
    "an order from before going live": {"live": False, "captured": 0, "has_capture": False},
    "a cancelled order whose label is void": {"cancelled": True, "live_labels": 0, "captured": 0},
    "a cancelled order that had been captured": {"cancelled": True, "live_labels": 0, "captured": 300},
}  # fmt: skip


@pytest.mark.parametrize("case", LAWFUL)
def test_lawful_orders_pass(case: str) -> None:
    assert failed_checks("orders", table("orders", LAWFUL[case])) == []


def test_what_is_not_limited_may_be_sold_beyond_what_is_there() -> None:
    assert failed_checks("stock", table("stock", {"available": -3, "on_hand": -1, "limited": False})) == []


def test_no_kind_of_discrepancy_goes_unnoticed() -> None:
    from expectations import books

    noticed = [kind for expectation in books.suite().expectations for kind in expectation.value_set]
    assert sorted(noticed) == sorted(DiscrepancyKind)


def test_a_frame_that_cannot_be_checked_fails_and_says_why(tmp_path: Path) -> None:
    broken = table("orders", {}).drop(columns=["unknown_skus"])
    (failed,) = checked(clean(orders=broken), tmp_path).failed
    assert failed.rule == "sku_is_known"
    assert "unknown_skus" in (failed.error or "")


def test_amounts_of_failing_rows_are_told_in_major_units() -> None:
    (failed,) = failed_checks("orders", table("orders", {"parts_total": 1249}))
    assert failed.rows_in_words() == ["#1 (shopify:north): parts total 12.49 GBP, total 12.50 GBP"]


def test_data_docs_are_built_and_replaced(tmp_path: Path) -> None:
    stale = tmp_path / "data-docs" / "stale.html"
    stale.parent.mkdir()
    stale.write_text("old")
    verdict = checked(clean(), tmp_path)
    assert verdict.docs == tmp_path / "data-docs" / "index.html"
    assert verdict.docs.exists()
    assert not stale.exists()


def test_a_failure_is_emitted_once_with_rows_and_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emitted: list[dict[str, Any]] = []
    monkeypatch.setattr("prefect.events.emit_event", lambda **event: emitted.append(event))
    checked(clean(books=table("books", {}), stock=table("stock", {"reserved": -1})), tmp_path, emit=True)
    (event,) = emitted
    assert event["event"] == "tradewind.validation.failed"
    assert event["resource"]["prefect.resource.id"].startswith("tradewind.books.")
    assert [one["rule"] for one in event["payload"]["failed"]] == ["reservation_is_not_below_zero", "money_agrees"]
    assert event["payload"]["failed"][1]["rows"][0].startswith("#1: expected 0.00 GBP, found 3.00 GBP")


def test_success_is_not_emitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prefect.events.emit_event", lambda **_: pytest.fail("nothing failed"))
    checked(clean(), tmp_path, emit=True)
