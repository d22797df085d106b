"""Blocks taken over into the ledger's connection table, one way, each when it is newer than the table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from blocks import ACCOUNT_BLOCKS, ConnectedAccount
from tradewind.errors import ConfigurationError
from tradewind.ledger.engine import Ledger


@dataclass
class TakenOver:
    """taken: the connections that changed. refused: why a block is none that can be taken over, by its name."""

    taken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


async def take_over_newer(ledger: Ledger) -> TakenOver:
    """Copy every account block that is newer than the ledger's connection; a faulty one does not hold up the others.

    Raises httpx.HTTPError when Prefect's server does not answer.
    """
    done = TakenOver()
    async with get_client() as client:
        async for block_type, name in _names(client):
            try:
                account = await block_type.aload(name, client=client)
            except RuntimeError as error:
                # A field filled in wrongly in Prefect's UI. The message names the block, and none of its values.
                done.refused[name] = str(error)
                continue
            try:
                if account.copy_to(ledger):
                    done.taken.append(str(account.key))
            except ConfigurationError as error:
                done.refused[name] = str(error)
    return done


async def _names(client: PrefectClient) -> AsyncIterator[tuple[type[ConnectedAccount], str]]:
    for block_type in ACCOUNT_BLOCKS.values():
        try:
            await client.read_block_type_by_slug(block_type.get_block_type_slug())
        except ObjectNotFound:
            continue  # the type is not registered before the first `tradewind deploy`
        documents = await client.read_block_documents_by_type(block_type.get_block_type_slug(), include_secrets=False)
        for document in documents:
            if document.name:
                yield block_type, document.name
