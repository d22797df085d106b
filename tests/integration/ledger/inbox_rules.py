"""What can happen to the inbox, in any order: told to the ledger and to its model, which must agree after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import cycle
from typing import Literal, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, func, select

from tests.integration.ledger.examples import PROCESSOR, STORE, delivery
from tests.integration.ledger.held_clock import HeldClock
from tests.integration.ledger.inbox_model import FINISHED, InboxModel
from tradewind.domain.commands import Lane
from tradewind.errors import LeaseLost
from tradewind.ledger import inbox, orders, retention, tables
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Held, Outcome, Position

T = TypeVar("T")
WORKERS = ("ann", "bob", "cy")
WORKER = st.sampled_from([None, None, *WORKERS])
BEGINNINGS = st.sampled_from(["", "", "shopify:", "stripe:"])
LEASES_S = st.sampled_from([0, 30, 300, 300])
LINKS = st.sampled_from(["payment_id/1", "payment_id/2"])
LIMITS = st.sampled_from([1, 2, 500])
RARELY = st.sampled_from([False] * 7 + [True])
KEPT = timedelta(days=1)
STATES = st.sampled_from(["applied", "applied", "superseded", "parked", "dead", "received"])
Name = tuple[str, str, Lane]
NAMES = st.tuples(st.sampled_from([STORE, PROCESSOR]), st.sampled_from("abcd"), st.sampled_from(["critical", "normal"]))
LONG_S = 10 * 365 * 86400


Standing = Literal["held", "taken over", "over"]


def pick(data: st.DataObject, claims: Sequence[T], standing: Callable[[T], Standing]) -> T:
    """One of the claims, mostly one that is held still, or that another holds by now."""
    by_standing: dict[Standing, list[T]] = {}
    for one in claims:
        by_standing.setdefault(standing(one), []).append(one)
    kinds: tuple[Standing, ...] = ("held", "held", "taken over", "over")
    return data.draw(st.sampled_from(by_standing[data.draw(st.sampled_from([k for k in kinds if k in by_standing]))]))


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

    @initialize(old=st.lists(NAMES, min_size=1, max_size=4), ends=st.lists(STATES, max_size=4), new=st.lists(NAMES))
    def begin(self, old: list[Name], ends: list[str], new: list[Name]) -> None:
        """With some that were finished long ago, and some that wait."""
        self.arrive(old, crashes=False)
        self.finish_all([*ends, "applied"])
        self.clock.advance(90_000)
        if new:
            self.arrive(new, crashes=False)

    @rule(keys=st.lists(NAMES, min_size=1, max_size=4), crashes=RARELY)
    def arrive(self, keys: list[Name], crashes: bool) -> None:
        """New, repeated, repeated after pruning, the same key for another connection."""
        come = [delivery(key, connection=name, lane=lane, received_at=self.clock.at) for name, key, lane in keys]
        with self.transaction(crashes) as conn:
            stored = inbox.store(conn, self.ledger.keys, come)
        if not crashes:
            self.inbox.store(come, stored)

    @rule(data=st.data(), how=st.sampled_from(["claim", "claim", "finish", "finish"]), crashes=RARELY)
    def work(self, data: st.DataObject, how: str, crashes: bool) -> None:
        if how == "claim":
            self.claim(data.draw(WORKER), data.draw(LIMITS), data.draw(LEASES_S), data.draw(BEGINNINGS), crashes)
        elif self.hands:
            self.finish(data, crashes)

    def claim(self, worker: str | None, limit: int, lease_s: int, begins: str, crashes: bool) -> None:
        """By anyone, or by a worker that claims again and again, and so looks from where it was."""
        position = None if worker is None else self.positions[worker]
        waiting = [row.id for row in self.inbox.waiting(self.clock.at, "" if position else begins)]
        prefix = [begins] if begins and position is None else None
        with self.transaction(crashes) as conn:
            held = inbox.take(
                conn, worker=worker or "dee", limit=limit, lease_s=lease_s, prefix=prefix, position=position
            )
        ids = {one.id for one in held}
        if position is None:
            assert ids == set(waiting[:limit])
        else:
            assert ids <= set(waiting)
            assert len(held) <= limit
            assert bool(held) == bool(waiting)
        self.take([] if crashes else held, lease_s)

    @precondition(lambda self: self.ledger.dialect == "postgresql")
    @rule(limit=LIMITS, crashes=RARELY)
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

    def finish(self, data: st.DataObject, crashes: bool) -> None:
        """By its holder, or by one whose lease was taken over meanwhile: then nothing of it is written."""
        self.settle(self.outcomes(data), crashes)

    def outcomes(self, data: st.DataObject) -> list[Outcome]:
        hand = pick(data, self.hands, self.standing)
        some = data.draw(st.lists(st.sampled_from(hand), min_size=1, unique=True))
        return [self.outcome(one, data.draw(STATES), data.draw(LINKS)) for one in some]

    def standing(self, hand: Sequence[Held]) -> Standing:
        states = [self.inbox.rows[one.id].state for one in hand if one.id in self.inbox.rows]
        if any(self.inbox.holds(one.id, one.epoch) for one in hand):
            return "held"
        return "taken over" if "claimed" in states else "over"

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

    @rule(data=st.data(), what=st.sampled_from(["know", "release_stranded", "replay", "prune", "prune"]))
    def keep_up(self, data: st.DataObject, what: str) -> None:
        """What others do to the inbox meanwhile."""
        getattr(self, what)(data)

    def know(self, data: st.DataObject) -> None:
        """An order names a link; whoever waits for it is received again, if the two saw each other."""
        link, releases, crashes = data.draw(LINKS), data.draw(st.booleans()), data.draw(RARELY)
        with self.transaction(crashes) as conn:
            orders.add_links(conn, "shopify:north/1", [link])
            released = inbox.release_parked(conn, [link]) if releases else 0
        if not crashes:
            self.inbox.links.add(link)
            assert released == (self.inbox.release([link]) if releases else 0)
            self.look_again()

    def release_stranded(self, _: st.DataObject) -> None:
        with self.ledger.write() as conn:
            released = inbox.release_stranded(conn)
        assert released == self.inbox.release(self.inbox.links)
        self.look_again()

    def look_again(self) -> None:
        """As workers do that hear of what was received again."""
        for position in self.positions.values():
            position.reset()

    def replay(self, data: st.DataObject) -> None:
        """Of anything that ever came; what was pruned cannot be taken in again."""
        id = data.draw(st.sampled_from(sorted(self.inbox.known().values()) or [1]))
        if id not in self.inbox.rows:
            with pytest.raises(LookupError), self.ledger.write() as conn:
                inbox.replay(conn, self.ledger.keys, id)
            return
        with self.ledger.write() as conn:
            again = inbox.replay(conn, self.ledger.keys, id)
            row = inbox.get(conn, self.ledger.keys, again).row
        assert row.connection == self.inbox.rows[id].identity[0]
        copy = delivery(
            row.delivery_key, connection=row.connection, source="replay", lane=row.lane,
            received_at=self.clock.at, replay_of=id,
        )  # fmt: skip
        self.inbox.store([copy], [inbox.Stored(again, duplicate=False)])

    def prune(self, _: st.DataObject) -> None:
        expected = self.inbox.prune(KEPT, self.clock.at)
        assert retention.prune(self.ledger, KEPT, pause_s=0) == retention.Pruned(expected, complete=True)

    @rule(seconds=st.sampled_from([29, 31, 31, 301, 90_000]))
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
        open_ones = {row.id for row in self.inbox.rows.values() if row.state in ("received", "claimed")}
        self.finish_all(["applied"])
        assert all(self.inbox.rows[id].state in FINISHED for id in open_ones)

    def finish_all(self, states: Sequence[str]) -> None:
        """With these outcomes in turn."""
        turns = cycle(states)
        position = Position(quick_looks=0)
        while True:
            with self.ledger.write() as conn:
                held = inbox.take(conn, worker="last", limit=2, lease_s=30, position=position)
            if not held:
                return
            self.take(held, 30)
            self.settle([self.outcome(one, next(turns), "payment_id/1") for one in held], crashes=False)

    @contextmanager
    def transaction(self, crashes: bool) -> Iterator[Connection]:
        """One that writes; it ends with a crash instead of a commit if it is to."""
        with suppress(Crash), self.ledger.write() as conn:
            yield conn
            if crashes:
                raise Crash
