"""Dispatch, on both databases: every call once in effect, whatever becomes of its answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    label_observed,
    order_observed,
    payment_observed,
)
from tests.unit.sync.desk import Desk, connect_all, tell
from tradewind.domain.commands import Refetch, VoidLabel
from tradewind.domain.connections import ConnectionState
from tradewind.domain.events import Resource
from tradewind.errors import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    SchemaMismatch,
)
from tradewind.ledger import connections, inbox, outbox, tables
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger
from tradewind.sync import dispatch as dispatch_module
from tradewind.sync import seam
from tradewind.sync.apply import Applier
from tradewind.sync.dispatch import LAST_GENERATION, Dispatcher

ORDER = "shopify:north/1"
PAID = (order_observed(fully_paid=True), captured())
CANCELLED = order_observed(version=after(9), fully_paid=True, cancelled_at=after(9))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Office:
    """A ledger with its applier and dispatcher, and a desk in place of the providers."""

    def __init__(self, ledger: Ledger) -> None:
        connect_all(ledger)
        self.ledger = ledger
        self.desk = Desk()
        self.dead: list[tuple[str, str]] = []
        self.applier = Applier(ledger, worker="a")
        self.dispatcher = Dispatcher(
            ledger, self.desk, worker="d", now=lambda: AT, rng=random.Random(1),
            on_dead=lambda key, reason: self.dead.append((key, reason)),
        )  # fmt: skip

    def tell(self, *events: Any, **changes: Any) -> None:
        """Take events in, until nothing waits."""
        tell(self.ledger, *events, **changes)
        self.apply()

    def apply(self) -> None:
        while self.applier.run_once().taken:
            pass

    async def claim(self, connection: str) -> list[outbox.Due]:
        self.hurry()
        return await self.dispatcher.claim(connection, 10)

    async def send(self, connection: str) -> outbox.Due:
        """Send the one command that the connection has."""
        (due,) = await self.claim(connection)
        await self.dispatcher.send(due)
        return due

    def hurry(self) -> None:
        """Whatever waits for its next attempt may go now."""
        with self.ledger.write() as database:
            database.execute(
                update(tables.outbox).where(tables.outbox.c.state == "pending").values(next_attempt_at=LONG_AGO)
            )

    def abandon(self) -> None:
        """The worker of every command in flight has died: its lease runs out."""
        with self.ledger.write() as database:
            database.execute(
                update(tables.outbox).where(tables.outbox.c.state == "in_flight").values(lease_until=LONG_AGO)
            )

    def shorten_leases(self, left: timedelta) -> None:
        """Every lease of a command in flight ends so soon."""
        with self.ledger.write() as database:
            database.execute(
                update(tables.outbox)
                .where(tables.outbox.c.state == "in_flight")
                .values(lease_until=db_now(database) + left)
            )

    def leased_for(self) -> timedelta:
        """How long the one command in flight is held from now."""
        held = select(tables.outbox.c.lease_until).where(tables.outbox.c.state == "in_flight")
        with self.ledger.read() as database:
            return database.execute(held).scalar_one() - db_now(database)

    def commands(self) -> dict[str, outbox.CommandRow]:
        """The last command of each verb."""
        with self.ledger.read() as database:
            return {row.verb: row for row in outbox.by_order(database, ORDER)}

    def command(self, verb: str) -> outbox.CommandRow:
        return self.commands()[verb]

    def outcomes(self) -> Sequence[inbox.DeliveryRow]:
        with self.ledger.read() as database:
            found = inbox.search(database, limit=100)
        return [row for row in found if row.source == "outcome"]


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger)


class TestEffect:
    async def test_a_call_that_succeeds_is_done_and_its_events_enter_the_inbox(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", [captured(version=after(1))])
        due = await office.send(PROCESSOR)
        (call,) = office.desk.calls
        assert call.arguments == (due.command, f"{due.key}/0")
        assert office.command("capture_payment").state == "done"
        (outcome,) = office.outcomes()
        assert (outcome.connection, outcome.topic, outcome.correlation, outcome.state) == (
            PROCESSOR, "outcome/capture_payment", due.key, "received"
        )  # fmt: skip
        office.apply()
        assert office.commands().keys() == {"capture_payment", "mark_order_paid", "buy_label"}

    async def test_a_call_without_an_event_of_its_own_is_settled_all_the_same(self, office: Office) -> None:
        office.tell(order_observed(), captured())
        await office.send(STORE)
        assert office.desk.asked == ["mark_paid"]
        office.apply()
        assert office.command("mark_order_paid").state == "done"
        assert [row.state for row in office.outcomes()] == ["applied"]

    @pytest.mark.parametrize(
        ("events", "connection", "method"),
        [
            ((order_observed(), payment_observed()), PROCESSOR, "capture"),
            ((CANCELLED, payment_observed()), PROCESSOR, "cancel"),
            ((CANCELLED, captured()), PROCESSOR, "refund"),
            ((order_observed(), captured()), STORE, "mark_paid"),
            ((*PAID, label_observed()), STORE, "fulfill"),
            ((*PAID, label_observed(), CANCELLED), CARRIER, "void_label"),
        ],
    )
    async def test_each_command_goes_to_the_role_that_performs_it(
        self, office: Office, events: tuple[Any, ...], connection: str, method: str
    ) -> None:
        for event in events:
            office.tell(event)
        with office.ledger.write() as database:
            # What was wanted on the way is not what this is about.
            database.execute(update(tables.outbox).where(tables.outbox.c.verb == "buy_label").values(state="done"))
        await office.send(connection)
        assert [(call.connection, call.method) for call in office.desk.calls] == [(connection, method)]

    async def test_a_refetch_is_authoritative_and_never_rechecked(self, office: Office) -> None:
        office.tell(order_observed(name="#1"), order_observed(name="#2"))
        office.desk.will("fetch", [order_observed(name="#2")])
        await office.send(STORE)
        assert [row.topic for row in office.outcomes()] == ["outcome/refetch"]
        office.apply()
        with office.ledger.read() as database:
            assert database.execute(text("SELECT name FROM orders")).scalar_one() == "#2"


class TestNoAnswer:
    @pytest.mark.parametrize("error", [OutcomeUnknown("sent"), ProviderUnavailable("away"), RateLimited("slow down")])
    async def test_the_same_key_goes_again(self, office: Office, error: Exception) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", error, [captured(version=after(1))])
        first = await office.send(PROCESSOR)
        waiting = office.command("capture_payment")
        assert (waiting.state, waiting.generation) == ("pending", 0)
        assert waiting.reason == f"{type(error).__name__}: {error}"
        again = await office.send(PROCESSOR)
        assert [call.arguments[1] for call in office.desk.calls] == [first.idempotency_key] * 2
        assert (again.attempts, office.command("capture_payment").state) == (2, "done")

    async def test_the_provider_says_when(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", RateLimited("slow down", retry_after_s=1000.0))
        before = datetime.now(UTC)
        await office.send(PROCESSOR)
        assert (office.command("capture_payment").next_attempt_at - before).total_seconds() >= 999
        assert await office.dispatcher.claim(PROCESSOR, 10) == []

    async def test_the_wait_grows_with_every_attempt(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        waits = []
        for _ in range(5):
            office.desk.will("capture", ProviderUnavailable("away"))
            before = datetime.now(UTC)
            await office.send(PROCESSOR)
            waits.append((office.command("capture_payment").next_attempt_at - before).total_seconds())
        for attempt, wait in enumerate(waits):
            assert 0.25 * 2**attempt <= wait + 0.1
            assert wait <= 0.5 * 2**attempt + 5

    async def test_a_worker_that_dies_in_mid_call_is_followed_under_the_same_key(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        (lost,) = await office.claim(PROCESSOR)
        office.abandon()
        again = await office.send(PROCESSOR)
        assert (again.idempotency_key, again.attempts) == (lost.idempotency_key, 2)


class TestRefusal:
    async def test_the_target_is_looked_up_and_the_next_generation_goes_under_a_new_key(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", RequestRejected("no", code="intent_state"), [captured(version=after(2))])
        office.desk.will("fetch", [payment_observed(version=after(1))])
        await office.send(PROCESSOR)
        assert office.desk.calls[1].arguments == (Resource(connection=PROCESSOR, kind="payment", external_id="pi-1"),)
        waiting = office.command("capture_payment")
        assert (waiting.state, waiting.generation, waiting.reason) == ("pending", 1, "RequestRejected: no")
        office.apply()
        await office.send(PROCESSOR)
        keys = [call.arguments[1] for call in office.desk.calls if call.method == "capture"]
        assert [key.rpartition("/")[2] for key in keys] == ["0", "1"]
        assert office.command("capture_payment").state == "done"

    async def test_where_the_world_has_moved_on_the_next_generation_is_not_sent(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", RequestRejected("already captured"))
        office.desk.will("fetch", [captured(version=after(1))])
        await office.send(PROCESSOR)
        office.apply()
        await office.send(PROCESSOR)
        assert office.desk.asked == ["capture", "fetch"]
        settled = office.command("capture_payment")
        assert (settled.state, settled.reason) == ("cancelled", "the record no longer asks for it")

    async def test_the_last_generation_is_dead_and_told(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        for _ in range(LAST_GENERATION + 1):
            office.desk.will("capture", RequestRejected("card_declined"))
            due = await office.send(PROCESSOR)
        assert office.command("capture_payment").state == "dead"
        assert office.dead == [(due.key, "RequestRejected: card_declined")]
        assert office.desk.asked.count("fetch") == LAST_GENERATION

    async def test_a_dead_command_can_be_tried_again(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", SchemaMismatch("odd answer"), [captured(version=after(1))])
        due = await office.send(PROCESSOR)
        assert office.command("capture_payment").state == "dead"
        with office.ledger.write() as database:
            outbox.retry_dead(database, due.key)
        await office.send(PROCESSOR)
        assert office.command("capture_payment").state == "done"

    @pytest.mark.parametrize("error", [ProviderUnavailable("away"), OutcomeUnknown("timed out")])
    async def test_while_the_target_cannot_be_looked_up_the_command_waits(
        self, office: Office, error: Exception
    ) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", RequestRejected("no"))
        office.desk.will("fetch", error)
        await office.send(PROCESSOR)
        waiting = office.command("capture_payment")
        assert (waiting.state, waiting.generation) == ("pending", 0)

    @pytest.mark.parametrize("error", [RequestRejected("no such payment", status=404), SchemaMismatch("odd")])
    async def test_a_target_that_cannot_be_read_at_all_makes_it_dead_with_the_refusal(
        self, office: Office, error: Exception
    ) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", RequestRejected("refused"))
        office.desk.will("fetch", error)
        await office.send(PROCESSOR)
        assert office.command("capture_payment").state == "dead"
        assert [reason for _, reason in office.dead] == ["RequestRejected: refused"]

    async def test_a_refused_refetch_is_dead_at_once(self, office: Office) -> None:
        office.tell(order_observed(name="#1"), order_observed(name="#2"))
        office.desk.will("fetch", RequestRejected("access denied"))
        await office.send(STORE)
        assert office.desk.asked == ["fetch"]
        assert office.command("refetch").state == "dead"

    @pytest.mark.parametrize(
        "error", [ConfigurationError("connection", "stripe:main", "is not connected"), ZeroDivisionError("ours")]
    )
    async def test_a_fault_of_our_own_is_kept_with_its_reason(self, office: Office, error: Exception) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", error)
        await office.send(PROCESSOR)
        dead = office.command("capture_payment")
        assert (dead.state, dead.reason) == ("dead", f"{type(error).__name__}: {error}")


class TestWhoMayWrite:
    @pytest.mark.parametrize("state", [ConnectionState.PAUSED, ConnectionState.READ_ONLY])
    async def test_a_connection_that_is_not_live_is_only_read(self, office: Office, state: ConnectionState) -> None:
        office.tell(*PAID)
        office.tell(order_observed(fully_paid=True, name="#tie"), label_observed(version=after(1)))
        with office.ledger.write() as database:
            connections.set_state(database, STORE, state)
        office.desk.will("fetch", [order_observed(fully_paid=True, name="#tie")])
        due = await office.send(STORE)
        assert isinstance(due.command, Refetch)
        assert await office.claim(STORE) == []
        assert office.command("create_fulfillment").state == "pending"
        with office.ledger.write() as database:
            connections.set_state(database, STORE, ConnectionState.LIVE)
        office.apply()
        await office.send(STORE)
        assert office.desk.asked == ["fetch", "fulfill"]

    async def test_a_command_of_no_known_order_is_not_sent(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        with office.ledger.write() as database:
            database.execute(update(tables.outbox).values(order_id="shopify:north/404"))
            assert database.execute(text("SELECT command FROM outbox")).scalar_one()
        (due,) = await office.claim(PROCESSOR)
        orphan = due.command.model_copy(update={"order_id": None})
        stray = due.command.model_copy(update={"order_id": "shopify:north/404"})
        for command in (orphan, stray):
            assert await asyncio.to_thread(office.dispatcher._asked_for, command) is None
        await office.dispatcher.send(outbox.Due(**{**vars(due), "command": stray}))
        assert office.desk.calls == []


class TestLostLedger:
    async def test_a_ledger_lost_after_the_call_repeats_only_the_commit(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.tell(order_observed(), payment_observed())
        office.desk.will("capture", [captured(version=after(1))])
        monkeypatch.setattr(seam, "LEDGER_AWAY_S", 0.01)
        real, failures = outbox.succeed, [OSError("gone"), OSError("still gone")]

        def succeed(database: Any, due: outbox.Due) -> None:
            if failures:
                raise OperationalError("UPDATE", None, failures.pop())
            real(database, due)

        # The dispatcher takes the function at the time of the call.
        monkeypatch.setattr(outbox, "succeed", succeed)
        await office.send(PROCESSOR)
        assert failures == []
        assert office.desk.asked == ["capture"]
        assert office.command("capture_payment").state == "done"
        assert len(office.outcomes()) == 1

    async def test_a_ledger_lost_before_the_call_sends_nothing(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.tell(order_observed(), payment_observed())
        (due,) = await office.claim(PROCESSOR)

        def asked_for(*_: Any) -> None:
            raise OperationalError("SELECT", None, OSError("gone"))

        with monkeypatch.context() as broken:
            broken.setattr(office.dispatcher, "_asked_for", asked_for)
            await office.dispatcher.send(due)
        assert office.desk.calls == []
        assert office.command("capture_payment").state == "pending"

    async def test_what_another_worker_has_taken_over_is_not_settled_here(self, office: Office) -> None:
        office.tell(order_observed(), payment_observed())
        (due,) = await office.claim(PROCESSOR)

        async def slow(*_: Any) -> Any:
            office.abandon()
            await office.dispatcher.claim(PROCESSOR, 1)
            return [captured(version=after(1))]

        office.desk.will("capture", slow)
        await office.dispatcher.send(due)
        held = office.command("capture_payment")
        assert (held.state, held.attempts) == ("in_flight", 2)
        assert office.outcomes() == []


async def test_a_connection_of_another_role_is_a_fault_of_our_own(office: Office) -> None:
    office.tell(*PAID, label_observed())
    (due,) = await office.claim(STORE)
    misrouted = due.command.model_copy(update={"connection": PROCESSOR})
    await office.dispatcher.send(outbox.Due(**{**vars(due), "command": misrouted}))
    assert office.desk.calls == []


async def test_a_read_is_no_single_call_of_a_role(office: Office) -> None:
    resource = Resource(connection=STORE, kind="order", external_id="1")
    command = Refetch(connection=STORE, order_id=None, resource=resource)
    with pytest.raises(TypeError, match="not performed by a single call"):
        await dispatch_module.call(office.desk(STORE), command, "key")
    with pytest.raises(TypeError, match="is no Carrier"):
        await dispatch_module.call(
            office.desk(STORE), VoidLabel(connection=STORE, order_id=None, label="se-1"), "key"
        )  # fmt: skip
