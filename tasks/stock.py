"""Steps of the catalog sync."""

from __future__ import annotations

from prefect import task

from tasks.retries import BATCH_RETRIES
from tasks.work import work
from tradewind.domain.roles import Storefront
from tradewind.errors import ConfigurationError
from tradewind.sync.catalogue import CatalogueSynced, sync_catalogue


@task(task_run_name="catalogue of {connection}", **BATCH_RETRIES)
async def read_catalogue(connection: str) -> CatalogueSynced:
    """Read every variant of a store with its counts."""
    async with work("deferred") as at:
        client = at.client(connection)
        if not isinstance(client, Storefront):
            raise ConfigurationError("store", connection, "is no storefront")
        return await sync_catalogue(at.ledger, connection, client)
