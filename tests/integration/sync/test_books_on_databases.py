"""The books on SQLite and on PostgreSQL: the same frames, reports and discrepancies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from expectations.frames import read_frames
from tests.unit.sync.books_fakes import (
    AT,
    Shop,
    connect_all,
    document,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    record,
    settled_order,
)
from tradewind.ledger.engine import Ledger
from tradewind.sync.reconcile import reconcile
from tradewind.sync.reporting import daily_totals, publish_reports, read_data_sets, taken_back
from tradewind.sync.sides import Window

WINDOW = Window.between(AT - timedelta(hours=1), AT + timedelta(hours=1))


def settled(number: int = 1, **changes: Any) -> Any:
    return settled_order(order_observed(number, **changes), payment_observed(number), label_observed(number))


async def test_reconciliation_finds_the_same(ledger: Ledger) -> None:
    connect_all(ledger)
    record(ledger, settled(1), document("C1"))
    shop = Shop(
        [order_observed(1), order_observed(2)],
        [payment_observed(1, refunded=gbp(300)), payment_observed(2), payment_observed(3, payment_id=None)],
        [label_observed(1)],
        [document("C1"), document("C2")],
    )
    books = await reconcile(ledger, shop, WINDOW)
    assert books.discrepancies == {
        "journal_missing": 1, "missing_label": 1, "missing_order": 1, "refund_mismatch": 1, "stale_payment": 1,
        "stray_payment": 1, "unrecorded_payment": 1,
    }  # fmt: skip
    assert (await reconcile(ledger, shop, WINDOW)).discrepancies == books.discrepancies


def test_frames_and_totals_are_the_same(ledger: Ledger) -> None:
    record(ledger, settled(1), settled(2, cancelled_at=AT), document("C1"))
    data = read_data_sets(ledger)
    assert [(one.kind, str(one.total)) for one in daily_totals(data)] == [
        ("credit", "-5.00 GBP"), ("sale", "25.00 GBP")
    ]  # fmt: skip
    assert taken_back(data) == {"shopify:north/order-2": gbp(1250)}
    frames = read_frames(ledger)
    assert list(frames["orders"]["cancelled"]) == [False, True]
    assert {str(frames["orders"][name].dtype) for name in ("total", "captured", "live_labels")} == {"int64"}
    assert frames["stock"]["on_hand"].sum() == -4


def test_reports_have_the_same_types(ledger: Ledger, tmp_path: Path) -> None:
    record(ledger, settled(1), document("C1"))
    folder = publish_reports(ledger, tmp_path, now=AT).folder
    types = {field.name: str(field.type) for field in pq.read_schema(folder / "orders.parquet")}
    assert (types["total"], types["live"], types["placed_at"]) == ("int64", "bool", "timestamp[us, tz=UTC]")
    assert pq.read_table(folder / "journal.parquet").column("business_day").to_pylist() == ["2026-11-01"]
    assert {str(field.type) for field in pq.read_schema(folder / "stock.parquet")} == {"large_string", "int64"}
