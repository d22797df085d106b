"""What can happen to the inbox, in any order: told to the ledger and to its model, which must agree after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, func, select

from tests.integration.ledger.examples import PROCESSOR, STORE, delivery
from tests.integration.ledger.held_clock import HeldClock
from tests.integration.ledger.inbox_model import FINISHED, InboxModel
from tradewind.errors import LeaseLost
from tradewind.ledger import inbox, orders, retention, tables
from tradewind.ledger.claims import FULL_LOOK_EVERY
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Held, Outcome, Position

WORKERS = ("ann", "bob", "cy")
LEASES_S = st.sampled_from([0, 30, 300])
LINKS = st.sampled_from(["payment_id/1", "payment_id/2"])
KEPT = timedelta(days=1)
STATES = st.sampled_from(["applied", "applied", "superseded", "parked", "dead", "received"])
NAMES = st.tuples(st.sampled_from([STORE, PROCESSOR]), st.sampled_from("abcd"), st.sampled_from(["critical", "normal"]))
LONG_S = 10 * 365 * 86400


class Crash(Exception):
    """The process ends in the middle of a transaction."""


class InboxRules(RuleBasedStateMachine):
    """hands: every claim that was ever made and not finished, by whoever made it, however old."""

    ledger: Ledger
    clock: HeldClock

    def __init__(self) -> None:
        super().__init__()
        self.inbox = InboxModel()
        self.hands: list[list[Held]] = []
        self.positions = {worker: Position() for worker in WORKERS}

    @rule(keys=st.lists(NAMES, min_size=1, max_size=4), crashes=st.booleans())
    def arrive(self, keys: list[tuple[str, str, str]], crashes: bool) -> None:
        """New, repeated, repeated after pruning, the same key for another connection."""
        come = [delivery(key, connection=name, lane=lane, received_at=self.clock.at) for name, key, lane in keys]
        with self.transaction(crashes) as conn:
            stored = inbox.store(conn, self.ledger.keys, come)
        if not crashes:
            self.inbox.store(come, stored)

    @rule(limit=st.sampled_from([1, 2, 500]), lease_s=LEASES_S, begins=st.sampled_from(["", "shopify:", "stripe:"]))
    def claim(self, limit: int, lease_s: int, begins: str) -> None:
        expected = [row.id for row in self.inbox.waiting(self.clock.at, begins)[:limit]]
        prefix = [begins] if begins else None
        with self.ledger.write() as conn:
            held = inbox.take(conn, worker="dee", limit=limit, lease_s=lease_s, prefix=prefix)
        assert {one.id for one in held} == set(expected)
        self.take(held, lease_s)

    @rule(worker=st.sampled_from(WORKERS), limit=st.sampled_from([1, 2, 500]), lease_s=LEASES_S)
    def claim_on(self, worker: str, limit: int, lease_s: int) -> None:
        """By one that claims again and again, and so looks from where it was."""
        waiting = {row.id for row in self.inbox.waiting(self.clock.at)}
        with self.ledger.write() as conn:
            held = inbox.take(conn, worker=worker, limit=limit, lease_s=lease_s, position=self.positions[worker])
        assert {one.id for one in held} <= waiting
        assert bool(held) == bool(waiting)
        assert len(held) <= limit
        self.take(held, lease_s)

    @rule(limit=st.sampled_from([1, 500]))
    def claim_and_crash(self, limit: int) -> None:
        with self.transaction(crashes=True) as conn:
            inbox.take(conn, worker="dee", limit=limit, lease_s=30)

    @precondition(lambda self: self.ledger.dialect == "postgresql")
    @rule(limit=st.sampled_from([1, 2, 500]), crashes=st.booleans())
    def claim_beside_an_open_claim(self, limit: int, crashes: bool) -> None:
        """Two workers at the same moment: neither waits for the other, and they share what there is."""
        expected = {row.id for row in self.inbox.waiting(self.clock.at)}
        with self.transaction(crashes) as conn:
            first = inbox.take(conn, worker="dee", limit=limit, lease_s=30)
            with self.ledger.write() as other:
                second = inbox.take(other, worker="eve", limit=500, lease_s=30)
        ids = [one.id for one in first + second]
        assert len(ids) == len(set(ids))
        assert set(ids) == expected
        self.take(second, 30)
        self.take([] if crashes else first, 30)

    def take(self, held: Sequence[Held], lease_s: float) -> None:
        self.inbox.taken([one.id for one in held], self.clock.at + timedelta(seconds=lease_s))
        for one in held:
            row = self.inbox.rows[one.id]
            assert (one.connection, one.source, one.delivery_key, one.epoch) == (*row.identity, row.epoch)
        if held:
            self.hands.append(list(held))

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), crashes=st.booleans())
    def finish(self, data: st.DataObject, crashes: bool) -> None:
        """By its holder, or by one whose lease was taken over meanwhile: then nothing of it is written."""
        self.settle(self.outcomes(data), crashes)

    def outcomes(self, data: st.DataObject) -> list[Outcome]:
        hand = data.draw(st.sampled_from(self.hands))
        some = data.draw(st.lists(st.sampled_from(hand), min_size=1, unique=True))
        return [self.outcome(one, data.draw(STATES), data.draw(LINKS)) for one in some]

    def outcome(self, held: Held, state: str, link: str) -> Outcome:
        told = {"waits_for": link} if state == "parked" else {"place": "decode"} if state == "dead" else {}
        return Outcome(held.id, held.epoch, state, reason="SchemaMismatch: no", **told)  # type: ignore[arg-type]

    def settle(
        self, outcomes: list[Outcome], crashes: bool, also: Callable[[Connection], None] = lambda _: None
    ) -> bool:
        """Gives whether it was written."""
        held = all(self.inbox.holds(one.id, one.epoch) for one in outcomes)
        try:
            with self.transaction(crashes and held) as conn:
                also(conn)
                inbox.finish(conn, outcomes)
        except LeaseLost:
            assert not held
            return False
        assert held
        if crashes:
            return False
        self.inbox.finish(outcomes, self.clock.at)
        return True

    @rule(link=LINKS, releases=st.booleans(), crashes=st.booleans())
    def know(self, link: str, releases: bool, crashes: bool) -> None:
        """An order names a link; whoever waits for it is received again, if the two saw each other."""
        with self.transaction(crashes) as conn:
            orders.add_links(conn, "shopify:north/1", [link])
            released = inbox.release_parked(conn, [link]) if releases else 0
        if not crashes:
            self.inbox.links.add(link)
            assert released == (self.inbox.release([link]) if releases else 0)
            self.look_again()

    @rule()
    def release_stranded(self) -> None:
        with self.ledger.write() as conn:
            released = inbox.release_stranded(conn)
        assert released == self.inbox.release(self.inbox.links)
        self.look_again()

    def look_again(self) -> None:
        """As workers do that hear of what was received again."""
        for position in self.positions.values():
            position.reset()

    @precondition(lambda self: self.inbox.rows)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.inbox.known().values())))
        if id not in self.inbox.rows:
            with pytest.raises(LookupError), self.ledger.write() as conn:
                inbox.replay(conn, self.ledger.keys, id)
            return
        with self.ledger.write() as conn:
            again = inbox.replay(conn, self.ledger.keys, id)
            row = inbox.get(conn, self.ledger.keys, again).row
        copy = delivery(
            row.delivery_key, connection=row.connection, source="replay", lane=row.lane,
            received_at=self.clock.at, replay_of=id,
        )  # fmt: skip
        assert row.connection == self.inbox.rows[id].identity[0]
        self.inbox.store([copy], [inbox.Stored(again, duplicate=False)])

    @rule()
    def prune(self) -> None:
        expected = self.inbox.prune(KEPT, self.clock.at)
        assert retention.prune(self.ledger, KEPT, pause_s=0) == retention.Pruned(expected, complete=True)

    @rule(seconds=st.sampled_from([29, 31, 301, 90_000]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def the_inbox_holds_what_was_told_and_nothing_else(self) -> None:
        columns = tables.inbox.c
        shown = [columns.connection, columns.source, columns.delivery_key, columns.replay_of, columns.state]
        shown += [columns.epoch, columns.attempts, columns.lease_until, columns.waits_for, columns.finished_at]
        with self.ledger.read() as conn:
            rows = {row[0]: tuple(row[1:]) for row in conn.execute(select(columns.id, *shown, columns.repeats))}
            gone = conn.execute(select(func.count()).select_from(tables.pruned_delivery)).scalar_one()
            counts = inbox.counts(conn)
        assert rows == {id: row.shown() for id, row in self.inbox.rows.items()}
        assert gone == len(self.inbox.pruned)
        counts["parked"] += counts.pop("stuck")
        assert counts == self.inbox.counts()

    @invariant()
    def whatever_waits_is_given_in_the_end(self) -> None:
        open_ones = {row.id for row in self.inbox.rows.values() if row.state in ("received", "claimed")}
        with self.clock.later(LONG_S), self.transaction(crashes=True) as conn:
            held = inbox.take(conn, worker="all", limit=10_000, lease_s=30)
        assert {one.id for one in held} == open_ones

    def drain(self) -> None:
        """A worker that comes alone and goes on takes everything, each once."""
        self.clock.advance(LONG_S)
        position = Position(quick_looks=0)
        open_ones = {row.id for row in self.inbox.rows.values() if row.state in ("received", "claimed")}
        for _ in range(len(open_ones) + FULL_LOOK_EVERY + 1):
            with self.ledger.write() as conn:
                held = inbox.take(conn, worker="last", limit=2, lease_s=30, position=position)
            self.take(held, 30)
            self.settle([Outcome(one.id, one.epoch, "applied") for one in held], crashes=False)
        assert all(self.inbox.rows[id].state in FINISHED for id in open_ones)

    @contextmanager
    def transaction(self, crashes: bool) -> Iterator[Connection]:
        """One that writes; it ends with a crash instead of a commit if it is to."""
        with suppress(Crash), self.ledger.write() as conn:
            yield conn
            if crashes:
                raise Crash
