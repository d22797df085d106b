"""Reports: complete, typed, published as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.unit.sync.books_fakes import (
    AT,
    STORE,
    document,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    record,
    settled_order,
)
from tradewind.domain.order import Refund
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.sync import reporting
from tradewind.sync.reporting import daily_totals, latest_report, publish_reports, read_data_sets, taken_back


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path / "state"), migrate=True)
    yield opened
    opened.close()


def settled(number: int = 1, **changes: Any) -> Any:
    return settled_order(order_observed(number, **changes), payment_observed(number), label_observed(number))


def test_every_data_set_is_written_with_its_rows(ledger: Ledger, tmp_path: Path) -> None:
    record(ledger, settled(1), settled(2), document())
    report = publish_reports(ledger, tmp_path, now=AT)
    assert report.folder.name == AT.strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    rows = {file.name: file.rows for file in report.files}
    assert rows == {
        "orders.parquet": 2, "lines.parquet": 2, "payments.parquet": 2, "refunds.parquet": 0, "labels.parquet": 2,
        "stock.parquet": 1, "journal.parquet": 1,
    }  # fmt: skip
    for file in report.files:
        assert hashlib.sha256((report.folder / file.name).read_bytes()).hexdigest() == file.sha256


def test_amounts_are_whole_numbers_and_times_are_utc(ledger: Ledger, tmp_path: Path) -> None:
    record(ledger, settled())
    table = pq.read_table(publish_reports(ledger, tmp_path, now=AT).folder / "orders.parquet")
    assert str(table.schema.field("total").type) == "int64"
    assert str(table.schema.field("placed_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("live").type) == "bool"
    assert table.column("total").to_pylist() == [1250]
    assert table.column("placed_at").to_pylist() == [AT]


def test_an_empty_ledger_gives_empty_files_of_the_same_types(ledger: Ledger, tmp_path: Path) -> None:
    empty = pq.read_schema(publish_reports(ledger, tmp_path, now=AT).folder / "orders.parquet")
    record(ledger, settled())
    full = pq.read_schema(publish_reports(ledger, tmp_path, now=AT + timedelta(hours=1)).folder / "orders.parquet")
    assert [(field.name, field.type) for field in empty] == [(field.name, field.type) for field in full]


def test_latest_names_the_newest_publication(ledger: Ledger, tmp_path: Path) -> None:
    assert latest_report(tmp_path) is None
    publish_reports(ledger, tmp_path, now=AT)
    second = publish_reports(ledger, tmp_path, now=AT + timedelta(hours=1))
    assert latest_report(tmp_path) == second


def test_a_publication_that_fails_leaves_nothing_and_the_old_one_stands(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish_reports(ledger, tmp_path, now=AT)
    monkeypatch.setattr(reporting, "DATA_SETS", {"orders": "v_orders", "lines": "v_nowhere"})
    with pytest.raises(KeyError):
        publish_reports(ledger, tmp_path, now=AT + timedelta(hours=1))
    assert latest_report(tmp_path) == first
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [first.folder.name, "latest"]


def test_old_publications_are_removed(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "KEEP", 2)
    crashed = tmp_path / "reports" / ".2026-11-01T12-30-00.000000Z.77"
    crashed.mkdir(parents=True)
    folders = [publish_reports(ledger, tmp_path, now=AT + timedelta(hours=hour)).folder for hour in range(4)]
    assert [folder.exists() for folder in folders] == [False, False, True, True]
    assert not crashed.exists()


def test_many_rows_are_written_in_chunks(ledger: Ledger) -> None:
    from tradewind.sync.views import view_chunks

    record(ledger, *(settled(number) for number in range(5)))
    with ledger.read() as database:
        chunks = list(view_chunks(database, "v_orders", rows=2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]


def test_daily_totals_add_up_per_day_and_kind(ledger: Ledger) -> None:
    late = datetime(2026, 11, 1, 23, 59, tzinfo=UTC)
    record(ledger, settled(1), settled(4, test=True), settled(2, processed_at=late))
    record(ledger, settled(3, processed_at=late + timedelta(minutes=1)))
    record(ledger, document("C1"), document("C2", total=gbp(-250)), document("A1", kind="adjustment", total=gbp(7)))
    totals = [
        (str(one.day), one.kind, one.entries, str(one.total)) for one in daily_totals(read_data_sets(ledger))
    ]  # fmt: skip
    assert totals == [
        ("2026-11-01", "adjustment", 1, "0.07 GBP"),
        ("2026-11-01", "credit", 2, "-7.50 GBP"),
        ("2026-11-01", "sale", 2, "25.00 GBP"),
        ("2026-11-02", "sale", 1, "12.50 GBP"),
    ]


def test_daily_totals_of_an_empty_ledger_are_empty(ledger: Ledger) -> None:
    assert daily_totals(read_data_sets(ledger)) == ()


def test_what_was_taken_back_is_told_per_order(ledger: Ledger) -> None:
    refund = Refund(connection=STORE, external_id="r-1", amount=gbp(300), created_at=AT)
    record(
        ledger, settled(1), settled(2, refunds=(refund,)), settled(3, cancelled_at=AT, refunds=(refund,))
    )  # fmt: skip
    assert taken_back(read_data_sets(ledger)) == {f"{STORE}/order-2": gbp(300), f"{STORE}/order-3": gbp(1250)}


def test_no_personal_data_reaches_a_report(ledger: Ledger) -> None:
    from tradewind.domain.order import Customer

    customer = Customer(external_id="c-1", name="Ada Lovelace", email="ada@example.com")
    record(ledger, settled(1, customer=customer))
    frames = read_data_sets(ledger)
    assert isinstance(frames["orders"], pd.DataFrame)
    assert not any("ada" in table.to_csv().lower() for table in frames.values())
