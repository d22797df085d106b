"""Which connections there are, by what they do."""

from __future__ import annotations

from prefect import task

from blocks.takeover import TakenOver, take_over_newer
from tasks.work import warn, work
from tradewind.domain.connections import Role


@task(task_run_name="newer blocks", retries=1, retry_delay_seconds=1)
async def take_over_blocks() -> TakenOver:
    """Copy blocks that are newer than the ledger's connections. Raises httpx.HTTPError without Prefect's server."""
    async with work("normal") as at:
        done = await take_over_newer(at.ledger)
    for reason in done.refused.values():
        warn("not taken over: %s", reason)
    return done


@task(task_run_name="which stores")
async def storefronts() -> list[str]:
    """The storefronts that are not disconnected."""
    async with work("deferred") as at:
        return [str(one.key) for one in at.connected() if one.role is Role.STOREFRONT]
