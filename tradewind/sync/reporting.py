"""Reporting: the ledger's views as Parquet files, published as a whole or not at all.

`reports/<stamp>/` holds one file per data set and `_SUCCESS`, the manifest, which is written last; the folder gets its
name by one rename, so that whoever sees it sees all of it. `reports/latest` names the newest folder, and is replaced by
one rename too. A reader takes `latest`, then reads; folders stay for the next `KEEP` publications.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.ledger.engine import Ledger
from tradewind.sync.views import read_view, view_chunks

if TYPE_CHECKING:
    import pandas as pd

DATA_SETS: Mapping[str, str] = MappingProxyType(
    {
        "orders": "v_orders",
        "lines": "v_lines",
        "payments": "v_payments",
        "refunds": "v_refunds",
        "labels": "v_labels",
        "stock": "v_stock",
        "journal": "v_journal",
    }
)
"""Which view each file holds."""

KEEP = 48
MANIFEST = "_SUCCESS"
LATEST = "latest"


class ReportFile(Model):
    name: str
    rows: int
    size_bytes: int
    sha256: str


class Report(Model):
    """A publication: where it lies, of when the ledger's state is, and what is in it."""

    folder: Path
    taken_at: datetime
    files: tuple[ReportFile, ...]


def publish_reports(ledger: Ledger, state_dir: Path, *, now: datetime) -> Report:
    """Write every data set from one state of the ledger and publish them together under `state_dir/reports`."""
    root = state_dir / "reports"
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    draft = root / f".{stamp}.{os.getpid()}"
    draft.mkdir(parents=True)
    try:
        with ledger.read() as database:
            files = tuple(_write(database, name, view, draft) for name, view in DATA_SETS.items())
        report = Report(folder=root / stamp, taken_at=now, files=files)
        _durable(draft / MANIFEST, report.model_dump_json(indent=2).encode())
        draft.rename(report.folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _point_to(root, stamp)
    _prune(root)
    return report


def latest_report(state_dir: Path) -> Report | None:
    """The newest publication, or None before the first."""
    pointer = state_dir / "reports" / LATEST
    if not pointer.exists():
        return None
    folder = pointer.parent / pointer.read_text().strip()
    return Report.model_validate_json((folder / MANIFEST).read_text())


def _write(database: Connection, name: str, view: str, folder: Path) -> ReportFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{name}.parquet"
    writer, rows = None, 0
    for chunk in view_chunks(database, view):
        table = pa.Table.from_pandas(chunk, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
        rows += len(chunk)
    if writer is not None:
        writer.close()
    content = path.read_bytes()
    return ReportFile(name=path.name, rows=rows, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _durable(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _point_to(root: Path, stamp: str) -> None:
    draft = root / f".{LATEST}.{os.getpid()}"
    _durable(draft, stamp.encode())
    draft.replace(root / LATEST)


def _prune(root: Path) -> None:
    """Remove all but the newest publications, and drafts older than those, which a crash left behind."""
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    published = [path for path in folders if not path.name.startswith(".")]
    oldest_kept = published[-KEEP:][0].name
    for folder in folders:
        if folder.name.removeprefix(".") < oldest_kept:
            shutil.rmtree(folder, ignore_errors=True)


class DayTotal(Model):
    """What one business day adds up to. kind: `sale`, or a document's kind. entries: how many orders or documents."""

    day: date
    kind: str
    entries: int
    total: Money


def daily_totals(frames: Mapping[str, pd.DataFrame]) -> tuple[DayTotal, ...]:
    """Per UTC day, kind and currency: orders as placed, by `processed_at`, and documents, by their business day.

    frames: `orders` (v_orders) and `journal` (v_journal). Test orders are left out. An order
    counts with its whole total however much of it was taken back later; see `taken_back`.
    """
    import pandas as pd

    orders, journal = frames["orders"], frames["journal"]
    orders = orders[orders["processed_at"].notna() & ~orders["test"]]
    sales = pd.DataFrame(
        {
            "day": orders["processed_at"].dt.strftime("%Y-%m-%d"),
            "kind": "sale",
            "currency": orders["currency"],
            "total": orders["total"],
        }
    )
    documents = journal.rename(columns={"business_day": "day"})[["day", "kind", "currency", "total"]]
    entries = pd.concat([sales, documents], ignore_index=True)
    sums = entries.groupby(["day", "kind", "currency"], sort=True)["total"].agg(["size", "sum"]).reset_index()
    return tuple(
        DayTotal(
            day=date.fromisoformat(str(day)),
            kind=str(kind),
            entries=int(size),
            total=Money(minor=int(total), currency=str(currency)),
        )
        for day, kind, currency, size, total in sums.itertuples(index=False, name=None)
    )


def taken_back(frames: Mapping[str, pd.DataFrame]) -> dict[str, Money]:
    """How much of each order was taken back, by order id: all of a cancelled one, else what its store refunded.

    frames: `orders` (v_orders) and `refunds` (v_refunds). Orders of which nothing was taken back are left out.
    """
    orders, refunds = frames["orders"], frames["refunds"]
    by_store = refunds[refunds["connection"] == refunds["order_connection"]]
    amounts = by_store.groupby(["order_id", "currency"], as_index=False)["amount"].sum()
    amounts = amounts[amounts["amount"] != 0]
    result = _by_order(amounts, "amount")
    cancelled = orders[orders["cancelled_at"].notna()]
    return {**result, **_by_order(cancelled, "total")}


def _by_order(rows: pd.DataFrame, column: str) -> dict[str, Money]:
    triples = zip(rows["order_id"], rows[column], rows["currency"], strict=True)
    return {str(order_id): Money(minor=int(minor), currency=str(currency)) for order_id, minor, currency in triples}


def read_data_sets(ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Every data set as a frame, all of one state of the ledger."""
    with ledger.read() as database:
        return {name: read_view(database, view) for name, view in DATA_SETS.items()}
