"""What the inbox should hold, in plain Python: told what was done, it says what must come of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tradewind.ledger.identity import Identity, identity_of
from tradewind.ledger.inbox import Delivery, Outcome, Stored
from tradewind.ledger.tables import LANES

FINISHED = ("applied", "superseded")


@dataclass
class Row:
    """finished: how often it was applied or superseded."""

    id: int
    identity: Identity
    lane: int
    received_at: datetime
    replay_of: int | None = None
    state: str = "received"
    epoch: int = 0
    repeats: int = 0
    lease_until: datetime | None = None
    waits_for: str | None = None
    finished_at: datetime | None = None
    finished: int = 0

    def shown(self) -> tuple[object, ...]:
        """As the table has it; every claim counts an attempt and an epoch."""
        held = (self.state, self.epoch, self.epoch, self.lease_until)
        return (*self.identity, self.replay_of, *held, self.waits_for, self.finished_at, self.repeats)


@dataclass
class InboxModel:
    rows: dict[int, Row] = field(default_factory=dict)
    pruned: dict[Identity, int] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)

    def known(self) -> dict[Identity, int]:
        """Every delivery that ever came, with the id that it got."""
        return {row.identity: row.id for row in self.rows.values()} | self.pruned

    def store(self, deliveries: Sequence[Delivery], stored: Sequence[Stored]) -> None:
        """A delivery is new once, for ever, and under an id that none had before."""
        known = self.known()
        for delivery, got in zip(deliveries, stored, strict=True):
            identity = identity_of(delivery)
            assert got.duplicate == (identity in known), identity
            if got.duplicate:
                assert got.id == known[identity]
                if got.id in self.rows:
                    self.rows[got.id].repeats += 1
                continue
            assert got.id not in known.values()
            known[identity] = got.id
            lane = LANES.index(delivery.lane)
            self.rows[got.id] = Row(got.id, identity, lane, delivery.received_at, delivery.replay_of)

    def waiting(self, now: datetime, begins: str = "") -> list[Row]:
        """What a claim may take, in the order in which it goes: leases that ran out, then what was received."""
        own = [row for row in self.rows.values() if row.identity[0].startswith(begins)]
        expired = [row for row in own if row.state == "claimed" and row.lease_until is not None]
        expired = [row for row in expired if row.lease_until <= now]  # type: ignore[operator]
        received = [row for row in own if row.state == "received"]
        by_lane = [sorted(rows, key=lambda row: (row.lane, row.id)) for rows in (expired, received)]
        return by_lane[0] + by_lane[1]

    def taken(self, ids: Collection[int], lease_until: datetime) -> None:
        for id in ids:
            row = self.rows[id]
            row.state, row.epoch, row.lease_until = "claimed", row.epoch + 1, lease_until

    def holds(self, id: int, epoch: int) -> bool:
        row = self.rows.get(id)
        return row is not None and row.state == "claimed" and row.epoch == epoch

    def finish(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        for one in outcomes:
            assert self.holds(one.id, one.epoch)
            row = self.rows[one.id]
            known = one.state == "parked" and one.waits_for in self.links
            row.state = "received" if known else one.state
            row.lease_until = None
            row.waits_for = one.waits_for if row.state == "parked" else None
            row.finished_at = None if row.state == "received" else now
            row.finished += row.state in FINISHED
            assert row.finished <= 1, f"{row.identity} was applied twice"

    def release(self, links: Collection[str]) -> int:
        """Receive what is parked for these links; gives how many."""
        freed = [row for row in self.rows.values() if row.state == "parked" and row.waits_for in links]
        for row in freed:
            row.state, row.waits_for, row.finished_at = "received", None, None
        return len(freed)

    def prune(self, older_than: timedelta, now: datetime) -> int:
        """Forget what was finished long ago; gives how many. The newest row stays: its id must not be given again."""
        before = now - older_than
        there, newest = set(self.rows), max(self.rows, default=0)
        doomed = [
            row
            for row in self.rows.values()
            if row.state in FINISHED and row.received_at < before and row.finished_at is not None
            and row.finished_at < before and row.replay_of not in there and row.id != newest
        ]  # fmt: skip
        for row in doomed:
            self.pruned[row.identity] = row.id
            del self.rows[row.id]
        return len(doomed)

    def counts(self) -> dict[str, int]:
        states = ("received", "claimed", "applied", "superseded", "parked", "dead")
        return {state: sum(row.state == state for row in self.rows.values()) for state in states}
