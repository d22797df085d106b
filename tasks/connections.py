"""Which connections there are, by what they do."""

from __future__ import annotations

from prefect import task

from tasks.work import work
from tradewind.domain.connections import Role


@task(task_run_name="which stores")
async def storefronts() -> list[str]:
    """The storefronts that are not disconnected."""
    async with work("deferred") as at:
        return [str(one.key) for one in at.connected() if one.role is Role.STOREFRONT]
