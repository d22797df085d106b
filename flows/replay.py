"""Deliveries taken in again, after what made them fail was mended."""

from __future__ import annotations

from prefect import flow

from tasks.past import dead_deliveries, replay_deliveries


@flow(name="replay", flow_run_name="replay of {what}")
async def replay(
    what: str = "dead letters", ids: list[int] | None = None, connection: str | None = None, limit: int = 500
) -> str:
    """Take deliveries in again: those named by id, or all dead ones.

    Args:
        what: A word on why, for the run's name.
        ids: Ids of deliveries, as `tradewind deliveries list` shows them; without any, the dead ones are taken.
        connection: Only dead ones of this connection.
        limit: At most so many.
    """
    chosen = ids or await dead_deliveries(connection, limit)
    again = await replay_deliveries(chosen)
    return f"{len(again)} deliveries are taken in again"
