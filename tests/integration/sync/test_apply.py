"""Apply, on both databases: what is delivered becomes record and commands in one transaction, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    refund_recorded,
    scanned,
    shipment_of,
    transaction,
)
from tests.unit.sync.desk import JOURNAL, connect_all, store, tell, told
from tradewind.domain.connections import ConnectionState
from tradewind.domain.events import (
    CommandSettled,
    ConnectionRevoked,
    Ignored,
    JournalLine,
    JournalRecorded,
    Resource,
    ResourceChanged,
)
from tradewind.domain.order import Order
from tradewind.domain.stock import Availability
from tradewind.errors import VersionConflict
from tradewind.ledger import connections, inbox, orders, outbox, stock, tables
from tradewind.ledger.engine import Ledger
from tradewind.sync import apply as apply_module
from tradewind.sync.apply import Applied, Applier
from tradewind.sync.decode import REFETCH_TOPIC

ORDER = "shopify:north/1"


@pytest.fixture
def applier(ledger: Ledger) -> Applier:
    connect_all(ledger)
    return Applier(ledger, worker="a", now=lambda: AT)


def row(ledger: Ledger, id: int) -> inbox.DeliveryRow:
    with ledger.read() as database:
        return inbox.get(database, ledger.keys, id).row


def states(ledger: Ledger, ids: Sequence[int]) -> list[str]:
    return [row(ledger, id).state for id in ids]


def recorded(ledger: Ledger, order_id: str = ORDER) -> Order:
    with ledger.read() as database:
        return orders.load(database, ledger.keys, [order_id])[order_id][0]


def row_version(ledger: Ledger) -> int:
    with ledger.read() as database:
        return orders.load(database, ledger.keys, [ORDER])[ORDER][1]


def wanted(ledger: Ledger, state: str = "pending") -> list[str]:
    """Verbs of the commands in a state, oldest first."""
    with ledger.read() as database:
        query = text("SELECT verb FROM outbox WHERE state = :state ORDER BY id")
        return list(database.execute(query, {"state": state}).scalars())


def document(name: str = "C1") -> JournalRecorded:
    line = JournalLine(sku="MUG", description="Mug", quantity=-1, unit_price="5.00")
    return JournalRecorded(
        connection=JOURNAL, document=name, kind="credit", reason="returned", occurred_at=AT, business_day=AT.date(),
        total=gbp(-500), lines=(line,),
    )  # fmt: skip


def hint(kind: Any = "order", external_id: str = "1", connection: str = STORE, **changes: Any) -> ResourceChanged:
    resource = Resource(connection=connection, kind=kind, external_id=external_id)
    return ResourceChanged(resource=resource, **changes)


def drain(applier: Applier) -> Applied:
    total = Applied()
    while (applied := applier.run_once()).taken:
        total += applied
    return total


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


class TestParking:
    def test_a_payment_waits_for_its_order(self, ledger: Ledger, applier: Applier) -> None:
        (payment,) = tell(ledger, payment_observed())
        assert applier.run_once() == Applied(taken=1)
        assert (row(ledger, payment).state, row(ledger, payment).waits_for) == ("parked", "payment_id/pay-1")
        tell(ledger, order_observed())
        drain(applier)
        assert row(ledger, payment).state == "applied"
        assert [one.external_id for one in recorded(ledger).payments] == ["pi-1"]
        assert wanted(ledger) == ["capture_payment"]

    def test_what_is_parked_in_the_batch_of_its_order_is_taken_next(self, ledger: Ledger, applier: Applier) -> None:
        ids = tell(ledger, payment_observed(), order_observed())
        assert drain(applier).taken == 3
        assert states(ledger, ids) == ["applied", "applied"]

    def test_a_label_waits_for_its_shipment(self, ledger: Ledger, applier: Applier) -> None:
        (label,) = tell(ledger, label_observed(), connection=CARRIER)
        applier.run_once()
        assert row(ledger, label).waits_for == f"shipment/{shipment_of('fo-1')}"
        tell(ledger, order_observed(fully_paid=True), captured())
        drain(applier)
        assert row(ledger, label).state == "applied"
        assert len(recorded(ledger).labels) == 1

    def test_a_scan_waits_for_its_label(self, ledger: Ledger, applier: Applier) -> None:
        (scan,) = tell(ledger, scanned("delivered"), connection=CARRIER)
        tell(ledger, order_observed(fully_paid=True), captured())
        drain(applier)
        assert row(ledger, scan).state == "parked"
        tell(ledger, label_observed())
        drain(applier)
        assert row(ledger, scan).state == "applied"
        assert recorded(ledger).labels[0].tracking_status == "delivered"

    def test_a_delivery_of_which_one_event_waits_is_taken_again_as_a_whole(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        (id,) = store(ledger, told(order_observed(), payment_observed("pi-2", payment_id="pay-2"), key="both"))
        applier.run_once()
        assert row(ledger, id).state == "parked"
        assert recorded(ledger).placed is not None
        tell(ledger, order_observed("2", transactions=(transaction(payment_id="pay-2"),)))
        drain(applier)
        assert row(ledger, id).state == "applied"
        assert [one.external_id for one in recorded(ledger, f"{STORE}/2").payments] == ["pi-2"]

    def test_a_refund_before_its_order_makes_the_record_and_asks_for_the_order(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        tell(ledger, refund_recorded())
        assert applier.run_once() == Applied(taken=1, changed_orders=1, commands=1)
        assert recorded(ledger).placed is None
        assert wanted(ledger) == ["refetch"]


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


class TestPoison:
    def raw(self, body: bytes, key: str = "wh-1", topic: str = "orders/create") -> inbox.Delivery:
        return told(key=key, topic=topic, source="webhook", body=body, format="raw")

    def test_bodies_that_cannot_be_read_are_dead_with_their_reasons_and_the_rest_goes_on(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        bodies = [b"", b"{", b"[]", b'{"id": "x"}', b"\xff\xfe", b'"text"', b"null", b"[" * 100_000]
        poison = store(ledger, *(self.raw(body, key=f"wh-{n}") for n, body in enumerate(bodies)))
        ids = tell(ledger, order_observed(), payment_observed())
        applied = applier.run_once()
        assert (applied.taken, applied.changed_orders) == (len(bodies) + 2, 1)
        assert [id for id, _ in applied.dead] == poison
        assert set(states(ledger, poison)) == {"dead"}
        assert states(ledger, ids) == ["applied", "applied"]
        assert all((row(ledger, id).reason or "").startswith("SchemaMismatch: ") for id in poison)

    def test_the_reason_tells_no_personal_data(self, ledger: Ledger, applier: Applier) -> None:
        body = json.loads(told(order_observed(), key="k").body)
        body[0]["placed"]["customer"]["age"] = "Lovelace"
        body[0]["placed"]["ship_to"]["line1"] = ["12 Lovelace Street"]
        (id,) = store(ledger, told(key="k", body=json.dumps(body).encode()))
        applier.run_once()
        reason = row(ledger, id).reason or ""
        assert "placed.ship_to.line1" in reason
        assert "Lovelace" not in reason

    def test_one_of_our_own_events_that_does_not_fit_is_dead(self, ledger: Ledger, applier: Applier) -> None:
        (id,) = store(ledger, told(key="k", body=b'[{"type": "order_observed"}]'))
        assert [dead for dead, _ in applier.run_once().dead] == [id]

    def test_an_order_told_in_another_currency_is_refused_and_nothing_of_it_kept(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        tell(ledger, order_observed())
        applier.run_once()
        before = recorded(ledger)
        other = order_observed(version=after(1), currency="EUR")
        # An event of the same delivery that could be taken is not taken either.
        (id,) = store(ledger, told(payment_observed(), other, key="both"))
        (later,) = tell(ledger, refund_recorded())
        applied = applier.run_once()
        assert applied.dead == ((id, f"InvalidTransition: {ORDER} would have amounts in EUR and GBP"),)
        assert row(ledger, later).state == "applied"
        assert recorded(ledger).placed == before.placed
        assert recorded(ledger).payments == ()
        assert recorded(ledger).refunds != ()

    @pytest.mark.parametrize("first", ["order", "payment"])
    def test_a_payment_in_another_currency_stops_nothing_else(
        self, ledger: Ledger, applier: Applier, first: str
    ) -> None:
        euros = {"currency": "EUR", "minor": 1250}
        foreign = payment_observed(authorized=euros, captured=euros | {"minor": 0}, refunded=euros | {"minor": 0})
        events = [order_observed(), foreign]
        ids = tell(ledger, *(events if first == "order" else reversed(events)), order_observed("2"))
        drain(applier)
        assert sorted(states(ledger, ids)) == ["applied", "applied", "dead"]
        assert recorded(ledger, f"{STORE}/2").placed is not None

    def test_what_the_database_cannot_hold_is_dead_and_the_rest_goes_on(self, ledger: Ledger, applier: Applier) -> None:
        events = [order_observed(str(n), total=gbp(10**30 if n == 3 else 1250)) for n in range(7)]
        ids = tell(ledger, *events)
        applied = applier.run_once()
        assert (applied.taken, applied.changed_orders) == (7, 6)
        assert [id for id, _ in applied.dead] == [ids[3]]
        assert states(ledger, ids) == ["dead" if n == 3 else "applied" for n in range(7)]
        assert "INSERT" not in (row(ledger, ids[3]).reason or "")

    def test_a_fault_of_our_own_stops_its_own_delivery_alone(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = apply_module.plan

        def plan(order: Order, routes: Any) -> Any:
            if order.external_id == "2":
                raise ZeroDivisionError("of our own")
            return real(order, routes)

        monkeypatch.setattr(apply_module, "plan", plan)
        ids = tell(ledger, *(order_observed(str(n)) for n in range(4)))
        assert applier.run_once().dead == ((ids[2], "ZeroDivisionError: of our own"),)
        assert states(ledger, ids) == ["applied", "applied", "dead", "applied"]

    def test_a_dead_delivery_is_taken_when_it_is_replayed_after_a_fix(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (id,) = tell(ledger, order_observed())
        with monkeypatch.context() as broken:
            broken.setattr(apply_module, "plan", lambda *_: 1 / 0)
            applier.run_once()
        assert row(ledger, id).state == "dead"
        with ledger.write() as database:
            again = inbox.replay(database, ledger.keys, id)
        applier.run_once()
        assert (row(ledger, again).state, row(ledger, again).replay_of) == ("applied", id)
        assert row(ledger, id).state == "dead"


class TestFencing:
    def meanwhile(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
        """Do something between the claim and the commit of the next batch."""
        real = Applier._apply

        def apply(self: Applier, claimed: Any) -> Applied:
            monkeypatch.setattr(Applier, "_apply", real)
            act()
            return real(self, claimed)

        monkeypatch.setattr(Applier, "_apply", apply)

    def test_a_lost_lease_writes_nothing(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = tell(ledger, order_observed(), order_observed("2"))
        other = Applier(ledger, worker="b")

        def taken_over() -> None:
            with ledger.write() as database:
                database.execute(
                    update(tables.inbox)
                    .where(tables.inbox.c.id == ids[1])
                    .values(lease_until=datetime(2020, 1, 1, tzinfo=UTC))
                )
            assert other.run_once().taken == 1

        self.meanwhile(ledger, monkeypatch, taken_over)
        assert applier.run_once() == Applied()
        assert states(ledger, ids) == ["claimed", "applied"]
        with ledger.read() as database:
            assert list(orders.load(database, ledger.keys, [ORDER, f"{STORE}/2"])) == [f"{STORE}/2"]
            assert outbox.counts(database)["pending"] == 0

    def test_an_order_that_was_changed_meanwhile_is_not_overwritten(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell(ledger, order_observed())
        applier.run_once()
        (id,) = tell(ledger, order_observed(version=after(1)))
        real = orders.save_many

        def save_many(database: Any, keys: Any, pairs: Any) -> None:
            changed = [(one, version - 1) for one, version in pairs]
            real(database, keys, changed)

        with monkeypatch.context() as racing:
            racing.setattr(orders, "save_many", save_many)
            assert applier.run_once() == Applied()
        assert states(ledger, [id]) == ["received"]
        assert row_version(ledger) == 1
        assert applier.run_once().taken == 1
        assert row_version(ledger) == 2

    def test_what_a_part_of_a_batch_has_settled_stays_settled_when_the_rest_is_given_back(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One delivery is at fault, so the batch is halved; an order of the second half is changed meanwhile."""
        ids = tell(ledger, *(order_observed(str(n)) for n in range(4)))
        real, real_plan = orders.save_many, apply_module.plan

        def save_many(database: Any, keys: Any, pairs: Any) -> None:
            if any(one.external_id == "3" for one, _ in pairs):
                raise VersionConflict("1 of 2 orders was changed by someone else")
            real(database, keys, pairs)

        def plan(order: Order, routes: Any) -> Any:
            return 1 / 0 if order.external_id == "0" else real_plan(order, routes)

        with monkeypatch.context() as racing:
            racing.setattr(orders, "save_many", save_many)
            racing.setattr(apply_module, "plan", plan)
            applier.run_once()
        assert states(ledger, ids) == ["dead", "applied", "received", "received"]
        assert applier.run_once().taken == 2

    def test_a_batch_given_up_is_claimed_again_after_its_lease(self, ledger: Ledger) -> None:
        connect_all(ledger)
        (id,) = tell(ledger, order_observed())
        with ledger.write() as database:
            inbox.claim(database, ledger.keys, worker="dead", limit=10, lease_s=0)
        assert Applier(ledger, worker="a").run_once().taken == 1
        assert (row(ledger, id).state, row(ledger, id).attempts) == ("applied", 2)

    def test_a_ledger_that_is_away_kills_no_delivery(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = tell(ledger, order_observed(), order_observed("2"))

        def away(*_: Any) -> None:
            raise OperationalError("INSERT", None, OSError("server closed the connection"))

        with monkeypatch.context() as broken:
            broken.setattr(stock, "add", away)
            with pytest.raises(OperationalError):
                applier.run_once()
        assert states(ledger, ids) == ["claimed", "claimed"]
