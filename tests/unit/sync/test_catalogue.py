"""Catalogue sync on a real ledger: items read, first counts taken in once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.books_fakes import AT, STORE, FakeStore, Shop, gbp, order_observed, record, settled_order
from tradewind.domain.catalogue import CatalogueItem, StockLevel
from tradewind.domain.stock import Availability
from tradewind.errors import ProviderUnavailable
from tradewind.ledger import catalogue, stock
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.sync.catalogue import sync_catalogue


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    yield opened
    opened.close()


class Shelf(FakeStore):
    """A storefront with these pages of items; an exception among them is raised."""

    def __init__(self, *pages: Sequence[CatalogueItem] | Exception) -> None:
        super().__init__(Shop())
        self.pages = pages

    async def catalogue(self) -> AsyncIterator[Sequence[CatalogueItem]]:
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


def item(number: int = 1, *, on_hand: int = 10, **changes: Any) -> CatalogueItem:
    level = StockLevel(location="shed", location_name="Shed", on_hand=on_hand, available=on_hand)
    values: dict[str, Any] = {
        "connection": STORE, "external_id": f"variant-{number}", "inventory_item_id": f"inventory-{number}",
        "sku": "MUG", "title": "Mug", "price": gbp(500), "updated_at": AT, "levels": (level,),
    }  # fmt: skip
    return CatalogueItem(**values | changes)


def levels(ledger: Ledger) -> dict[tuple[str, str], Availability]:
    with ledger.read() as database:
        return stock.levels(database)


async def test_items_of_every_page_are_read(ledger: Ledger) -> None:
    shelf = Shelf([item(1)], [item(2, sku="CUP"), item(3, sku=None)])
    synced = await sync_catalogue(ledger, STORE, shelf)
    assert (synced.items, synced.without_sku, synced.counted) == (3, 1, 2)
    with ledger.read() as database:
        assert [one.sku for one in catalogue.items(database)] == ["MUG", "CUP", None]


async def test_the_first_count_is_taken_in_once(ledger: Ledger) -> None:
    await sync_catalogue(ledger, STORE, Shelf([item(on_hand=10)]))
    again = await sync_catalogue(ledger, STORE, Shelf([item(on_hand=8)]))
    assert again.counted == 0
    assert levels(ledger)["MUG", "shed"].on_hand == 10


async def test_the_first_count_adds_only_what_the_ledger_lacks(ledger: Ledger) -> None:
    record(ledger, settled_order(order_observed()))  # two mugs reserved and shipped before anything was counted
    assert levels(ledger)["MUG", "shed"] == Availability(on_hand=-2, reserved=0)
    await sync_catalogue(ledger, STORE, Shelf([item(on_hand=8)]))
    assert levels(ledger)["MUG", "shed"] == Availability(on_hand=8, reserved=0)


async def test_what_was_read_before_a_failure_is_kept(ledger: Ledger) -> None:
    shelf = Shelf([item(1)], ProviderUnavailable("away"))
    with pytest.raises(ProviderUnavailable):
        await sync_catalogue(ledger, STORE, shelf)
    assert levels(ledger)["MUG", "shed"].on_hand == 10
