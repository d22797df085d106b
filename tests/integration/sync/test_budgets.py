"""The shared budget on both databases, by the database's own clock."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from tests.integration.ledger.examples import at_once
from tradewind.governor import Budget
from tradewind.ledger import budgets
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.sync.leases import LedgerLeases

NAME = "shipstation:main"
SHAPE: dict[str, Any] = {"capacity": 10.0, "per_second": 0.001}


def take(ledger: Ledger, amount: float, **changes: float) -> float:
    with ledger.write() as database:
        return budgets.take(database, NAME, amount, **{"initial": 10.0, **SHAPE, **changes})


def test_a_new_bucket_holds_what_it_is_told_to(ledger: Ledger) -> None:
    assert take(ledger, 4.0, initial=5.0) == 0.0
    assert take(ledger, 4.0, initial=5.0) > 0.0


def test_nothing_is_taken_by_whoever_has_to_wait(ledger: Ledger) -> None:
    assert take(ledger, 9.0) == 0.0
    waits = [take(ledger, 5.0) for _ in range(3)]
    assert all(3000 < wait_s < 4001 for wait_s in waits)
    assert take(ledger, 0.9) == 0.0


def test_a_reserve_is_kept_for_those_who_need_not_keep_it(ledger: Ledger) -> None:
    assert take(ledger, 5.0) == 0.0
    assert take(ledger, 4.0, keep=2.0) > 0.0
    assert take(ledger, 3.0, keep=2.0) == 0.0
    assert take(ledger, 2.0) == 0.0


def test_a_full_bucket_grants_all_that_fits_whatever_should_remain(ledger: Ledger) -> None:
    assert take(ledger, 10.0, keep=2.0) == 0.0


def test_what_is_put_back_is_at_hand_and_never_more_than_fits(ledger: Ledger) -> None:
    assert take(ledger, 10.0) == 0.0
    assert take(ledger, 3.0, returned=4.0) == 0.0
    assert take(ledger, 10.0, returned=1000.0) == 0.0
    assert take(ledger, 1.0) > 0.0


def test_connections_have_buckets_of_their_own(ledger: Ledger) -> None:
    with ledger.write() as database:
        for name in ("stripe:main", "stripe:second"):
            assert budgets.take(database, name, 10.0, initial=10.0, **SHAPE) == 0.0


def test_two_who_ask_at_one_moment_do_not_get_the_same_tokens(ledger: Ledger) -> None:
    granted = at_once(lambda _: take(ledger, 1.0) == 0.0, range(16))
    assert sum(granted) == 10


def test_two_processes_stay_within_the_budget(ledger: Ledger, settings: Settings) -> None:
    """Each has a ledger of its own and spends as fast as it may, in real time."""
    budget = Budget(NAME, capacity=4.0, per_second=40.0, initial=0.0)
    began = time.monotonic()
    until = began + 1.0
    spent: list[float] = []
    counting = threading.Lock()

    async def process(own: Ledger) -> None:
        leases = LedgerLeases(own)
        while time.monotonic() < until:
            wait_s = await leases.lease(NAME, budget, 1.0, "critical")
            if wait_s:
                await asyncio.sleep(wait_s)
            else:
                with counting:
                    spent.append(time.monotonic())

    ledgers = [open_ledger(settings) for _ in range(2)]
    at_once(lambda own: asyncio.run(process(own)), ledgers)
    elapsed_s = time.monotonic() - began
    for own in ledgers:
        own.close()
    assert 0 < len(spent) <= 40.0 * elapsed_s + 1
