"""A span of the past, read into the ledger. It is recorded, never commanded."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from tasks.orders import tagged
from tasks.past import read_past


@flow(name="backfill", flow_run_name="{connection} from {since} on")
async def backfill(connection: str, since: datetime, until: datetime | None = None) -> str:
    """Read what a connection lists of a span; what is known already changes nothing.

    Args:
        connection: Such as `shopify:north`.
        since: Start of the span.
        until: Its end; now, if not given.
    """
    read = await tagged(read_past, connection)(connection, since, until)
    return f"{read.listed} listed, {read.new} were not known"
