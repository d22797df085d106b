"""Which connections there are, by what they do."""

from __future__ import annotations

import httpx
from prefect import task

from blocks.takeover import take_over_newer
from tasks.work import log, work
from tradewind.domain.connections import Role


@task(task_run_name="newer blocks", retries=1, retry_delay_seconds=1)
async def take_over_blocks() -> list[str]:
    """Copy blocks that are newer than the ledger's connections; without Prefect's server there is nothing newer."""
    async with work("normal") as at:
        try:
            return await take_over_newer(at.ledger)
        except httpx.TransportError as error:
            log("blocks were not read: %r", error)
            return []


@task(task_run_name="which stores")
async def storefronts() -> list[str]:
    """The storefronts that are not disconnected."""
    async with work("deferred") as at:
        return [str(one.key) for one in at.connected() if one.role is Role.STOREFRONT]
