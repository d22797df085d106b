"""order-sync as Prefect runs it, with real orders of the sandbox and nobody to deliver webhooks."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from prefect import task

import flows.order_sync
from flows.order_sync import order_sync
from tests.flows.server import PrefectServer
from tests.flows.shop import connect, delivery, sell, until
from tests.sandboxes import running_sandbox
from tradewind.errors import ProviderUnavailable
from tradewind.ledger import dead_letters, inbox
from tradewind.ledger.dead_letters import Group
from tradewind.ledger.engine import Ledger
from tradewind.sandbox import Sandbox
from tradewind.sync.runner import is_drained

pytestmark = pytest.mark.xdist_group("prefect")

ORDERS = 3


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(seed=5) as running:
        yield running


@asynccontextmanager
async def running(sweep_interval_s: float = 0.5) -> AsyncIterator[asyncio.Task[str]]:
    """A run of the flow, ended by SIGTERM at the end of the block."""
    run = asyncio.create_task(order_sync(window_s=120.0, sweep_interval_s=sweep_interval_s))
    try:
        yield run
    finally:
        if not run.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait({run}, timeout=60.0)


def shipped(sandbox: Sandbox) -> int:
    return int(sandbox.world.progress()["fulfilled"])


def dead(ledger: Ledger) -> int:
    with ledger.read() as database:
        return inbox.counts(database)["dead"]


def untold(ledger: Ledger) -> list[Group]:
    with ledger.read() as database:
        return dead_letters.unannounced(database)


async def test_a_window_ships_what_no_webhook_told_and_announces_what_is_dead(
    server: PrefectServer, ledger: Ledger, sandbox: Sandbox
) -> None:
    connect(ledger, sandbox)
    await asyncio.to_thread(sell, sandbox, ORDERS)
    ended = sandbox.world.progress()
    with ledger.write() as database:
        (odd,) = inbox.store(database, ledger.keys, [delivery("odd")])
    async with running() as run:
        await until(lambda: shipped(sandbox) + int(ended["cancelled"]) >= ORDERS and is_drained(ledger))
        await until(lambda: dead(ledger) == 1 and not untold(ledger))
        assert not run.done()
    said = run.result()
    assert "deliveries applied" in said
    # Told again when a busy server has not confirmed it in time.
    letter, *_ = server.events("tradewind.dead-letter", "tradewind.dead-letters.SchemaMismatch.shopify.decode")
    assert letter["payload"]["count"] == 1
    assert letter["payload"]["example"]["id"] == str(odd.id)
    assert "SchemaMismatch" in letter["payload"]["example"]["reason"]
    summary = server.artifact("order-sync-window")
    assert "SchemaMismatch.shopify.decode" in summary
    assert "| inbox applied |" in summary


async def test_one_failing_sweep_holds_up_neither_the_others_nor_the_orders_nor_the_end(
    server: PrefectServer, ledger: Ledger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = connect(ledger, sandbox)
    seen: list[str] = []

    @task
    async def sweep(connection: str, within_s: float) -> None:
        if connection == "stripe:main":
            raise ProviderUnavailable("down")
        if connection == "shipstation:main":
            await asyncio.Event().wait()  # a provider that never answers
        seen.append(connection)

    @task
    async def check(connection: str) -> None:
        seen.append(f"{connection} checked")

    monkeypatch.setattr(flows.order_sync, "sweep_connection", sweep)
    monkeypatch.setattr(flows.order_sync, "watch_subscriptions", check)
    healthy = [key for key in keys if key not in ("stripe:main", "shipstation:main")]
    async with running() as run:
        await until(lambda: {*healthy, *(f"{key} checked" for key in healthy), "stripe:main checked"} <= set(seen))
        with ledger.write() as database:
            inbox.store(database, ledger.keys, [delivery("odd")])
        await until(lambda: dead(ledger) == 1)
    assert run.done()
    assert run.result() == "1 deliveries applied, 0 commands sent"
