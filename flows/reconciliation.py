"""The nightly books: every side compared, what differs named, what is safe repaired, the expectations checked."""

from __future__ import annotations

from datetime import date, datetime

from prefect import flow

from tasks.books import books_window, compare_books, publish_books, validate_books
from tasks.spans import books_name
from tradewind.sync.reconcile import RepairPolicy


@flow(name="reconciliation", flow_run_name=books_name)
async def reconciliation(
    day: date | None = None,
    since: datetime | None = None,
    settling_s: float = 600.0,
    repair: RepairPolicy = RepairPolicy.LEDGER,
) -> str:
    """Compare every side of one business day (UTC), name what differs, repair what is safe, and validate the result.

    Args:
        day: The business day; yesterday, if not given.
        since: Compare from this time until now instead of a day.
        settling_s: Orders younger than this may be on their way still, in seconds.
        repair: `dry_run` only tells; `ledger` mends the ledger's own view, never money or parcels.
    """
    window = books_window(day, since, settling_s)
    books = await compare_books(window, repair)
    verdict = await validate_books(books)
    await publish_books(books, verdict)
    return f"{len(books.rows)} discrepancies, {books.left} left; {len(verdict.failed)} expectations failed"
