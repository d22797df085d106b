"""Steps of the nightly reconciliation."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.events import emit_event

from expectations.checkpoint import validate
from expectations.frames import read_frames
from expectations.summary import books_markdown, markdown, write_page
from expectations.verdict import Verdict
from tasks.retries import BATCH_RETRIES
from tasks.spans import utc
from tasks.work import work
from tradewind.settings import load_settings
from tradewind.sync.reconcile import Books, RepairPolicy, reconcile
from tradewind.sync.sides import Window

NIGHTLY_BOOKS = "tradewind.books.nightly"
"""The resource of the event that the dead man's switch waits for."""


def books_window(day: date | None, since: datetime | None, settling_s: float) -> Window:
    """The part of the books to compare: since a time until now, or one business day, yesterday unless given."""
    now = datetime.now(UTC)
    if since is not None:
        return Window.between(utc(since), now, settling_s=settling_s)
    return Window.of_day(day or (now - timedelta(days=1)).date(), now, settling_s=settling_s)


@task(task_run_name="compare the books", **BATCH_RETRIES)
async def compare_books(window: Window, repair: RepairPolicy) -> Books:
    """List every side of the window, match, store what differs and ask for repairs."""
    async with work("deferred") as at:
        return await reconcile(at.ledger, at.clients, window, policy=repair)


@task(task_run_name="validate the books")
async def validate_books(books: Books) -> Verdict:
    """Check every expectation on the ledger as it stands; a failure emits `tradewind.validation.failed`."""
    async with work("deferred") as at:
        frames = await asyncio.to_thread(read_frames, at.ledger)
        return await asyncio.to_thread(
            validate, frames, state_dir=at.settings.state_dir, run_name=books.run_id, taken_at=datetime.now(UTC)
        )


@task(task_run_name="publish the books")
async def publish_books(books: Books, verdict: Verdict) -> Path:
    """Leave the summaries where people look, and say that the books were compared; gives the page's path."""
    state_dir = load_settings().state_dir
    await acreate_markdown_artifact(key="books", markdown=books_markdown(books), description="What differs")
    await acreate_markdown_artifact(key="validation", markdown=markdown(verdict), description="What must hold")
    page = await asyncio.to_thread(write_page, verdict, state_dir)
    await asyncio.to_thread(_write_latest, state_dir, books, verdict)
    emit_event("tradewind.books.compared", resource={"prefect.resource.id": NIGHTLY_BOOKS})
    return page


def _write_latest(state_dir: Path, books: Books, verdict: Verdict) -> None:
    """`books/latest.json`, replaced at once: for whoever wants the result without Prefect."""
    content = {
        "books": books.model_dump(mode="json"),
        "validations": {
            "checked": len(verdict.checks),
            "failed": [f"{check.suite}: {check.rule}" for check in verdict.failed],
        },
    }
    folder = state_dir / "books"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".latest.json"
    draft.write_text(json.dumps(content, indent=2))
    draft.replace(folder / "latest.json")
