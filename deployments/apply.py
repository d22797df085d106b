"""Put everything into the Prefect server in use: blocks, limits, deployments, automations. Idempotent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from prefect.client.orchestration import PrefectClient, get_client
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
from prefect.exceptions import ObjectNotFound

from blocks.takeover import take_over_newer
from deployments import accounts, automations, flows, limits
from tasks.books import NIGHTLY_BOOKS
from tradewind.domain.connections import Connection
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings

Report = Callable[[str], None]
EVENTS_S = 30.0


async def deploy(
    settings: Settings, ledger: Ledger, *, alert_url: str | None = None, wait_s: float = 0.0, report: Report = print
) -> None:
    """Make the server as the project says. report: is told each thing that was done.

    wait_s: how long to wait for the server to answer; flows are imported meanwhile. Raises ConfigurationError for an
    entrypoint that cannot be loaded, httpx.HTTPError when the server does not answer.
    """
    deployables = flows.load()
    await _answering(wait_s)
    async with get_client() as client:
        # First: the server takes new automations up a moment later, and the event below must find them.
        wanted = automations.wanted_automations(await accounts.alert_webhook(client, alert_url))
        await automations.apply(client, await automations.differing(client, wanted))
        await flows.make_work_pool(client)
        await flows.deploy(client, deployables)
        await accounts.register_types()
        await accounts.save_ledger(settings)
        blocks = await take_over_newer(ledger)
        for key in blocks.taken:
            report(f"connection {key} taken over from its block")
        for reason in blocks.refused.values():
            report(f"not taken over: {reason}")
        connected = _connected(ledger)
        for name in await accounts.write_missing(connected):
            report(f"block {name} written from the ledger")
        await limits.apply(client, limits.wanted_tags(connected))
    emit_event("tradewind.deployed", resource={"prefect.resource.id": NIGHTLY_BOOKS})
    # What is queued still when the process ends is sent too, but with a warning.
    sent = asyncio.ensure_future(asyncio.to_thread(EventsWorker.instance().wait_until_empty))
    await asyncio.wait({sent}, timeout=EVENTS_S)
    report(f"{len(deployables)} deployments, {len(wanted)} automations, {len(connected)} connections")


async def _answering(wait_s: float) -> None:
    """Return when the server answers, or when the time is over: the first call then says what is wrong."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        async with get_client() as client:
            if await client.api_healthcheck() is None:
                return
        await asyncio.sleep(0.2)


async def differences(ledger: Ledger) -> list[str]:
    """What `deploy` would change, a line each; empty when server and project agree."""
    connected = _connected(ledger)
    async with get_client() as client:
        lines = [f"deployment {name}" for name in await flows.differing(client)]
        lines += [f"block {accounts.block_name(one)}" for one in await accounts.differing_blocks(client, connected)]
        tags = await limits.differing(client, limits.wanted_tags(connected))
        lines += [f"limit on {tag}: {places} tasks at one time" for tag, places in tags.items()]
        lines += await _differing_automations(client)
    return lines


async def _differing_automations(client: PrefectClient) -> list[str]:
    try:
        webhook = await client.read_block_document_by_name(accounts.ALERT_WEBHOOK, "webhook")
    except ObjectNotFound:
        return ["webhook block of the alerts, and every automation"]
    wanted = automations.wanted_automations(webhook.id)
    return [f"automation {one.name}" for one in await automations.differing(client, wanted)]


def _connected(ledger: Ledger) -> list[Connection]:
    with ledger.read() as database:
        return connections.connected(database, ledger.keys)
