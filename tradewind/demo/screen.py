"""What the demo shows: progress bars meanwhile, a table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

STEPS = {
    "starting": "Starting sandbox, gateway, Prefect",
    "placed": "Shoppers place orders",
    "settled": "Paid, shipped, store told (or cancelled)",
    "reconciling": "Reconciling, finding the planted fault",
}


class Screen:
    """Progress bars, one per step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def show(self, step: str, done: int, of: int) -> None:
        """Move the bar of a step."""
        if step not in self._bars:
            self._bars[step] = self._progress.add_task(STEPS[step], total=of or None)
        self._progress.update(self._bars[step], completed=done, total=of or None)


@contextmanager
def screen(console: Console) -> Iterator[Screen]:
    """Show progress while the block lasts."""
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Screen(progress)


def show_result(console: Console, result: dict[str, Any], faults: list[str]) -> None:
    """The summary table, and what is wrong, if anything is."""
    table = Table(title="tradewind demo", show_header=False, title_justify="left")
    for label, value in _rows(result):
        table.add_row(label, value)
    console.print(table)
    for fault in faults:
        console.print(f"[red]✗[/red] {fault}")
    if not faults:
        console.print("[green]✓[/green] nothing lost, nothing doubled, nothing unexplained")


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    money, books, planted = result["money"], result["books"], result["planted"]
    rows = [
        ("orders placed", str(result["orders_placed"])),
        ("shipped", str(result["orders_shipped"])),
        ("cancelled", str(result["orders_cancelled"])),
        ("lost", str(result["lost"])),
        ("shipped twice", str(result["duplicate_shipments"])),
        ("shipped after a cancel", str(result["shipped_after_cancel"])),
        ("calls over a provider's limit", str(result["throttled"])),
        ("order → label, median / 99th", f"{result['latency_p50_s']} s / {result['latency_p99_s']} s"),
        ("captured, in the books", f"{money['books_captured_minor'] / 100:,.2f}"),
        ("captured, at the providers", f"{money['captured_minor'] / 100:,.2f}"),
        ("books: rows compared", ", ".join(f"{count} {side}" for side, count in books.get("checked", {}).items())),
        ("books: found", _counts(books.get("discrepancies", {}))),
        ("planted fault", f"{planted['kind']}"),
        ("validation", _validation(result["validations"])),
        ("alerts received", "; ".join(filter(None, result["alerts"])) or "none"),
        ("faults injected", _counts(result["faults_fired"])),
        ("time", f"{result['wall_s']} s"),
    ]
    if result["recorded"]:
        rows.insert(3, ("recorded in the books, nothing shipped", _counts(result["recorded"])))
    if "replay" in result:
        replay = result["replay"]
        rows.insert(4, ("entries of the file ended as", _counts(replay["ended"])))
        rows.insert(5, ("totals per day and class", "equal to the penny" if replay["totals_equal"] else "DIFFER"))
    return rows


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _validation(validations: dict[str, Any]) -> str:
    failed = validations.get("failed", [])
    return f"{validations.get('checked', 0)} expectations, failed: {', '.join(failed) or 'none'}"
