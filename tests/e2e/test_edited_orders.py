"""Orders that are edited after their money was captured: what was too much goes back once, and the books agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import Shop, open_shop
from tests.e2e.test_orders_end_to_end import assert_clean, buy, set_state
from tradewind.domain.connections import ConnectionState
from tradewind.ledger import connections
from tradewind.sync.reconcile import reconcile
from tradewind.sync.sides import Window

SEED = 2
"""Of it the first order is of several units, and paid at the processor."""


async def edited(shop: Shop) -> int:
    """One unit less of the order's first line; gives what it costs less, in pence."""
    order = the_order(shop)
    before, line = order.current_total, order.lines[0]
    assert sum(each.current_quantity for each in order.lines) > 1
    desk = shop.sandbox.shopify["north"].desk
    assert await shop.act(lambda: desk.edit(order.id, set_to={line.id: line.current_quantity - 1}))
    return int((before - order.current_total) * 100)


def the_order(shop: Shop) -> Any:
    (order,) = shop.sandbox.shopify["north"].orders.values()
    return order


async def moved(shop: Shop, kind: str) -> list[int]:
    return [fact["amount_minor"] for fact in (await shop.truth())["facts"] if fact["kind"] == kind]


async def has(shop: Shop, kind: str) -> bool:
    return bool(await moved(shop, kind))


async def told(shop: Shop) -> bool:
    return bool(
        await shop.act(lambda: any(t.kind == "SALE" and t.status == "SUCCESS" for t in the_order(shop).transactions))
    )


async def books(shop: Shop) -> dict[str, int]:
    now = datetime.now(UTC)
    window = Window.between(now - timedelta(hours=1), now + timedelta(seconds=5))
    return (await reconcile(shop.ledger, shop.clients, window)).discrepancies


async def test_an_edit_between_capture_and_telling_gives_the_difference_back(tmp_path: Path) -> None:
    """The store is told of the lower total alone, and never knows that more was captured."""
    async with open_shop(tmp_path, seed=SEED) as shop:
        set_state(shop, "shopify:north", ConnectionState.PAUSED)
        async with shop.syncing():
            await buy(shop, orders=1)
            await shop.until(partial(has, shop, "captured"))
            excess = await edited(shop)
            await shop.until(partial(has, shop, "refunded"))
            set_state(shop, "shopify:north", ConnectionState.LIVE)
            await shop.settled()
            verdict = await shop.verdict()
        assert await moved(shop, "refunded") == [excess]
        assert_clean(verdict)
        assert verdict["money"]["refunded_minor"] == excess
        assert await books(shop) == {}


@pytest.mark.parametrize("first", ["ours", "the store's"])
async def test_what_the_store_refunds_too_goes_back_once(tmp_path: Path, first: str) -> None:
    async with open_shop(tmp_path, seed=SEED) as shop:
        set_state(shop, "shipstation:main", ConnectionState.PAUSED)
        async with shop.syncing():
            await buy(shop, orders=1)
            await shop.until(partial(told, shop))
            if first != "ours":
                set_state(shop, "stripe:main", ConnectionState.PAUSED)
            excess = await edited(shop)
            if first == "ours":
                await shop.until(partial(has, shop, "refunded"))
            desk = shop.sandbox.shopify["north"].desk
            assert await shop.act(lambda: desk.give_back_excess(the_order(shop).id))
            set_state(shop, "stripe:main", ConnectionState.LIVE)
            set_state(shop, "shipstation:main", ConnectionState.LIVE)
            await shop.until(partial(has, shop, "refunded"))
            await shop.settled()
            verdict = await shop.verdict()
        assert await moved(shop, "refunded") == [excess]
        assert_clean(verdict)
        assert await books(shop) == {}


async def test_where_people_want_to_do_it_themselves_the_books_tell_them(tmp_path: Path) -> None:
    async with open_shop(tmp_path, seed=SEED) as shop:
        with shop.ledger.write() as database:
            connections.update_settings(
                database, shop.ledger.keys, "shopify:north", {"refund_overcapture": "manual"}
            )  # fmt: skip
        set_state(shop, "shopify:north", ConnectionState.PAUSED)
        async with shop.syncing():
            await buy(shop, orders=1)
            await shop.until(partial(has, shop, "captured"))
            await edited(shop)
            set_state(shop, "shopify:north", ConnectionState.LIVE)
            await shop.settled()
        assert await moved(shop, "refunded") == []
        assert await books(shop) == {"amount_mismatch": 1}
