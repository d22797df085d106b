"""Webhook in, everything settled: whatever is lost, repeated or cut off on the way."""

from __future__ import annotations

import base64
import dataclasses
import hmac
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.e2e.shop import Shop, open_shop, post
from tradewind.domain.connections import ConnectionState
from tradewind.errors import SchemaMismatch
from tradewind.ledger import connections, inbox, tables
from tradewind.sandbox.faults import Rate
from tradewind.sync import decode as decode_module
from tradewind.sync.runner import is_drained

ORDERS = 8
CLEAN = {
    "lost": 0,
    "duplicate_shipments": 0,
    "shipped_after_cancel": 0,
    "throttled": 0,
}  # fmt: skip


def assert_clean(verdict: dict[str, Any], *, dead: int = 0) -> None:
    assert {name: verdict[name] for name in CLEAN} == CLEAN
    money = verdict["money"]
    assert money["captured_minor"] == money["books_captured_minor"]
    assert money["refunded_minor"] == money["books_refunded_minor"]
    left = {name: count for name, count in verdict["left_over"].items() if count}
    assert left == ({"inbox_dead": dead} if dead else {})


async def buy(shop: Shop, orders: int = ORDERS, rate_per_s: float = 20.0) -> None:
    """Let shoppers place orders, and wait until all have."""
    await shop.act(lambda: shop.sandbox.world.start(orders=orders, rate_per_s=rate_per_s))
    await shop.until(lambda: placed(shop, orders))


async def placed(shop: Shop, orders: int) -> bool:
    return bool(await shop.act(lambda: shop.sandbox.world.progress()["placed"] == orders))


async def test_webhooks_alone_bring_every_order_to_its_end(tmp_path: Path) -> None:
    async with open_shop(tmp_path, seed=2) as shop, shop.syncing():
        await buy(shop)
        await shop.settled()
        verdict = await shop.verdict()
        sources = {row.source for row in shop.deliveries()}
    assert_clean(verdict)
    assert (verdict["orders_placed"], verdict["orders_shipped"]) == (ORDERS, ORDERS)
    assert sources == {"webhook", "outcome"}


async def test_repeated_reordered_late_and_lost_webhooks_and_lost_answers_change_nothing(tmp_path: Path) -> None:
    async with open_shop(tmp_path, seed=1, faults="mild", sweep_every_s=1.0) as shop:
        lose_webhooks(shop, 0.25)
        async with shop.syncing():
            await buy(shop)
            await shop.settled()
            verdict = await shop.verdict()
            fired = dict(shop.sandbox.faults.fired)
    assert_clean(verdict)
    assert verdict["orders_placed"] == ORDERS
    assert {"duplicate", "reorder", "lose"} <= fired.keys()


def lose_webhooks(shop: Shop, probability: float) -> None:
    """More of them than the level says, so that it happens with few orders."""
    faults = shop.sandbox.faults
    faults._rates = {**faults._rates, "lose": Rate(probability)}


async def test_without_a_single_webhook_the_sweeps_bring_every_order_to_its_end(tmp_path: Path) -> None:
    async with open_shop(tmp_path, seed=3, sweep_every_s=1.0) as shop:
        lose_webhooks(shop, 1.0)
        async with shop.syncing():
            await buy(shop, orders=4)
            await shop.settled()
            verdict = await shop.verdict()
            with shop.ledger.read() as database:
                came_as = {tuple(row) for row in database.execute(select(tables.inbox.c.source, tables.inbox.c.format))}
    assert_clean(verdict)
    assert verdict["orders_shipped"] == 4
    # Stripe keeps what its webhooks tell: the sweep found that, and no webhook brought it.
    assert came_as == {("poll", "event"), ("outcome", "event"), ("webhook", "listed")}


async def test_a_worker_that_dies_is_followed_by_another_and_nothing_is_done_twice(tmp_path: Path) -> None:
    async with open_shop(tmp_path, seed=2) as shop:
        # A lease longer than any call here, so that only the dead lose theirs.
        for deaths in range(3):
            async with shop.syncing(lease_s=5.0) as running:
                if not deaths:
                    await buy(shop, orders=5, rate_per_s=50.0)
                await shop.until(partial(under_way, shop, labels=deaths))
                running.cancel()
        async with shop.syncing(lease_s=5.0):
            await shop.settled()
            verdict = await shop.verdict()
    assert_clean(verdict)
    assert verdict["orders_shipped"] == 5


async def under_way(shop: Shop, *, labels: int) -> bool:
    return bool(await shop.act(lambda: shop.sandbox.world.progress()["labels"] >= labels))


class TestCancelling:
    async def test_before_anything_was_done(self, tmp_path: Path) -> None:
        """The money is released or given back, and no label is bought."""
        async with open_shop(tmp_path, seed=2) as shop:
            await buy(shop, orders=4)
            orders = (await shop.truth())["orders"]
            assert [await cancel(shop, order) for order in orders] == [True] * 4
            async with shop.syncing():
                await shop.settled()
                verdict = await shop.verdict()
        assert_clean(verdict)
        assert (verdict["orders_cancelled"], verdict["orders_shipped"], verdict["latency_p50_s"]) == (4, 0, None)

    async def test_after_the_label_was_bought(self, tmp_path: Path) -> None:
        """The label is given back, and so is the money."""
        async with open_shop(tmp_path, seed=2) as shop:
            # The store cannot be told of parcels, so every order waits with its label bought.
            set_state(shop, "shopify:north", ConnectionState.PAUSED)
            async with shop.syncing():
                await buy(shop, orders=1)
                await shop.until(partial(under_way, shop, labels=1))
                (order,) = (await shop.truth())["orders"]
                assert await cancel(shop, order)
                set_state(shop, "shopify:north", ConnectionState.LIVE)
                await shop.settled()
                verdict, truth = await shop.verdict(), await shop.truth()
        assert_clean(verdict)
        (label,) = truth["orders"][0]["label_requests"]
        assert label["voided_at"] is not None
        assert verdict["money"]["refunded_minor"] == verdict["money"]["captured_minor"] > 0

    async def test_after_it_was_shipped_the_store_refuses(self, tmp_path: Path) -> None:
        async with open_shop(tmp_path, seed=2) as shop, shop.syncing():
            await buy(shop, orders=2)
            await shop.settled()
            orders = (await shop.truth())["orders"]
            assert [await cancel(shop, order) for order in orders] == [False, False]
            await shop.settled()
            verdict = await shop.verdict()
        assert_clean(verdict)
        assert verdict["orders_shipped"] == 2


async def cancel(shop: Shop, order: dict[str, Any]) -> bool:
    store = shop.sandbox.shopify[order["store"]]
    return await shop.act(lambda: store.cancel_order(order["order_id"], reason="CUSTOMER", refund=True))


def set_state(shop: Shop, connection: str, state: ConnectionState) -> None:
    with shop.ledger.write() as database:
        connections.set_state(database, connection, state, actor="test")


async def test_a_refund_at_the_store_is_made_where_the_money_is(tmp_path: Path) -> None:
    async with open_shop(tmp_path, seed=2) as shop, shop.syncing():
        await buy(shop, orders=1)
        await shop.settled()
        (order,) = (await shop.truth())["orders"]
        store = shop.sandbox.shopify["north"]
        line = store.order(order["order_id"]).lines[0]
        assert await shop.act(lambda: store.refund_order(order["order_id"], [(line.id, 1)], None, "broken"))
        await shop.until(partial(refunded, shop))
        await shop.settled()
        verdict = await shop.verdict()
    assert_clean(verdict)
    assert 0 < verdict["money"]["refunded_minor"] <= verdict["money"]["captured_minor"]


async def refunded(shop: Shop) -> bool:
    return any(fact["kind"] == "refunded" for fact in (await shop.truth())["facts"])


class TestBadInput:
    def signed(self, shop: Shop, body: bytes) -> dict[str, str]:
        secret = shop.sandbox.describe()["shopify"][0]["client_secret"]
        digest = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        return {
            "X-Shopify-Topic": "orders/create",
            "X-Shopify-Hmac-Sha256": digest,
            "X-Shopify-Webhook-Id": f"bad-{len(body)}",
        }

    async def test_a_malformed_payload_that_is_well_signed_ends_dead_and_orders_go_on(self, tmp_path: Path) -> None:
        async with open_shop(tmp_path, seed=2) as shop, shop.syncing():
            url = f"{shop.settings.public_url}/hooks/shopify/north"
            bodies = [b"", b"{", json.dumps({"id": "no number"}).encode()]
            assert [await post(url, body, self.signed(shop, body)) for body in bodies] == [200] * 3
            assert await post(url, b"{}", self.signed(shop, b"{ }")) == 401
            await buy(shop, orders=1)
            await shop.settled()
            verdict, dead = await shop.verdict(), shop.deliveries(state="dead")
        assert_clean(verdict, dead=3)
        assert verdict["orders_shipped"] == 1
        assert all((row.reason or "").startswith("SchemaMismatch: ") for row in dead)

    async def test_a_dead_delivery_is_replayed_after_a_fix(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A version of ours that cannot read any webhook of the store; then one that can."""
        async with open_shop(tmp_path, seed=2) as shop, shop.syncing():
            with monkeypatch.context() as broken:
                broken.setattr(decode_module, "provider_of", unreadable(decode_module.provider_of))
                await buy(shop, orders=1)
                await shop.until(partial(drained_with_dead, shop))
            dead = shop.deliveries(state="dead")
            assert {row.reason for row in dead} == {"SchemaMismatch: orders cannot be read"}
            with shop.ledger.write() as database:
                again = {inbox.replay(database, shop.ledger.keys, row.id): row.id for row in dead}
            await shop.settled()
            verdict = await shop.verdict()
            replayed = {row.id: row for row in shop.deliveries() if row.source == "replay"}
        assert_clean(verdict, dead=len(dead))
        assert verdict["orders_shipped"] == 1
        assert {id: row.replay_of for id, row in replayed.items()} == again
        assert {row.state for row in replayed.values()} <= {"applied", "superseded"}


def unreadable(provider_of: Any) -> Any:
    """Providers of which the store's mapping raises."""

    def events(*_: Any, **__: Any) -> Any:
        raise SchemaMismatch("orders cannot be read")

    def broken(connection: str) -> Any:
        found = provider_of(connection)
        return dataclasses.replace(found, events=events) if connection.startswith("shopify:") else found

    return broken


async def drained_with_dead(shop: Shop) -> bool:
    quiet = await shop.act(lambda: shop.sandbox.world.progress()["quiet"])
    return bool(quiet) and is_drained(shop.ledger) and bool(shop.deliveries(state="dead"))
