"""Spans of time as people give them to flows, and the run names that tell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prefect.runtime import flow_run

from tradewind.settings import load_settings


def utc(at: datetime) -> datetime:
    """The time in UTC; one without a zone, as a form may give it, is UTC already."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def books_name() -> str:
    """`books of 2026-11-23`, or `books of 2026-11-24 10:15:00 on`: the window of a reconciliation run."""
    given = flow_run.parameters
    if since := given.get("since"):
        return f"books of {utc(datetime.fromisoformat(str(since))):%Y-%m-%d %H:%M:%S} on"
    return f"books of {given.get('day') or (datetime.now(UTC) - timedelta(days=1)).date()}"


def reports_name() -> str:
    """`reports of 2026-11-24 10:40`: when the ledger's state was taken."""
    return f"reports of {datetime.now(UTC):%Y-%m-%d %H:%M}"


def orders_name() -> str:
    """`orders of 120 s from 10:15:00`."""
    window_s = flow_run.parameters.get("window_s") or load_settings().window_s
    return f"orders of {window_s:.0f} s from {datetime.now(UTC):%H:%M:%S}"
