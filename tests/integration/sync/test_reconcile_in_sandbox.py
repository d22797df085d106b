"""Reconciliation against the sandbox over HTTP: no webhook ever arrives here, so the books alone find everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from expectations.checkpoint import validate
from expectations.frames import read_frames
from expectations.verdict import Verdict
from tests.sandboxes import eventually, in_loop, running_sandbox
from tradewind.demo.sandbox import connections_of
from tradewind.governor import Governor
from tradewind.ledger import connections, discrepancies
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.sandbox import Sandbox
from tradewind.settings import Settings
from tradewind.sync.apply import Applier
from tradewind.sync.catalogue import sync_catalogue
from tradewind.sync.clients import ClientPool
from tradewind.sync.dispatch import Dispatcher
from tradewind.sync.reconcile import Books, reconcile
from tradewind.sync.reporting import daily_totals, read_data_sets
from tradewind.sync.runner import Runner, is_drained
from tradewind.sync.sides import Window

ORDERS = 12
LONG_S = 90.0


pytestmark = pytest.mark.xdist_group("great-expectations")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    yield opened
    opened.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(seed=3) as running:
        yield running


@asynccontextmanager
async def connected(ledger: Ledger, sandbox: Sandbox) -> AsyncIterator[ClientPool]:
    with ledger.write() as database:
        for connection in connections_of(sandbox.describe(), datetime.now(UTC) - timedelta(minutes=1)):
            connections.put(database, ledger.keys, connection, actor="test")
    clients = ClientPool(ledger, Governor())
    try:
        yield clients
    finally:
        await clients.aclose()


async def settle(ledger: Ledger, clients: ClientPool) -> None:
    """Let the order sync work until nothing waits."""
    runner = Runner(ledger, Applier(ledger, worker="w"), Dispatcher(ledger, clients, worker="w"), clients)
    running = asyncio.create_task(runner.run())
    async with asyncio.timeout(LONG_S):
        while not is_drained(ledger):
            assert not running.done()
            await asyncio.sleep(0.05)
    runner.stop()
    totals = await running
    assert totals.dead == []


async def compare(ledger: Ledger, clients: ClientPool, began: datetime) -> Books:
    return await reconcile(ledger, clients, Window.between(began, datetime.now(UTC)))


def expected(ledger: Ledger, state_dir: Path) -> Verdict:
    return validate(read_frames(ledger), state_dir=state_dir, run_name="test", taken_at=datetime.now(UTC), emit=False)


async def test_the_books_find_everything_that_no_webhook_told(ledger: Ledger, sandbox: Sandbox, tmp_path: Path) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    async with connected(ledger, sandbox) as clients:
        for store in ("shopify:north", "shopify:south"):
            assert (await sync_catalogue(ledger, store, clients(store))).counted > 200  # type: ignore[arg-type]
        in_loop(sandbox, lambda: sandbox.world.start(orders=ORDERS, rate_per_s=20.0))
        await asyncio.to_thread(eventually, lambda: sandbox.world.progress()["quiet"], LONG_S)

        first = await compare(ledger, clients, began)
        assert first.checked["orders"] == ORDERS
        assert first.discrepancies["missing_order"] == ORDERS
        assert first.repaired == sum(one.ledger_lags for one in first.rows)
        await settle(ledger, clients)
        settled = await compare(ledger, clients, began)
        assert settled.rows == ()
        assert settled.checked["labels"] > 0
        assert expected(ledger, tmp_path).failed == ()

        stray = in_loop(sandbox, lambda: sandbox.world.plant("stray_charge"))
        refund = in_loop(sandbox, lambda: sandbox.world.plant("silent_refund"))
        document = {
            "document": "C1", "kind": "credit", "reason": "returned", "occurred_at": datetime.now(UTC).isoformat(),
            "currency": "GBP", "total": "-12.50", "lines": [],
        }  # fmt: skip
        in_loop(sandbox, lambda: sandbox.backoffice["main"].post_document(document))
        spoilt = await compare(ledger, clients, began)
        assert spoilt.discrepancies == {
            "journal_missing": 1, "refund_mismatch": 1, "stale_payment": 1, "stray_payment": 1
        }  # fmt: skip
        found = {one.kind.value: one for one in spoilt.rows}
        assert found["stray_payment"].subject == f"stripe:main/payment/{stray['payment_id']}"
        assert found["stale_payment"].subject == f"stripe:main/payment/{refund['payment_id']}"
        difference = found["refund_mismatch"].difference
        assert difference is not None
        assert difference.minor == refund["amount_minor"]

        await settle(ledger, clients)
        left = await compare(ledger, clients, began)
        assert left.discrepancies == {"refund_mismatch": 1, "stray_payment": 1}
        assert left.repaired == 0
    assert [check.rule for check in expected(ledger, tmp_path).failed] == ["money_agrees"]
    with ledger.read() as database:
        assert sorted(row.kind for row in discrepancies.open(database)) == ["refund_mismatch", "stray_payment"]
    totals = daily_totals(read_data_sets(ledger))
    assert sum(one.entries for one in totals if one.kind == "sale") == ORDERS
    assert [str(one.total) for one in totals if one.kind == "credit"] == ["-12.50 GBP"]
