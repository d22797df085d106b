"""Prefect's limits on tasks, made from each provider's `limits.py`: the one source of what a provider allows.

How fast a provider may be called is governed in the core, call by call (see `tradewind.sync.leases`); these say how
many tasks of one provider may run at one time.
"""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient

from tasks.retries import provider_tag
from tradewind.domain.connections import Connection
from tradewind.providers.registry import PROVIDERS


def wanted_tags(connections: list[Connection]) -> dict[str, int]:
    """How many tasks of one provider may run at one time, by tag."""
    places: dict[str, int] = {}
    for connection in connections:
        budget = PROVIDERS[connection.key.provider].budget(connection)
        tag = provider_tag(str(connection.key))
        places[tag] = max(places.get(tag, 0), budget.max_concurrency)
    return places


async def differing(client: PrefectClient, wanted: dict[str, int]) -> dict[str, int]:
    """Those that the server has not, or has otherwise."""
    known = {one.tag: one.concurrency_limit for one in await client.read_concurrency_limits(limit=200, offset=0)}
    return {tag: places for tag, places in wanted.items() if known.get(tag) != places}


async def apply(client: PrefectClient, tags: dict[str, int]) -> None:
    for tag, places in tags.items():
        await client.create_concurrency_limit(tag=tag, concurrency_limit=places)
