"""What can happen to the outbox, in any order: told to the ledger and to its model, which agree after each step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from sqlalchemy import Connection, select

from tests.integration.ledger.examples import CARRIER, PROCESSOR, STORE, buy_label, capture, connection, gbp, refetch
from tests.integration.ledger.inbox_rules import LEASES_S, LIMITS, LONG_S, RARELY, InboxRules, Standing, pick
from tests.integration.ledger.outbox_model import OutboxModel
from tradewind.domain.commands import CancelPayment, CapturePayment, Command, command_adapter
from tradewind.domain.connections import ConnectionState, Role
from tradewind.errors import LeaseLost
from tradewind.ledger import connections, outbox, tables
from tradewind.ledger.outbox import Due

ROLES = {STORE: Role.STOREFRONT, PROCESSOR: Role.PAYMENT_PROCESSOR, CARRIER: Role.CARRIER}
ORDERS = ("shopify:north/1", "shopify:north/2", None)
COMMANDS: list[Command] = [
    *(capture(payment, order) for payment, order in zip(("pi_1", "pi_2", "pi_3"), ORDERS, strict=True)),
    CancelPayment(connection=PROCESSOR, order_id=None, payment="pi_1"),
    capture("pi_4", ORDERS[0]),
    *(buy_label(order, shipment) for shipment, order in zip(("tw-1", "tw-2"), ORDERS, strict=False)),  # type: ignore[arg-type]
    *(refetch(number, order) for number, order in zip("123", ORDERS, strict=True)),
]
KEYS = st.sampled_from([PROCESSOR, PROCESSOR, STORE, CARRIER])
ANSWERS = ("succeed", "postpone", "fail", "die", "cancel", "renew", "replan")
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

    @initialize(commands=st.lists(st.sampled_from(COMMANDS), min_size=3, max_size=8))
    def want(self, commands: list[Command]) -> None:
        self.ask(commands, crashes=False)

    @rule(commands=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=4), crashes=RARELY)
    def ask(self, commands: list[Command], crashes: bool) -> None:
        with self.transaction(crashes) as conn:
            added = outbox.add(conn, commands, self.clock.at)
        if not crashes:
            assert sorted(added) == sorted(self.outbox.add(commands, self.clock.at))

    def finish(self, data: st.DataObject, crashes: bool) -> None:
        """Deliveries are finished and commands asked for in one transaction: both, or neither."""
        commands = data.draw(st.lists(st.sampled_from(COMMANDS), max_size=2))
        added: list[str] = []

        def ask(conn: Connection) -> None:
            added.extend(outbox.add(conn, commands, self.clock.at))

        if self.settle(self.outcomes(data), crashes, ask):
            assert sorted(added) == sorted(self.outbox.add(commands, self.clock.at))

    @rule(data=st.data(), how=st.sampled_from([*("send",) * len(ANSWERS), *ANSWERS]), crashes=RARELY)
    def dispatch(self, data: st.DataObject, how: str, crashes: bool) -> None:
        """An answer comes to the holder, or to one whose lease was taken over meanwhile: then nothing is written."""
        if how == "send":
            self.send(data.draw(KEYS), data.draw(LIMITS), data.draw(LEASES_S), crashes)
        elif self.calls:
            getattr(self, how)(pick(data, self.calls, self.standing_of), data.draw(DELAYS_S), crashes)

    def standing_of(self, due: Due) -> Standing:
        if self.outbox.holds(due):
            return "held"
        return "taken over" if self.outbox.entries[due.key].state == "in_flight" else "over"

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

    def succeed(self, due: Due, _: int, crashes: bool) -> None:
        if self.answer(due, crashes, lambda conn: outbox.succeed(conn, due)):
            self.outbox.entries[due.key].end("done")

    def postpone(self, due: Due, delay_s: int, crashes: bool) -> None:
        if self.answer(due, crashes, lambda conn: outbox.postpone(conn, due, reason="slow", delay_s=delay_s)):
            each = self.outbox.entries[due.key]
            each.state, each.lease_until = "pending", None
            each.next_attempt_at = self.clock.at + timedelta(seconds=delay_s)

    def fail(self, due: Due, delay_s: int, crashes: bool) -> None:
        told = {"reason": "RequestRejected: no", "next_generation": True, "delay_s": delay_s}
        if self.answer(due, crashes, lambda conn: outbox.fail(conn, due, **told)):  # type: ignore[arg-type]
            self.outbox.entries[due.key].begin_again(self.clock.at + timedelta(seconds=delay_s))

    def die(self, due: Due, _: int, crashes: bool) -> None:
        told = {"reason": "RequestRejected: no", "next_generation": False}
        if self.answer(due, crashes, lambda conn: outbox.fail(conn, due, **told)):  # type: ignore[arg-type]
            self.outbox.entries[due.key].end("dead")

    def cancel(self, due: Due, _: int, crashes: bool) -> None:
        if self.answer(due, crashes, lambda conn: outbox.cancel(conn, due, "not wanted")):
            self.outbox.entries[due.key].end("cancelled")

    def renew(self, due: Due, lease_s: int, crashes: bool) -> None:
        """While the lease runs alone: afterwards another command of the order may be in flight."""
        held = self.outbox.holds(due) and self.outbox.entries[due.key].is_held(self.clock.at)
        if self.answer(due, crashes, lambda conn: outbox.renew(conn, due, lease_s=lease_s), held=held):
            self.outbox.entries[due.key].lease_until = self.clock.at + timedelta(seconds=lease_s)

    def replan(self, due: Due, minor: int, crashes: bool) -> None:
        """Before anything was sent under its key, by whoever is to send it first."""
        if not due.fresh:
            return
        changes = {"amount": gbp(f"{minor}.00")} if isinstance(due.command, CapturePayment) else {}
        changed = due.command.model_copy(update=changes)
        if self.answer(due, crashes, lambda conn: outbox.replan(conn, due, changed)):
            each = self.outbox.entries[due.key]
            each.command, each.state, each.lease_until = changed, "pending", None
            each.next_attempt_at, each.first_attempt_at = self.clock.at, None
            self.sent.discard((due.key, due.generation))

    def answer(
        self, due: Due, crashes: bool, settle: Callable[[Connection], None], *, held: bool | None = None
    ) -> bool:
        """Gives whether it was written: not if another has taken it over, and not after a crash."""
        held = self.outbox.holds(due) if held is None else held
        try:
            with self.transaction(crashes and held) as conn:
                settle(conn)
        except LeaseLost:
            assert not held
            return False
        assert held
        return not crashes

    @rule(data=st.data(), what=st.sampled_from(["pause", "resume", "revive", "revive"]))
    def intervene(self, data: st.DataObject, what: str) -> None:
        """What people do meanwhile."""
        getattr(self, what)(data)

    def pause(self, data: st.DataObject) -> None:
        with self.ledger.write() as conn:
            connections.set_state(conn, data.draw(KEYS), ConnectionState.PAUSED, reason="by hand")

    def resume(self, data: st.DataObject) -> None:
        with self.ledger.write() as conn:
            connections.resume(conn, data.draw(KEYS), ConnectionState.LIVE, actor="ann")

    def revive(self, data: st.DataObject) -> None:
        """Some, or one that is not dead among them: then none."""
        dead = sorted(key for key, each in self.outbox.entries.items() if each.state == "dead")
        some = (
            st.sampled_from(dead) if dead and data.draw(st.booleans()) else st.sampled_from(sorted(self.outbox.entries))
        )
        keys = data.draw(st.lists(some, min_size=1, max_size=2, unique=True))
        if not set(keys) <= set(dead):
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
    def whatever_is_asked_for_is_due_in_the_end(self) -> None:
        open_ones = [each for each in self.outbox.entries.values() if each.state in ("pending", "in_flight")]
        with self.clock.later(LONG_S), self.ledger.read() as conn:
            due = {key for key in ROLES if outbox.has_due(conn, key, writes=True)}
        assert due == {each.command.connection for each in open_ones}

    def drain(self) -> None:
        """Everything that has not ended can go, an order's commands one after another."""
        super().drain()
        self.clock.advance(LONG_S)
        wanted = {key for key, each in self.outbox.entries.items() if each.state in ("pending", "in_flight")}
        found: list[str] = []
        with self.ledger.write() as conn:
            while due := [one for key in ROLES for one in self.claim_all(conn, key)]:
                found += [one.key for one in due]
                for one in due:
                    outbox.succeed(conn, one)
        assert sorted(found) == sorted(wanted)

    def claim_all(self, conn: Connection, key: str) -> list[Due]:
        return outbox.claim_due(conn, key, worker="all", limit=10_000, lease_s=30, writes=True)
