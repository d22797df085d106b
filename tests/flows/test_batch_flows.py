"""The batch flows as Prefect runs them, against the sandbox: what each leaves where people and programs look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.backfill import backfill
from flows.catalog_sync import catalog_sync
from flows.reconciliation import reconciliation
from flows.replay import replay
from flows.reporting_sync import reporting_sync
from tasks.books import books_window, compare_books
from tests.flows.server import PrefectServer
from tests.flows.shop import connect, delivery, sell
from tests.sandboxes import running_sandbox
from tradewind.errors import ConfigurationError
from tradewind.ledger import inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sandbox import Sandbox
from tradewind.sync.apply import Applier
from tradewind.sync.reporting import latest_report
from tradewind.sync.views import read_view

pytestmark = pytest.mark.xdist_group("prefect")

ORDERS = 4


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A shop that has sold, and whose webhooks nobody has subscribed to."""
    with running_sandbox(seed=5) as running:
        sell(running, ORDERS)
        yield running


@pytest.fixture
def shop(ledger: Ledger, sandbox: Sandbox) -> list[str]:
    return connect(ledger, sandbox)


def recently() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


async def test_the_catalogue_of_every_store_is_read(server: PrefectServer, ledger: Ledger, shop: list[str]) -> None:
    said = await catalog_sync()
    assert "shopify:north: " in said
    assert "shopify:south: " in said
    with ledger.read() as database:
        assert len(read_view(database, "v_stock")) > 200


async def test_a_store_that_is_none_fails_and_says_so(server: PrefectServer, shop: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="stripe:main"):
        await catalog_sync("stripe:main")


async def test_a_backfill_reads_the_past_once(server: PrefectServer, ledger: Ledger, shop: list[str]) -> None:
    stores = [one for one in shop if one.startswith("shopify:")]
    said = [await backfill(store, recently()) for store in stores]
    counts = [(int(words[0]), int(words[2])) for words in (line.split() for line in said)]
    assert sum(listed for listed, _ in counts) == sum(new for _, new in counts) >= ORDERS
    again = await backfill(stores[0], recently())
    assert again == f"{counts[0][0]} listed, 0 were not known"


async def test_a_time_without_a_zone_is_utc(server: PrefectServer, shop: list[str]) -> None:
    naive = recently().replace(tzinfo=None)
    listed = (await backfill("shopify:north", recently())).split()[0]
    assert (await backfill("shopify:north", naive, naive + timedelta(hours=2))).split()[0] == listed
    assert books_window(None, naive, 0.0).since == naive.replace(tzinfo=UTC)


async def test_reports_are_published_together(
    server: PrefectServer, ledger: Ledger, shop: list[str], state_dir: Path
) -> None:
    await catalog_sync("shopify:north")
    said = await reporting_sync()
    report = latest_report(state_dir)
    assert report is not None
    assert {file.name for file in report.files} >= {"orders.parquet", "payments.parquet", "stock.parquet"}
    assert said == f"{sum(file.rows for file in report.files)} rows in {report.folder}"
    assert "stock.parquet" in server.artifact("reports")


async def test_the_books_are_compared_validated_and_left_where_people_look(
    server: PrefectServer, ledger: Ledger, shop: list[str], state_dir: Path
) -> None:
    said = await reconciliation(since=recently(), settling_s=0.0)
    latest = json.loads((state_dir / "books" / "latest.json").read_text())
    assert latest["books"]["checked"]["orders"] == ORDERS
    assert latest["books"]["discrepancies"]["missing_order"] == ORDERS
    assert latest["validations"]["failed"] == ["books: money_agrees"]
    assert said.startswith(f"{len(latest['books']['rows'])} discrepancies")
    with ledger.read() as database:
        assert inbox.counts(database)["received"] + outbox.counts(database)["pending"] > 0  # repairs are asked for
    assert f"Compared {ORDERS} orders" in server.artifact("books")
    assert "money" in server.artifact("validation")
    (failed,) = server.events("tradewind.validation.failed", latest["books"]["run_id"])
    assert [one["rule"] for one in failed["payload"]["failed"]] == ["money_agrees"]
    assert server.events("tradewind.books.compared", "tradewind.books.nightly")
    assert [name for name in completed(server) if name.startswith("books of ") and name.endswith(" on")]


def completed(server: PrefectServer) -> list[str]:
    return [one["name"] for one in server.api.runs(["COMPLETED"])]


async def test_nothing_is_repaired_when_the_form_says_so(ledger: Ledger, shop: list[str]) -> None:
    given = reconciliation.validate_parameters({"since": recently().isoformat(), "repair": "dry_run"})
    books = await compare_books.fn(books_window(None, given["since"], 0.0), given["repair"])
    assert books.discrepancies["missing_order"] == ORDERS
    assert books.repaired == 0
    with ledger.read() as database:
        assert inbox.counts(database)["received"] == outbox.counts(database)["pending"] == 0


async def test_dead_letters_are_replayed_once_each_however_often_it_is_asked(
    server: PrefectServer, ledger: Ledger
) -> None:
    applier = Applier(ledger, worker="w")
    with ledger.write() as database:
        inbox.store(database, ledger.keys, [delivery("1"), delivery("2")])
    applier.run_once()
    assert await replay() == "2 deliveries are taken in again"
    assert await replay() == "0 deliveries are taken in again"
    applier.run_once()
    assert await replay("a second try") == "2 deliveries are taken in again"
    with ledger.read() as database:
        assert inbox.counts(database) == {**inbox.counts(database), "dead": 4, "received": 2}


async def test_one_delivery_is_replayed_by_its_id(server: PrefectServer, ledger: Ledger) -> None:
    with ledger.write() as database:
        (stored,) = inbox.store(database, ledger.keys, [delivery("1")])
    Applier(ledger, worker="w").run_once()
    assert await replay("by hand", ids=[stored.id]) == "1 deliveries are taken in again"
    assert await replay("by hand", ids=[stored.id]) == "1 deliveries are taken in again"
    with ledger.read() as database:
        rows = inbox.search(database)
    assert [row.replay_of for row in rows] == [stored.id, stored.id, None]
