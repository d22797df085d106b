"""Steps of the order sync that operations want to see as tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact

from tasks import alerts
from tasks.retries import BATCH_RETRIES, provider_tag
from tasks.window_report import Standing, window_report
from tasks.work import Work, log, warn, work
from tradewind.errors import ConfigurationError, RequestRejected
from tradewind.ledger import connections, dead_letters, hearing, inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.going_live import end_access
from tradewind.sync.runner import Totals
from tradewind.sync.seam import in_thread
from tradewind.sync.subscriptions import check_subscriptions, hook_url
from tradewind.sync.sweep import Swept, measure, sweep
from tradewind.transport.public_address import probe_gateway


@task(task_run_name="sweep {connection}", **BATCH_RETRIES)
async def sweep_connection(connection: str, within_s: float) -> Swept:
    """Bring in what the provider lists and no webhook brought; what is not read within_s is left to the next sweep.

    Then judge what was listed before: how much of it webhooks had brought, and whether they still come.
    """
    now = datetime.now(UTC)
    async with work("normal") as at:
        known = at.connection(connection)
        async with pausing_without_access(at.ledger, connection, now):
            swept = await sweep(at.ledger, known, at.client(connection), now=now, within_s=within_s)
        if not swept.complete:
            log("%s: %d listed in %.0f s, the rest is left to the next sweep", connection, swept.listed, within_s)
        if swept.new:
            log("%s: %d of %d listed were not known", connection, swept.new, swept.listed)
        if hook_url(at.settings, known) is not None:
            heard = await measure(at.ledger, connection, at.client(connection), now=now)
            if heard.silent:
                warn("%s: no webhook since %s, though it has changed since", connection, heard.heard_at)
            await alerts.tell(at.ledger, alerts.silent(heard))
    return swept


@task(task_run_name="subscriptions of {connection}", **BATCH_RETRIES)
async def watch_subscriptions(connection: str) -> int:
    """Recreate webhook subscriptions that are gone; gives how many were."""
    async with work("normal") as at:
        known, client = at.connection(connection), at.client(connection)
        async with pausing_without_access(at.ledger, connection, datetime.now(UTC)):
            created = await check_subscriptions(at.ledger, known, client, at.settings)
    if created:
        log("%s: %d webhook subscriptions were gone and are there again", connection, created)
    return created


@task(task_run_name="probe of the public address")
async def probe_public_address() -> bool:
    """See that the gateway answers where providers deliver to; gives whether it does. Nothing is asked without one."""
    async with work("normal") as at:
        settings = at.settings
        if settings.public_url is None:
            return True
        here = f"http://{settings.gateway_host}:{settings.gateway_port}"
        try:
            await probe_gateway(settings.public_url, source="settings", gateway=here)
        except ConfigurationError as error:
            warn("no webhook can come: %s", error)
            await alerts.tell(at.ledger, [alerts.unreachable(settings.public_url, error.advice, datetime.now(UTC))])
            return False
    return True


@task(task_run_name="summary of the window")
async def summarise_window(totals: Totals, standing: Standing) -> None:
    """Leave what the window did where operations look."""
    await acreate_markdown_artifact(
        key="order-sync-window",
        description="What the last window of order-sync did",
        markdown=window_report(totals, standing),
    )


async def how_it_stands(at: Work) -> Standing:
    """What waits, what has failed, and what the webhooks brought, at this moment."""
    return await in_thread(_standing, at.ledger)


def _standing(ledger: Ledger) -> Standing:
    now = datetime.now(UTC)
    with ledger.read() as database:
        received, wanted = inbox.counts(database), outbox.counts(database)
        waiting = {f"inbox {name}": count for name, count in received.items()}
        waiting |= {f"outbox {name}": count for name, count in wanted.items()}
        keys = [str(one.key) for one in connections.connected(database, ledger.keys)]
        return Standing(waiting, dead_letters.groups(database), [hearing.of(database, key, now) for key in keys])


@asynccontextmanager
async def pausing_without_access(ledger: Ledger, connection: str, now: datetime) -> AsyncIterator[None]:
    """Pause the connection when its provider refuses its credentials: the alert follows, and what is to be written
    waits. Raises what the block raises."""
    try:
        yield
    except RequestRejected as error:
        if error.ends_access:
            reason = f"its credentials are refused: {error}"
            if await in_thread(end_access, ledger, connection, reason=reason, at=now):
                warn("%s is paused: %s", connection, reason)
        raise


def tagged(task_: Any, connection: str) -> Any:
    """The task under its provider's tag, so that Prefect's limit for the provider holds it."""
    return task_.with_options(tags=[provider_tag(connection)])
