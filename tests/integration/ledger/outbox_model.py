"""What the outbox should hold, in plain Python: told what was done, it says what must come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.domain.commands import WRITES, Command, Refetch
from tradewind.ledger.outbox import STATES, Due
from tradewind.ledger.tables import LANES


@dataclass
class Entry:
    """place: in the order in which commands were asked for. ended: the end of each generation that has one."""

    command: Command
    place: int
    next_attempt_at: datetime
    generation: int = 0
    state: str = "pending"
    epoch: int = 0
    attempts: int = 0
    lease_until: datetime | None = None
    first_attempt_at: datetime | None = None
    ended: dict[int, str] = field(default_factory=dict)

    def shown(self) -> tuple[object, ...]:
        held = (self.epoch, self.attempts, self.lease_until)
        return (self.generation, self.state, *held, self.next_attempt_at, self.first_attempt_at, self.command)

    def names(self) -> set[str]:
        """What one command at a time may be in flight for."""
        resource = f"resource {self.command.connection}/{self.command.subject}"
        return {resource} | ({f"order {self.command.order_id}"} if self.command.order_id else set())

    def is_held(self, now: datetime) -> bool:
        return self.state == "in_flight" and self.lease_until is not None and self.lease_until > now

    def end(self, state: str) -> None:
        assert self.generation not in self.ended, f"{self.command.key} ended twice"
        self.ended[self.generation] = self.state = state
        self.lease_until = None

    def begin_again(self, at: datetime) -> None:
        """The next generation."""
        self.generation += 1
        self.state, self.next_attempt_at = "pending", at
        self.first_attempt_at = self.lease_until = None


@dataclass
class OutboxModel:
    entries: dict[str, Entry] = field(default_factory=dict)

    def add(self, commands: Sequence[Command], now: datetime) -> list[str]:
        """Gives the keys that are pending because of it."""
        added: list[str] = []
        wanted = {one.key: one for one in commands if not isinstance(one, Refetch)}
        for key in sorted(wanted.keys() - self.entries.keys()):
            added.append(self._enter(wanted[key], now))
        for key in sorted(wanted.keys() - set(added)):
            if self.entries[key].state == "cancelled":
                self.entries[key].begin_again(now)
                added.append(key)
        reads = {f"{one.connection}/{one.subject}": one for one in commands if isinstance(one, Refetch)}
        return added + [key for name in sorted(reads) if (key := self._read(reads[name], now)) is not None]

    def _enter(self, command: Command, now: datetime) -> str:
        self.entries[command.key] = Entry(command, len(self.entries), now)
        return command.key

    def _read(self, command: Refetch, now: datetime) -> str | None:
        made = [
            each
            for each in self.entries.values()
            if isinstance(each.command, Refetch) and each.command.resource == command.resource
        ]
        if any(each.state == "pending" for each in made):
            return None
        return self._enter(command.model_copy(update={"ordinal": len(made)}), now)

    def due(self, connection: str, now: datetime, *, writes: bool) -> list[Entry]:
        """What may go, in order: leases that ran out, then what is pending; nothing of what a held one is about."""
        held = {name for each in self.entries.values() if each.is_held(now) for name in each.names()}
        own = [
            each
            for each in self.entries.values()
            if each.command.connection == connection
            and (writes or each.command.verb not in WRITES)
            and not each.names() & held
        ]
        expired = [each for each in own if each.state == "in_flight"]
        pending = [each for each in own if each.state == "pending" and each.next_attempt_at <= now]
        return sorted(expired, key=_turn) + sorted(pending, key=_turn)

    def next(self, connection: str, now: datetime, *, writes: bool, limit: int) -> list[str]:
        """The keys that a claim takes: the first of each order and resource."""
        chosen: list[str] = []
        taken: set[str] = set()
        for each in self.due(connection, now, writes=writes):
            if len(chosen) < limit and not each.names() & taken:
                taken |= each.names()
                chosen.append(each.command.key)
        return chosen

    def taken(self, key: str, now: datetime, lease_until: datetime) -> Entry:
        each = self.entries[key]
        each.state, each.lease_until = "in_flight", lease_until
        each.epoch, each.attempts = each.epoch + 1, each.attempts + 1
        each.first_attempt_at = each.first_attempt_at or now
        return each

    def holds(self, due: Due) -> bool:
        each = self.entries[due.key]
        return each.state == "in_flight" and each.epoch == due.epoch

    def counts(self) -> dict[str, int]:
        return {state: sum(each.state == state for each in self.entries.values()) for state in STATES}


def _turn(each: Entry) -> tuple[int, datetime, int]:
    return LANES.index(each.command.lane), each.next_attempt_at, each.place
