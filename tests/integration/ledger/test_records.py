"""Journal, catalogue, cursors, discrepancies and workers."""

from datetime import date, timedelta

from sqlalchemy import select, update

from tests.integration.ledger.examples import AT, STORE, gbp
from tradewind.domain.catalogue import CatalogueItem, StockLevel
from tradewind.domain.events import JournalLine, JournalRecorded
from tradewind.ledger import catalogue, cursors, discrepancies, journal, tables, workers
from tradewind.ledger.cursors import Cursor
from tradewind.ledger.discrepancies import Discrepancy
from tradewind.ledger.engine import Ledger

DAY = date(2026, 11, 20)


def document(name: str = "C1", total: str = "-12.50") -> JournalRecorded:
    return JournalRecorded(
        connection="backoffice:main",
        document=name,
        kind="credit",
        reason="stand-alone credit",
        occurred_at=AT,
        business_day=DAY,
        total=gbp(total),
        lines=(JournalLine(sku="SKU-1", description="Mug", quantity=-1, unit_price="12.50"),),
    )


def item(external_id: str = "v-1", **changes: object) -> CatalogueItem:
    plain = CatalogueItem(
        connection=STORE,
        external_id=external_id,
        inventory_item_id="i-1",
        sku="SKU-1",
        title="Mug",
        price=gbp("12.50"),
        updated_at=AT,
        levels=(StockLevel(location="l-1", location_name="North", on_hand=5, available=4),),
    )
    return plain.model_copy(update=changes)


def test_document_is_recorded_once(ledger: Ledger) -> None:
    with ledger.write() as conn:
        assert journal.add(conn, document())
        assert not journal.add(conn, document(total="-1.00"))
        assert journal.of_day(conn, DAY) == [document()]
        assert journal.of_day(conn, DAY + timedelta(days=1)) == []


def test_item_and_its_levels_are_replaced(ledger: Ledger) -> None:
    fewer = (StockLevel(location="l-2", location_name="South", on_hand=1, available=1),)
    with ledger.write() as conn:
        assert catalogue.upsert_items(conn, [item(), item("v-2", sku=None), item()]) == 2
        catalogue.upsert_items(conn, [item(levels=fewer, title="Cup")])
        assert catalogue.items(conn) == [item(levels=fewer, title="Cup"), item("v-2", sku=None)]
        assert catalogue.items(conn, connection="shopify:south") == []


def test_an_older_page_does_not_replace_an_item(ledger: Ledger) -> None:
    with ledger.write() as conn:
        catalogue.upsert_items(conn, [item(title="new")])
        catalogue.upsert_items(conn, [item(title="old", updated_at=AT - timedelta(seconds=1), levels=())])
        assert catalogue.items(conn) == [item(title="new")]


def test_no_items_are_no_work(ledger: Ledger) -> None:
    with ledger.write() as conn:
        assert catalogue.upsert_items(conn, []) == 0


def test_cursor_only_advances(ledger: Ledger) -> None:
    name = f"{STORE}/orders"
    with ledger.write() as conn:
        assert cursors.get(conn, name) is None
        assert cursors.set(conn, name, Cursor(AT, "5"))
        assert not cursors.set(conn, name, Cursor(AT, "4"))
        assert not cursors.set(conn, name, Cursor(AT - timedelta(seconds=1), "9"))
        assert cursors.set(conn, name, Cursor(AT, "6"))
        assert cursors.set(conn, name, Cursor(AT + timedelta(seconds=1), ""))
        assert cursors.get(conn, name) == Cursor(AT + timedelta(seconds=1), "")


def test_discrepancy_found_again_stays_one_until_it_is_settled(ledger: Ledger) -> None:
    unpaid = Discrepancy("amount", "shopify:north/1", "12.50", "10.00", amount=250, currency="GBP", detail="look")
    with ledger.write() as conn:
        (first,) = discrepancies.record(conn, "run-1", [unpaid])
        assert discrepancies.record(conn, "run-2", [unpaid, Discrepancy("missing", "shopify:north/1")])[0] == first
        assert [row.kind for row in discrepancies.open(conn)] == ["amount", "missing"]
        assert [row.id for row in discrepancies.of_run(conn, "run-1")] == []
        assert discrepancies.resolve(conn, [first], "repaired", "read again") == 1
        assert discrepancies.resolve(conn, [first], "repaired", "read again") == 0
        assert [row.kind for row in discrepancies.open(conn)] == ["missing"]
        assert discrepancies.record(conn, "run-3", [unpaid]) != [first]


def test_workers_count_while_they_are_heard_of(ledger: Ledger) -> None:
    with ledger.write() as conn:
        for name, kind in (("a", "order-sync"), ("b", "order-sync"), ("c", "sweep"), ("a", "order-sync")):
            workers.register(conn, name, kind)
        assert (workers.alive(conn), workers.alive(conn, kind="sweep")) == (3, 1)
        seen = conn.execute(select(tables.worker.c.seen_at).where(tables.worker.c.id == "a")).scalar_one()
        conn.execute(update(tables.worker).values(seen_at=seen - timedelta(days=2)))
        workers.heartbeat(conn, "b")
        assert workers.alive(conn) == 1
        assert conn.execute(select(tables.worker.c.id)).scalars().all() == ["b"]
        workers.leave(conn, "b")
        assert workers.alive(conn) == 0
