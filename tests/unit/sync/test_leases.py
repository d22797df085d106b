"""The shared budget: whoever spends it, all together stay within capacity plus rate times time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.governor.virtual_clock import VirtualClock
from tradewind.governor import Budget, Governor
from tradewind.ledger import budgets, tables
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.sync import leases as leases_module
from tradewind.sync.leases import HOLD_S, SLICE_S, LedgerLeases

NAME = "stripe:main"
CAPACITY, RATE = 10.0, 5.0
START = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    yield opened
    opened.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """One clock for all processes and the database; no threads, which would take real time."""

    async def here(function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    made = VirtualClock()
    monkeypatch.setattr(budgets, "db_now", lambda _: made.now())
    monkeypatch.setattr(leases_module, "in_thread", here)
    return made


def budget(capacity: float = CAPACITY, per_second: float = RATE, initial: float = 0.0) -> Budget:
    return Budget(NAME, capacity=capacity, per_second=per_second, initial=initial)


def at_hand(ledger: Ledger) -> float:
    with ledger.read() as database:
        return float(database.execute(sa.select(tables.budget.c.tokens)).scalar_one())


asks = st.tuples(
    st.floats(0, 4), st.floats(0.1, CAPACITY), st.sampled_from((0.0, 0.0, 2.0)), st.sampled_from((0.0, 0.0, 1.5))
)


@given(st.lists(asks, max_size=40), st.sampled_from((0.0, 0.5, 1.0)))
def test_grants_of_any_span_stay_within_capacity_and_rate(made: list[tuple[float, ...]], initial: float) -> None:
    """asks: seconds later, amount, what must remain, what is put back."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    tables.budget.create(engine)
    elapsed, granted = 0.0, [(0.0, 0.0)]
    for pause, amount, keep, returned in made:
        elapsed += pause
        with pytest.MonkeyPatch.context() as patched, engine.begin() as database:
            patched.setattr(budgets, "db_now", lambda _, s=elapsed: START + timedelta(seconds=s))
            wait_s = budgets.take(
                database, NAME, amount, capacity=CAPACITY, per_second=RATE, initial=initial * CAPACITY, keep=keep,
                returned=returned,
            )  # fmt: skip
        granted.append((elapsed, (0.0 if wait_s else amount) - returned))
        assert wait_s == 0.0 or wait_s >= 0.02
        # Microseconds are the clock's finest step.
        assert wait_s <= (CAPACITY / RATE) + 0.001
    engine.dispose()
    assert sum(amount for _, amount in granted) <= initial * CAPACITY + RATE * elapsed + 1e-3
    for first, last in itertools.combinations(range(len(granted)), 2):
        span = granted[last][0] - granted[first][0]
        assert sum(amount for _, amount in granted[first : last + 1]) <= CAPACITY + RATE * span + 1e-3


@given(st.floats(0.1, CAPACITY), st.floats(0, CAPACITY))
def test_after_the_wait_it_is_granted(amount: float, keep: float) -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    tables.budget.create(engine)
    elapsed, waits = 0.0, 0
    while True:
        with pytest.MonkeyPatch.context() as patched, engine.begin() as database:
            patched.setattr(budgets, "db_now", lambda _, s=elapsed: START + timedelta(seconds=s))
            wait_s = budgets.take(
                database, NAME, amount, capacity=CAPACITY, per_second=RATE, initial=0.0, keep=keep
            )  # fmt: skip
        if not wait_s:
            break
        elapsed += wait_s
        waits += 1
        assert waits <= 3
    engine.dispose()


def test_a_clock_that_goes_back_gives_nothing() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    tables.budget.create(engine)
    grants = []
    for second in (0, 60, 0, 0):
        with pytest.MonkeyPatch.context() as patched, engine.begin() as database:
            patched.setattr(budgets, "db_now", lambda _, s=second: START + timedelta(seconds=s))
            grants.append(budgets.take(database, NAME, CAPACITY, capacity=CAPACITY, per_second=RATE, initial=0.0))
    engine.dispose()
    assert grants[1] == 0.0
    assert all(grants[2:])


async def spend(leases: LedgerLeases, clock: VirtualClock, cost: float, until_s: float) -> list[tuple[float, float]]:
    """Spend as fast as it is granted; gives when and how much."""
    spent = []
    while clock.elapsed_s < until_s:
        wait_s = await leases.lease(NAME, budget(), cost, "critical")
        if wait_s:
            await clock.sleep(wait_s)
        else:
            spent.append((clock.elapsed_s, cost))
    return spent


async def test_processes_together_never_spend_more_than_the_budget(ledger: Ledger, clock: VirtualClock) -> None:
    """Three processes, one of which dies with what it holds."""
    plans = ((1.0, 20.0), (3.0, 20.0), (1.0, 5.0))

    async def work() -> list[list[tuple[float, float]]]:
        processes = (spend(LedgerLeases(ledger, clock), clock, cost, until_s) for cost, until_s in plans)
        return await asyncio.gather(*processes)

    by_process = await clock.run(work())
    spent = sorted(itertools.chain.from_iterable(by_process))
    held = len(plans) * RATE * SLICE_S
    assert sum(cost for _, cost in spent) <= RATE * 20.0
    for first, last in itertools.combinations(range(len(spent)), 2):
        span_s = spent[last][0] - spent[first][0]
        assert sum(cost for _, cost in spent[first : last + 1]) <= CAPACITY + RATE * span_s + held
    assert sum(cost for _, cost in spent) >= 0.8 * RATE * 20.0


async def test_a_slice_is_spent_without_asking_again(ledger: Ledger, clock: VirtualClock) -> None:
    leases, shared = LedgerLeases(ledger, clock), budget(initial=1.0)
    assert await leases.lease(NAME, shared, 1.0, "critical") == 0.0
    left = at_hand(ledger)
    assert left == CAPACITY - RATE * SLICE_S
    assert await leases.lease(NAME, shared, 1.0, "critical") == 0.0
    assert at_hand(ledger) == left
    assert await leases.lease(NAME, shared, 1.0, "critical") == 0.0
    assert at_hand(ledger) < left


async def test_what_is_not_spent_in_time_goes_back(ledger: Ledger, clock: VirtualClock) -> None:
    leases, slow = LedgerLeases(ledger, clock), budget(per_second=0.001, initial=1.0, capacity=4.0)
    await leases.lease(NAME, slow, 0.4, "critical")
    leases.give_back(NAME, slow, 3.0)
    clock.elapsed_s += HOLD_S
    await leases.lease(NAME, slow, 0.4, "critical")
    assert at_hand(ledger) == pytest.approx(4.0 - 0.4, abs=0.01)


async def test_what_a_provider_gives_back_is_spent_again(ledger: Ledger, clock: VirtualClock) -> None:
    leases, points = LedgerLeases(ledger, clock), budget(capacity=8.0, per_second=0.001, initial=1.0)
    assert await leases.lease(NAME, points, 8.0, "critical") == 0.0
    leases.give_back(NAME, points, 5.0)
    assert await leases.lease(NAME, points, 5.0, "critical") == 0.0
    assert await leases.lease(NAME, points, 5.0, "critical") > 0.0


async def test_no_more_is_given_back_than_fits(ledger: Ledger, clock: VirtualClock) -> None:
    leases, shared = LedgerLeases(ledger, clock), budget()
    leases.give_back(NAME, shared, 1000.0)
    clock.elapsed_s += 1.0
    assert await leases.lease(NAME, shared, CAPACITY, "critical") == 0.0
    assert await leases.lease(NAME, shared, 1.0, "critical") > 0.0


@pytest.mark.parametrize(("lane", "granted"), [("critical", True), ("normal", False), ("deferred", False)])
async def test_the_critical_reserve_is_kept_for_critical_calls(
    ledger: Ledger, clock: VirtualClock, lane: Any, granted: bool
) -> None:
    leases = LedgerLeases(ledger, clock)
    scarce = Budget(NAME, capacity=10.0, per_second=0.001, critical_reserve=0.5, initial=0.5)
    assert (await leases.lease(NAME, scarce, 1.0, lane) == 0.0) == granted


async def test_a_call_that_fits_no_budget_is_refused(ledger: Ledger, clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        await LedgerLeases(ledger, clock).lease(NAME, budget(), CAPACITY + 1, "critical")


async def test_connections_have_budgets_of_their_own(ledger: Ledger, clock: VirtualClock) -> None:
    leases, full = LedgerLeases(ledger, clock), budget(initial=1.0)
    for name in ("stripe:main", "stripe:second"):
        assert await leases.lease(name, full, CAPACITY, "critical") == 0.0


async def test_a_governor_paces_by_the_shared_budget(ledger: Ledger, clock: VirtualClock) -> None:
    governors = [Governor(LedgerLeases(ledger, clock), clock) for _ in range(2)]
    started: list[float] = []

    async def process(governor: Governor) -> None:
        governor.register(NAME, budget(capacity=2.0, per_second=2.0))
        for _ in range(10):
            async with governor.admit(NAME, 1.0, "critical"):
                started.append(clock.elapsed_s)

    async def work() -> None:
        await asyncio.gather(*map(process, governors))

    await clock.run(work())
    assert len(started) == 20
    assert max(started) >= (20 - 2) / 2.0 - 0.5
    assert max(started) <= 12.0
