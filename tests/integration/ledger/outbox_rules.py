"""What can happen to the outbox, in any order: told to the ledger and to its model, which agree after each step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import Connection, select

from tests.integration.ledger.examples import CARRIER, PROCESSOR, STORE, buy_label, capture, connection, gbp, refetch
from tests.integration.ledger.inbox_rules import LEASES_S, LONG_S, InboxRules
from tests.integration.ledger.outbox_model import OutboxModel
from tradewind.domain.commands import CancelPayment, Command, command_adapter
from tradewind.domain.connections import ConnectionState, Role
from tradewind.errors import LeaseLost
from tradewind.ledger import connections, outbox, tables
from tradewind.ledger.outbox import Due

ROLES = {STORE: Role.STOREFRONT, PROCESSOR: Role.PAYMENT_PROCESSOR, CARRIER: Role.CARRIER}
ORDERS = ("shopify:north/1", "shopify:north/2", None)
COMMANDS: list[Command] = [
    *(capture(payment, order) for payment, order in zip(("pi_1", "pi_2", "pi_3"), ORDERS, strict=True)),
    CancelPayment(connection=PROCESSOR, order_id=None, payment="pi_1"),
    *(buy_label(order, shipment) for shipment, order in zip(("tw-1", "tw-2"), ORDERS, strict=False)),  # type: ignore[arg-type]
    *(refetch(number, order) for number, order in zip("123", ORDERS, strict=True)),
]
DELAYS_S = st.sampled_from([0, 30, 300])


class OutboxRules(InboxRules):
    """calls: every claim that was ever made, by whoever made it, however old."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = OutboxModel()
        self.calls: list[Due] = []
        self.sent: set[tuple[str, int]] = set()

    @initialize()
    def connect(self) -> None:
        with self.ledger.write() as conn:
            for key, role in ROLES.items():
                connections.put(conn, self.ledger.keys, connection(key, role))
                connections.set_state(conn, key, ConnectionState.LIVE)

    @rule(key=st.sampled_from(sorted(ROLES)), pauses=st.booleans())
    def pause(self, key: str, pauses: bool) -> None:
        with self.ledger.write() as conn:
            if pauses:
                connections.set_state(conn, key, ConnectionState.PAUSED, reason="by hand")
            else:
                connections.resume(conn, key, ConnectionState.LIVE, actor="ann")

    @rule(commands=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=4), crashes=st.booleans())
    def ask(self, commands: list[Command], crashes: bool) -> None:
        with self.transaction(crashes) as conn:
            added = outbox.add(conn, commands, self.clock.at)
        if not crashes:
            assert sorted(added) == sorted(self.outbox.add(commands, self.clock.at))

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), commands=st.lists(st.sampled_from(COMMANDS), max_size=2), crashes=st.booleans())
    def apply(self, data: st.DataObject, commands: list[Command], crashes: bool) -> None:
        """Deliveries are finished and commands asked for in one transaction: both, or neither."""
        added: list[str] = []

        def ask(conn: Connection) -> None:
            added.extend(outbox.add(conn, commands, self.clock.at))

        if self.settle(self.outcomes(data), crashes, ask):
            assert sorted(added) == sorted(self.outbox.add(commands, self.clock.at))

    @rule(
        key=st.sampled_from(sorted(ROLES)), limit=st.sampled_from([1, 2, 50]), lease_s=LEASES_S, crashes=st.booleans()
    )
    def send(self, key: str, limit: int, lease_s: int, crashes: bool) -> None:
        """Whoever claims may crash before the commit, or forget what it holds."""
        with self.ledger.read() as conn:
            writes = connections.state(conn, key) is ConnectionState.LIVE
            may_find = outbox.has_due(conn, key, writes=writes)
        expected = self.outbox.next(key, self.clock.at, writes=writes, limit=limit)
        with self.transaction(crashes) as conn:
            due = outbox.claim_due(conn, key, worker="ann", limit=limit, lease_s=lease_s, writes=writes)
        assert [one.key for one in due] == expected
        assert may_find or not due
        for one in [] if crashes else due:
            fresh = self.outbox.entries[one.key].first_attempt_at is None
            each = self.outbox.taken(one.key, self.clock.at, self.clock.at + timedelta(seconds=lease_s))
            assert (one.epoch, one.attempts, one.generation) == (each.epoch, each.attempts, each.generation)
            assert (one.fresh, one.command) == (fresh, each.command)
            assert fresh == ((one.key, one.generation) not in self.sent)
            self.sent.add((one.key, one.generation))
            self.calls.append(one)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), crashes=st.booleans())
    def succeed(self, data: st.DataObject, crashes: bool) -> None:
        due = self.call(data)
        if self.answer(due, crashes, lambda conn: outbox.succeed(conn, due)):
            self.outbox.entries[due.key].end("done")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), delay_s=DELAYS_S, crashes=st.booleans())
    def postpone(self, data: st.DataObject, delay_s: int, crashes: bool) -> None:
        due = self.call(data)
        if self.answer(due, crashes, lambda conn: outbox.postpone(conn, due, reason="slow", delay_s=delay_s)):
            each = self.outbox.entries[due.key]
            each.state, each.lease_until = "pending", None
            each.next_attempt_at = self.clock.at + timedelta(seconds=delay_s)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), delay_s=DELAYS_S, again=st.booleans(), crashes=st.booleans())
    def fail(self, data: st.DataObject, delay_s: int, again: bool, crashes: bool) -> None:
        due = self.call(data)
        told = {"reason": "RequestRejected: no", "next_generation": again, "delay_s": delay_s}
        if self.answer(due, crashes, lambda conn: outbox.fail(conn, due, **told)):  # type: ignore[arg-type]
            each = self.outbox.entries[due.key]
            if again:
                each.begin_again(self.clock.at + timedelta(seconds=delay_s))
            else:
                each.end("dead")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), crashes=st.booleans())
    def cancel(self, data: st.DataObject, crashes: bool) -> None:
        due = self.call(data)
        if self.answer(due, crashes, lambda conn: outbox.cancel(conn, due, "not wanted")):
            self.outbox.entries[due.key].end("cancelled")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), lease_s=LEASES_S)
    def renew(self, data: st.DataObject, lease_s: int) -> None:
        due = self.call(data)
        if self.answer(due, False, lambda conn: outbox.renew(conn, due, lease_s=lease_s)):
            self.outbox.entries[due.key].lease_until = self.clock.at + timedelta(seconds=lease_s)

    @precondition(lambda self: any(due.fresh for due in self.calls))
    @rule(data=st.data(), minor=st.integers(1, 9))
    def replan(self, data: st.DataObject, minor: int) -> None:
        """Before anything was sent under its key, by whoever is to send it first."""
        due = data.draw(st.sampled_from([due for due in self.calls if due.fresh]))
        changed = due.command.model_copy(
            update={"amount": gbp(f"{minor}.00")} if hasattr(due.command, "amount") else {}
        )
        if self.answer(due, False, lambda conn: outbox.replan(conn, due, changed)):
            each = self.outbox.entries[due.key]
            each.command, each.state, each.lease_until = changed, "pending", None
            each.next_attempt_at, each.first_attempt_at = self.clock.at, None
            self.sent.discard((due.key, due.generation))

    def call(self, data: st.DataObject) -> Due:
        return data.draw(st.sampled_from(self.calls))

    def answer(self, due: Due, crashes: bool, settle: Callable[[Connection], None]) -> bool:
        """Gives whether it was written: not if another has taken it over, and not after a crash."""
        held = self.outbox.holds(due)
        try:
            with self.transaction(crashes and held) as conn:
                settle(conn)
        except LeaseLost:
            assert not held
            return False
        assert held
        return not crashes

    @precondition(lambda self: self.outbox.entries)
    @rule(data=st.data())
    def revive(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.sampled_from(sorted(self.outbox.entries)), min_size=1, max_size=2, unique=True))
        if any(self.outbox.entries[key].state != "dead" for key in keys):
            with pytest.raises(LookupError), self.ledger.write() as conn:
                outbox.retry_dead(conn, keys)
            return
        with self.ledger.write() as conn:
            assert outbox.retry_dead(conn, keys) == sorted(keys)
        for key in keys:
            self.outbox.entries[key].begin_again(self.clock.at)

    @invariant()
    def the_outbox_holds_what_was_told_and_nothing_else(self) -> None:
        columns = tables.outbox.c
        shown = [columns.key, columns.generation, columns.state, columns.epoch, columns.attempts, columns.lease_until]
        shown += [columns.next_attempt_at, columns.first_attempt_at, columns.command]
        with self.ledger.read() as conn:
            rows = {
                row[0]: (*row[1:-1], command_adapter.validate_json(row[-1])) for row in conn.execute(select(*shown))
            }
            counts = outbox.counts(conn)
        assert rows == {key: each.shown() for key, each in self.outbox.entries.items()}
        assert counts == self.outbox.counts()

    @invariant()
    def one_command_of_an_order_or_resource_is_in_flight(self) -> None:
        held = [name for each in self.outbox.entries.values() if each.is_held(self.clock.at) for name in each.names()]
        assert len(held) == len(set(held))

    @invariant()
    def whatever_is_asked_for_can_go_in_the_end(self) -> None:
        """Everything that has not ended is taken in as many claims as an order has commands, once leases are over."""
        wanted = {key for key, each in self.outbox.entries.items() if each.state in ("pending", "in_flight")}
        found: set[str] = set()
        with self.clock.later(LONG_S), self.transaction(crashes=True) as conn:
            while due := [one for key in ROLES for one in self.take_all(conn, key)]:
                found |= {one.key for one in due}
                for one in due:
                    outbox.succeed(conn, one)
        assert found == wanted

    def take_all(self, conn: Connection, key: str) -> list[Due]:
        return outbox.claim_due(conn, key, worker="all", limit=10_000, lease_s=30, writes=True)
