"""Apply, on both databases: what is delivered becomes record and commands in one transaction, once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.sync.records import ORDER, document, hint, recorded, row, row_version, states, wanted
from tests.unit.domain.orders import (
    AT,
    PROCESSOR,
    STORE,
    after,
    captured,
    label_observed,
    order_observed,
    payment_observed,
    shipment_of,
    transaction,
)
from tests.unit.sync.desk import JOURNAL, connect_all, store, tell, told
from tradewind.domain.connections import ConnectionState
from tradewind.domain.events import (
    CommandSettled,
    ConnectionRevoked,
    Ignored,
)
from tradewind.domain.stock import Availability
from tradewind.ledger import connections, orders, outbox, stock
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applied, Applier
from tradewind.sync.decode import REFETCH_TOPIC


class TestRecording:
    def test_nothing_waiting_is_nothing_done(self, applier: Applier) -> None:
        assert applier.run_once() == Applied()

    def test_record_commands_links_and_stock_are_written_together(self, ledger: Ledger, applier: Applier) -> None:
        ids = tell(ledger, order_observed(), payment_observed())
        assert applier.run_once() == Applied(taken=2, changed_orders=1, commands=1)
        assert states(ledger, ids) == ["applied", "applied"]
        assert [row(ledger, id).order_id for id in ids] == [ORDER, ORDER]
        assert recorded(ledger).live
        assert wanted(ledger) == ["capture_payment"]
        with ledger.read() as database:
            assert orders.find_by_links(database, ["payment_id/pay-1"]) == {"payment_id/pay-1": ORDER}
            assert stock.levels(database) == {("MUG", "shed"): Availability(on_hand=0, reserved=2)}

    def test_an_echo_of_our_own_write_asks_for_nothing_new(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, order_observed(fully_paid=True), captured())
        applier.run_once()
        assert wanted(ledger) == ["buy_label"]
        ids = tell(ledger, order_observed(fully_paid=True, version=after(5)), captured(version=after(5)))
        assert applier.run_once() == Applied(taken=2, changed_orders=1)
        assert states(ledger, ids) == ["applied", "applied"]
        assert wanted(ledger) == ["buy_label"]

    def test_what_is_known_already_is_superseded_and_writes_no_order(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, order_observed(version=after(1)))
        applier.run_once()
        before = row_version(ledger)
        ids = tell(ledger, order_observed(version=after(1)), order_observed(version=after(0)))
        assert applier.run_once() == Applied(taken=2)
        assert states(ledger, ids) == ["superseded", "superseded"]
        assert row_version(ledger) == before

    def test_many_events_of_one_order_are_one_change(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, *(order_observed(version=after(n), name=f"#{n}") for n in (3, 1, 2)), payment_observed())
        assert applier.run_once().changed_orders == 1
        assert row_version(ledger) == 1
        placed = recorded(ledger).placed
        assert placed is not None
        assert placed.name == "#3"

    def test_a_batch_takes_no_more_than_its_limit(self, ledger: Ledger) -> None:
        connect_all(ledger)
        tell(ledger, *(order_observed(str(n)) for n in range(5)))
        applier = Applier(ledger, worker="a", limit=2)
        assert [applier.run_once().taken for _ in range(4)] == [2, 2, 1, 0]

    def test_what_was_placed_before_going_live_is_recorded_and_never_commanded(self, ledger: Ledger) -> None:
        connect_all(ledger, live_from=after(1))
        tell(ledger, order_observed(), payment_observed())
        assert Applier(ledger, worker="a").run_once() == Applied(taken=2, changed_orders=1)
        assert not recorded(ledger).live
        with ledger.read() as database:
            assert stock.levels(database) == {}

    def test_a_connection_that_was_never_live_is_recorded_alone(self, ledger: Ledger) -> None:
        connect_all(ledger, live_from=None, state=ConnectionState.READ_ONLY)
        tell(ledger, order_observed(), payment_observed())
        assert Applier(ledger, worker="a").run_once().commands == 0

    def test_personal_data_does_not_lie_open(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, order_observed(fully_paid=True), captured())
        applier.run_once()
        with ledger.read() as database:
            for table in ("orders", "outbox", "inbox", "order_line"):
                for line in database.execute(text(f"SELECT * FROM {table}")):
                    assert "lovelace" not in str(tuple(line)).lower()
                    assert "ada@example.com" not in str(tuple(line)).lower()


class TestHints:
    def test_a_hint_asks_for_a_read_once_per_resource_and_batch(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, hint(), hint(), hint("payment", "pi-9", PROCESSOR))
        assert applier.run_once() == Applied(taken=3, commands=2)
        assert wanted(ledger) == ["refetch", "refetch"]

    def test_a_hint_that_tells_nothing_newer_costs_no_call(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, order_observed(fingerprint="paid/1"))
        applier.run_once()
        (id,) = tell(ledger, hint(version=AT, fingerprint="paid/1"))
        assert applier.run_once().commands == 0
        assert (row(ledger, id).state, row(ledger, id).reason) == ("superseded", "the record is as new")

    def test_a_hint_of_the_same_second_that_shows_another_state_is_read(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, order_observed(fingerprint="paid/1"))
        applier.run_once()
        tell(ledger, hint(version=AT, fingerprint="refunded/1"))
        assert applier.run_once().commands == 1

    @pytest.mark.parametrize("kind", ["product", "inventory"])
    def test_stock_and_products_are_left_to_the_catalog_sync(self, ledger: Ledger, applier: Applier, kind: str) -> None:
        (id,) = tell(ledger, hint(kind, "9"))
        assert applier.run_once() == Applied(taken=1)
        assert row(ledger, id).state == "applied"

    def test_a_tie_is_read_again_and_the_read_decides(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, order_observed(name="#1"), order_observed(name="#2"), order_observed(name="#3"))
        assert applier.run_once().commands == 1
        assert wanted(ledger) == ["refetch"]
        tell(ledger, order_observed(name="#2"), topic=REFETCH_TOPIC)
        assert applier.run_once().commands == 0
        placed = recorded(ledger).placed
        assert placed is not None
        assert placed.name == "#2"

    @pytest.mark.parametrize(
        ("event", "resource"),
        [
            (payment_observed(payment_id="pay-1", charge_id="other"), "stripe:main/payment/pi-1"),
            (label_observed(carrier="other"), "shipstation:main/label/se-1"),
        ],
    )
    def test_a_tie_of_anything_reads_that_thing(
        self, ledger: Ledger, applier: Applier, event: Any, resource: str
    ) -> None:
        tell(ledger, order_observed(transactions=(transaction(),)), payment_observed())
        tell(ledger, label_observed())
        with ledger.write() as database:
            orders.add_links(database, ORDER, ["shipment/" + shipment_of("fo-1")])
        applier.run_once()
        tell(ledger, event)
        applier.run_once()
        with ledger.read() as database:
            asked = [one.command.target.address for one in outbox.by_order(database, ORDER) if one.verb == "refetch"]
        assert asked == [resource]


class TestOtherEvents:
    def test_a_document_is_recorded_once(self, ledger: Ledger, applier: Applier) -> None:
        ids = tell(ledger, document(), document(), connection=JOURNAL)
        applier.run_once()
        assert states(ledger, ids) == ["applied", "superseded"]
        with ledger.read() as database:
            assert database.execute(text("SELECT COUNT(*) FROM v_journal")).scalar_one() == 1

    def test_a_revoked_connection_pauses_itself_and_says_why(self, ledger: Ledger, applier: Applier) -> None:
        tell(ledger, ConnectionRevoked(connection=STORE, reason="app/uninstalled", occurred_at=AT))
        applier.run_once()
        with ledger.read() as database:
            known = connections.get(database, ledger.keys, STORE)
        assert (known.state, known.paused_reason) == (ConnectionState.PAUSED, "app/uninstalled")

    def test_what_changes_nothing_is_kept_with_its_reason(self, ledger: Ledger, applier: Applier) -> None:
        settled = CommandSettled(connection=STORE, command_key="shopify:north/1/mark_order_paid/0")
        ids = tell(ledger, Ignored(connection=STORE, reason="a charge without a payment intent"), settled)
        assert applier.run_once() == Applied(taken=2)
        assert states(ledger, ids) == ["superseded", "applied"]
        assert row(ledger, ids[0]).reason == "a charge without a payment intent"

    def test_a_delivery_of_no_event_is_done(self, ledger: Ledger, applier: Applier) -> None:
        (id,) = store(ledger, told(key="nothing"))
        applier.run_once()
        assert row(ledger, id).state == "superseded"
