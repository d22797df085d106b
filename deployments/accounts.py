"""The blocks that the project needs: one per connection, the ledger's, and the alert channel's webhook."""

from __future__ import annotations

from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import PrefectClient

from blocks import ACCOUNT_BLOCKS, AlertChannel, LedgerDatabase
from tradewind.domain.connections import Connection
from tradewind.settings import Settings

ALERTS = "alerts"
ALERT_WEBHOOK = "tradewind-alerts"
LEDGER = "ledger"
NO_RECEIVER = "http://127.0.0.1:9/no-alert-channel-is-set"


def block_name(connection: Connection) -> str:
    """The name of a connection's block, e.g. `shopify-north`."""
    return str(connection.key).replace(":", "-").replace("_", "-")


async def differing_blocks(client: PrefectClient, connections: list[Connection]) -> list[Connection]:
    """Connections without a block, or whose block is of another revision."""
    differing = []
    for connection in connections:
        known = await _load(connection)
        if known is None or known.revision != connection.revision:
            differing.append(connection)
    return differing


async def write_missing(connections: list[Connection]) -> list[str]:
    """Write the blocks that are missing or older than their connection; gives their names."""
    written = []
    for connection in connections:
        name, known = block_name(connection), await _load(connection)
        if known is None or known.revision < connection.revision:
            await ACCOUNT_BLOCKS[connection.key.provider].of(connection).save(name, overwrite=True)
            written.append(name)
    return written


async def register_types() -> None:
    """Make the block types known, so that the UI shows their forms."""
    for block_type in (*ACCOUNT_BLOCKS.values(), AlertChannel, LedgerDatabase):
        await block_type.register_type_and_schema()


async def save_ledger(settings: Settings) -> None:
    await LedgerDatabase(database_url=settings.database_url, keys_url=settings.keys_url).save(LEDGER, overwrite=True)


async def alert_webhook(client: PrefectClient, alert_url: str | None) -> UUID:
    """The id of the webhook block that alerts go to, made of the AlertChannel block `alerts`.

    alert_url: where alerts go from now on; None keeps what the block says. Without a channel alerts go nowhere, and
    `tradewind doctor` says so.
    """
    if alert_url is not None:
        await AlertChannel(url=alert_url).save(ALERTS, overwrite=True)
    try:
        url = (await AlertChannel.aload(ALERTS)).url.get_secret_value()
    except ValueError:
        url = NO_RECEIVER
    webhook = Webhook(method="POST", url=url, headers={"content-type": "application/json"})
    return await webhook.save(ALERT_WEBHOOK, overwrite=True)


async def _load(connection: Connection) -> object | None:
    try:
        return await ACCOUNT_BLOCKS[connection.key.provider].aload(block_name(connection))
    except ValueError:
        return None
