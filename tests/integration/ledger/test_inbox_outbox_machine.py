"""Inbox and outbox live through anything in any order, on both databases, and hold what a plain model says.

Deliveries come once and again, workers claim, finish, crash and come back too late, leases run out, dead letters are
tried again, old rows are pruned, connections pause. After every step the tables are the model's, row by row.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import event

from tests.integration.ledger.held_clock import HeldClock
from tests.integration.ledger.outbox_rules import OutboxRules
from tradewind.ledger.engine import Ledger
from tradewind.ledger.metadata import metadata

EXAMPLES = {"sqlite": 80, "postgresql": 15}


def test_inbox_and_outbox_hold_what_was_told_whatever_happens(ledger: Ledger) -> None:
    clock = HeldClock(ledger)
    _hurry(ledger)

    class Machine(OutboxRules):
        def __init__(self) -> None:
            self.ledger, self.clock = ledger, clock
            _empty(ledger)
            super().__init__()

        def teardown(self) -> None:
            self.drain()

    examples = EXAMPLES[ledger.dialect]
    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=50, deadline=None))  # type: ignore[no-untyped-call]


def _hurry(ledger: Ledger) -> None:
    """The machine itself does not die: its steps need not wait for the disk."""
    for engine in (ledger.engine, ledger.key_engine):
        name = engine.dialect.name

        @event.listens_for(engine, "connect")
        def configure(dbapi_connection: Any, _record: Any, name: str = name) -> None:
            statement = "PRAGMA synchronous = OFF" if name == "sqlite" else "SET synchronous_commit = off"
            dbapi_connection.execute(statement).close()

        engine.dispose()


def _empty(ledger: Ledger) -> None:
    with ledger.write() as conn:
        for table in metadata.sorted_tables:
            conn.execute(table.delete())
