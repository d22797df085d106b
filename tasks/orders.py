"""Steps of the order sync that operations want to see as tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.events import emit_event

from tasks.retries import BATCH_RETRIES, provider_tag
from tasks.work import Work, log, work
from tradewind.ledger import inbox, outbox
from tradewind.sync.runner import DeadLetter, Totals
from tradewind.sync.seam import in_thread
from tradewind.sync.subscriptions import check_subscriptions
from tradewind.sync.sweep import Swept, sweep


@task(task_run_name="sweep {connection}", **BATCH_RETRIES)
async def sweep_connection(connection: str, within_s: float) -> Swept:
    """Bring in what the provider lists and no webhook brought; what is not read within_s is left to the next sweep."""
    async with work("normal") as at:
        swept = await sweep(
            at.ledger, at.connection(connection), at.client(connection), now=datetime.now(UTC), within_s=within_s
        )
    if not swept.complete:
        log("%s: %d listed in %.0f s, the rest is left to the next sweep", connection, swept.listed, within_s)
    if swept.new:
        log("%s: %d of %d listed were not known", connection, swept.new, swept.listed)
    return swept


@task(task_run_name="subscriptions of {connection}", **BATCH_RETRIES)
async def watch_subscriptions(connection: str) -> int:
    """Recreate webhook subscriptions that are gone; gives how many were."""
    async with work("normal") as at:
        created = await check_subscriptions(at.ledger, at.connection(connection), at.client(connection), at.settings)
    if created:
        log("%s: %d webhook subscriptions were gone and are there again", connection, created)
    return created


@task(task_run_name="summary of the window")
async def summarise_window(totals: Totals, waiting: dict[str, Any]) -> None:
    """Leave what the window did where operations look."""
    rows = "\n".join(f"| {name} | {count} |" for name, count in waiting.items())
    dead = "\n".join(f"- {one.kind} {one.name}: {one.reason}" for one in totals.dead) or "none"
    await acreate_markdown_artifact(
        key="order-sync-window",
        description="What the last window of order-sync did",
        markdown=(
            f"# Order sync\n\n{totals.taken} deliveries applied to {totals.changed_orders} orders, "
            f"{totals.sent} commands sent.\n\n| waiting | count |\n|---|---|\n{rows}\n\n## Dead letters\n\n{dead}\n"
        ),
    )


def announce_dead_letters(dead: Sequence[DeadLetter], announced: int) -> int:
    """Emit the event that the dead letter automation alerts on, for all but the first `announced`; gives how many
    are announced now."""
    for letter in dead[announced:]:
        emit_event(
            "tradewind.dead-letter",
            resource={"prefect.resource.id": f"tradewind.{letter.kind}.{letter.name}"},
            payload={"kind": letter.kind, "name": letter.name, "reason": letter.reason},
        )
    return len(dead)


async def waiting_counts(at: Work) -> dict[str, int]:
    """How many deliveries and commands are in each state."""

    def count() -> dict[str, int]:
        with at.ledger.read() as database:
            received, wanted = inbox.counts(database), outbox.counts(database)
        return {f"inbox {k}": v for k, v in received.items()} | {f"outbox {k}": v for k, v in wanted.items()}

    return await in_thread(count)


def tagged(task_: Any, connection: str) -> Any:
    """The task under its provider's tag, so that Prefect's limit for the provider holds it."""
    return task_.with_options(tags=[provider_tag(connection)])
