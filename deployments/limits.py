"""Prefect's limits, made from each provider's `limits.py`: the one source of what a provider allows."""

from __future__ import annotations

from dataclasses import dataclass

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import GlobalConcurrencyLimit
from prefect.exceptions import ObjectNotFound

from tasks.budget import limit_name
from tradewind.domain.connections import Connection
from tradewind.providers.registry import PROVIDERS


@dataclass(frozen=True)
class WantedLimit:
    """A global concurrency limit. limit: burst, in the provider's units. decay_per_s: how fast slots come back."""

    name: str
    limit: int
    decay_per_s: float


def wanted_budgets(connections: list[Connection]) -> list[WantedLimit]:
    """One shared budget per connection."""
    limits = []
    for connection in connections:
        budget = PROVIDERS[connection.key.provider].budget(connection)
        limits.append(WantedLimit(limit_name(str(connection.key)), int(budget.capacity), budget.per_second))
    return limits


def wanted_tags(connections: list[Connection]) -> dict[str, int]:
    """How many tasks of one provider may run at one time, by tag."""
    places: dict[str, int] = {}
    for connection in connections:
        budget = PROVIDERS[connection.key.provider].budget(connection)
        tag = f"provider:{connection.key.provider}"
        places[tag] = max(places.get(tag, 0), budget.max_concurrency)
    return places


async def differing_budgets(client: PrefectClient, wanted: list[WantedLimit]) -> list[WantedLimit]:
    """Those that the server has not, or has otherwise."""
    return [one for one in wanted if not _same(await _read(client, one.name), one)]


async def differing_tags(client: PrefectClient, wanted: dict[str, int]) -> dict[str, int]:
    known = {one.tag: one.concurrency_limit for one in await client.read_concurrency_limits(limit=200, offset=0)}
    return {tag: places for tag, places in wanted.items() if known.get(tag) != places}


async def apply_budgets(client: PrefectClient, limits: list[WantedLimit]) -> None:
    for one in limits:
        if await _read(client, one.name) is None:
            await client.create_global_concurrency_limit(
                GlobalConcurrencyLimitCreate(name=one.name, limit=one.limit, slot_decay_per_second=one.decay_per_s)
            )
        else:
            await client.update_global_concurrency_limit(
                one.name, GlobalConcurrencyLimitUpdate(limit=one.limit, slot_decay_per_second=one.decay_per_s)
            )


async def apply_tags(client: PrefectClient, tags: dict[str, int]) -> None:
    for tag, places in tags.items():
        await client.create_concurrency_limit(tag=tag, concurrency_limit=places)


async def _read(client: PrefectClient, name: str) -> GlobalConcurrencyLimit | None:
    try:
        found: GlobalConcurrencyLimit = await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        return None
    return found


def _same(known: GlobalConcurrencyLimit | None, wanted: WantedLimit) -> bool:
    if known is None:
        return False
    return known.limit == wanted.limit and known.slot_decay_per_second == wanted.decay_per_s
