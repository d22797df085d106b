"""Blocks taken over into the ledger's connection table, one way, each when it is newer than the table."""

from __future__ import annotations

from collections.abc import AsyncIterator

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from blocks import ACCOUNT_BLOCKS, ConnectedAccount
from tradewind.ledger.engine import Ledger


async def take_over_newer(ledger: Ledger) -> list[str]:
    """Copy every account block that is newer than the ledger's connection; gives the connections that changed.

    Raises httpx.HTTPError when Prefect's server does not answer.
    """
    return [str(account.key) async for account in _accounts() if account.copy_to(ledger)]


async def _accounts() -> AsyncIterator[ConnectedAccount]:
    async with get_client() as client:
        for block_type in ACCOUNT_BLOCKS.values():
            try:
                documents = await client.read_block_documents_by_type(block_type.get_block_type_slug())
            except ObjectNotFound:
                continue  # the type is not registered before the first `tradewind deploy`
            for document in documents:
                yield await block_type.aload(document.name or "", client=client)
