"""Catalogue sync: what a storefront sells, read into the ledger, and its first count of what stands where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection as Database
from sqlalchemy import select

from tradewind.domain.catalogue import CatalogueItem
from tradewind.domain.model import Model
from tradewind.domain.roles import Storefront
from tradewind.domain.stock import MovementKind, StockMovement
from tradewind.ledger import catalogue, stock
from tradewind.ledger.engine import Ledger
from tradewind.ledger.tables import stock_movement
from tradewind.sync.seam import in_thread


class CatalogueSynced(Model):
    """items: variants read. without_sku: those that cannot be kept in step. counted: first counts taken in."""

    connection: str
    items: int = 0
    without_sku: int = 0
    counted: int = 0

    def __add__(self, other: CatalogueSynced) -> CatalogueSynced:
        return CatalogueSynced(
            connection=self.connection,
            items=self.items + other.items,
            without_sku=self.without_sku + other.without_sku,
            counted=self.counted + other.counted,
        )


async def sync_catalogue(ledger: Ledger, connection: str, client: Storefront) -> CatalogueSynced:
    """Read every variant of the storefront, page by page. Raises the provider's errors; what was read is kept."""
    result = CatalogueSynced(connection=connection)
    async for page in client.catalogue():
        result += await in_thread(_take, ledger, connection, page)
    return result


def _take(ledger: Ledger, connection: str, page: Sequence[CatalogueItem]) -> CatalogueSynced:
    with ledger.write() as database:
        catalogue.upsert_items(database, page)
        counted = stock.add(database, _first_counts(database, connection, page))
    without_sku = sum(item.sku is None for item in page)
    return CatalogueSynced(connection=connection, items=len(page), without_sku=without_sku, counted=counted)


@dataclass(frozen=True)
class _Count:
    cause: str
    sku: str
    location: str
    on_hand: int


def _first_counts(database: Database, connection: str, page: Sequence[CatalogueItem]) -> list[StockMovement]:
    """What the ledger lacks to the storefront's own count, once for each item and location.

    Later counts are no movements: between a sale at the storefront and its order here, a count is already lower, and
    taking the difference in would count that sale twice.
    """
    counts = list(_counts(connection, page))
    known = _known(database, [count.cause for count in counts])
    movements = []
    for count in counts:
        if count.cause not in known:
            held = stock.levels(database, sku=count.sku).get((count.sku, count.location))
            quantity = count.on_hand - (held.on_hand if held else 0)
            movements.append(
                StockMovement(
                    sku=count.sku,
                    location=count.location,
                    kind=MovementKind.COUNTED,
                    quantity=quantity,
                    cause=count.cause,
                )
            )
    return movements


def _counts(connection: str, page: Sequence[CatalogueItem]) -> list[_Count]:
    return [
        _Count(
            cause=f"{connection}/{item.inventory_item_id or item.external_id}/{level.location}/counted",
            sku=item.sku,
            location=level.location,
            on_hand=level.on_hand,
        )
        for item in page
        if item.sku is not None
        for level in item.levels
    ]


def _known(database: Database, causes: Sequence[str]) -> set[str]:
    query = select(stock_movement.c.cause).where(stock_movement.c.cause.in_(causes))
    return set(database.execute(query).scalars())
