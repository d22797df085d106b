"""The loops of the order sync: they settle orders, never spin, finish what is in hand, and end with their error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.unit.domain.orders import (
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    label_observed,
    order_observed,
    parcel,
    payment_observed,
    shipped_work,
    transaction,
)
from tests.unit.sync.desk import Desk, connect_all, connection, tell, told
from tests.unit.sync.desk import store as store_deliveries
from tradewind.domain.connections import ConnectionState
from tradewind.errors import RequestRejected
from tradewind.ledger import connections, orders, outbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.sync import runner as runner_module
from tradewind.sync import seam
from tradewind.sync.apply import Applier
from tradewind.sync.dispatch import Dispatcher
from tradewind.sync.runner import DeadLetter, Runner, is_drained, order_sync_runner

LONG_S = 20.0
PAID = order_observed(version=after(1), fully_paid=True)
SHIPPED = order_observed(
    version=after(2), fully_paid=True, fulfillment_orders=(shipped_work(),), fulfillments=(parcel(),)
)  # fmt: skip


@dataclass
class Pool(Desk):
    """A desk that says how many calls may be under way."""

    places: int = 4

    def max_concurrency(self, connection: str) -> int:
        return self.places


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    yield opened
    opened.close()


@pytest.fixture
def pool(ledger: Ledger) -> Pool:
    connect_all(ledger)
    return Pool()


def runner_of(ledger: Ledger, pool: Pool) -> Runner:
    return Runner(ledger, Applier(ledger, worker="a"), Dispatcher(ledger, pool, worker="d"), pool)  # type: ignore[arg-type]


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[asyncio.Task[Any]]:
    task = asyncio.create_task(runner.run())
    try:
        yield task
    finally:
        runner.stop()
        await asyncio.wait({task}, timeout=LONG_S)
        assert task.done()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG_S):
        while not condition():  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)


def state_of(ledger: Ledger) -> str | None:
    with ledger.read() as database:
        rows = orders.recent(database)
    return rows[0].state if rows else None


async def test_an_order_goes_all_the_way(ledger: Ledger, pool: Pool) -> None:
    pool.will("capture", [captured(version=after(1))])
    pool.will("mark_paid", [PAID])
    pool.will("fetch", [order_observed()])  # not told paid yet: else nothing is left to tell
    pool.will("buy_label", [label_observed()])
    pool.will("fulfill", [SHIPPED])
    tell(ledger, order_observed(), payment_observed())
    runner = runner_of(ledger, pool)
    async with running(runner) as task:
        await until(lambda: state_of(ledger) == "shipped" and is_drained(ledger))
    totals = await task
    assert sorted(pool.asked) == ["buy_label", "capture", "fetch", "fulfill", "mark_paid"]
    assert (totals.sent, totals.commands, totals.dead) == (4, 4, [])
    assert totals.taken >= 6
    assert totals.changed_orders >= 3


async def test_nothing_to_do_is_waited_out(ledger: Ledger, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = runner_of(ledger, pool)
    looked = {"inbox": 0, "outbox": 0}
    apply, claim = Applier.run_once, Dispatcher.claim

    def run_once(self: Applier) -> Any:
        looked["inbox"] += 1
        return apply(self)

    async def claim_counted(self: Dispatcher, connection: str, limit: int) -> Any:
        looked["outbox"] += 1
        return await claim(self, connection, limit)

    monkeypatch.setattr(Applier, "run_once", run_once)
    monkeypatch.setattr(Dispatcher, "claim", claim_counted)
    async with running(runner):
        await asyncio.sleep(1.0)
    assert 1 <= looked["inbox"] <= 1.0 / runner_module.INBOX_POLL_S + 2
    assert 4 <= looked["outbox"] <= 4 * (1.0 / runner_module.OUTBOX_POLL_S + 2)


async def test_an_empty_inbox_is_looked_at_as_often_as_the_settings_say(
    ledger: Ledger, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: set[float] = set()
    real = runner_module.Bell.wait

    async def wait(self: Any, timeout_s: float) -> None:
        pauses.add(timeout_s)
        await real(self, timeout_s)

    monkeypatch.setattr(runner_module.Bell, "wait", wait)
    settings = Settings(state_dir=tmp_path, poll_ms=7)
    async with running(order_sync_runner(ledger, pool, settings)):  # type: ignore[arg-type]
        await until(lambda: runner_module.OUTBOX_POLL_S in pauses and len(pauses) == 2)
    assert pauses == {0.007, runner_module.OUTBOX_POLL_S}


async def test_full_hands_are_waited_out(ledger: Ledger, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While every place is taken nothing is claimed, and nothing spins."""
    pool.places = 1
    release = asyncio.Event()

    async def slow(*_: Any) -> Any:
        await release.wait()
        return [captured(version=after(1))]

    pool.will("capture", slow)
    waits = 0
    real = runner_module.Bell.wait

    async def wait(self: Any, timeout_s: float) -> None:
        nonlocal waits
        waits += 1
        await real(self, timeout_s)

    monkeypatch.setattr(runner_module.Bell, "wait", wait)
    tell(ledger, order_observed(), payment_observed())
    async with running(runner_of(ledger, pool)):
        await until(lambda: "capture" in pool.asked)
        waits = 0
        await asyncio.sleep(0.5)
        assert waits <= 0.5 / runner_module.INBOX_POLL_S + 4 * 0.5 / runner_module.OUTBOX_POLL_S + 8
        release.set()
        await until(lambda: "mark_paid" in pool.asked)


async def test_no_more_calls_are_under_way_than_the_budget_allows(ledger: Ledger, pool: Pool) -> None:
    pool.places = 2
    under_way = most = 0

    async def slow(command: Any, _: str) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return [captured(external_id=command.payment, payment_id=command.payment, version=after(1))]

    pool.will("capture", *[slow] * 6)
    for number in range(6):
        name = f"pi-{number}"
        paid_by = (transaction(payment_id=name),)
        tell(
            ledger,
            order_observed(str(number), transactions=paid_by, ship_to=None),
            payment_observed(name, payment_id=name),
        )
    async with running(runner_of(ledger, pool)):
        await until(lambda: pool.asked.count("mark_paid") == 6)
    assert most == 2


async def test_stopping_finishes_the_call_in_hand(ledger: Ledger, pool: Pool) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> Any:
        started.set()
        await release.wait()
        return [captured(version=after(1))]

    pool.will("capture", slow)
    tell(ledger, order_observed(), payment_observed())
    runner = runner_of(ledger, pool)
    async with running(runner) as task:
        await asyncio.wait_for(started.wait(), LONG_S)
        runner.stop()
        await asyncio.sleep(0.05)
        assert not task.done()
        release.set()
        await asyncio.wait_for(asyncio.shield(task), LONG_S)
    with ledger.read() as database:
        assert outbox.counts(database)["done"] == 1
    assert not is_drained(ledger)


async def test_stopping_an_idle_runner_takes_no_time(ledger: Ledger, pool: Pool) -> None:
    runner = runner_of(ledger, pool)
    async with running(runner) as task:
        await asyncio.sleep(0.1)
        runner.stop()
        await asyncio.wait_for(asyncio.shield(task), 2.0)


@pytest.mark.parametrize(
    ("owner", "method"),
    [(Applier, "run_once"), (Dispatcher, "_claim"), (Dispatcher, "send")],
    ids=["apply", "claim", "send"],
)
async def test_a_part_that_fails_ends_the_run_with_its_error(
    ledger: Ledger, pool: Pool, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("of our own")

    tell(ledger, order_observed(), payment_observed())
    monkeypatch.setattr(owner, method, fail)
    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(runner_of(ledger, pool).run(), LONG_S)
    assert ended.value.subgroup(ZeroDivisionError) is not None


async def test_a_ledger_that_is_away_is_waited_for(ledger: Ledger, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seam, "LEDGER_AWAY_S", 0.01)
    away = {"run_once": 3, "_claim": 3, "_connected": 2, "max_concurrency": 2}
    for owner, method in (
        (Applier, "run_once"),
        (Dispatcher, "_claim"),
        (Runner, "_connected"),
        (Pool, "max_concurrency"),
    ):
        real = getattr(owner, method)

        def sometimes(self: Any, *arguments: Any, real: Any = real, method: str = method) -> Any:
            if away[method]:
                away[method] -= 1
                raise OperationalError("BEGIN", None, OSError("gone"))
            return real(self, *arguments)

        monkeypatch.setattr(owner, method, sometimes)
    pool.will("capture", [captured(version=after(1))])
    tell(ledger, order_observed(), payment_observed())
    async with running(runner_of(ledger, pool)):
        await until(lambda: "capture" in pool.asked)
    assert set(away.values()) == {0}


async def test_a_connection_added_later_is_served_without_a_restart(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "CONNECTIONS_POLL_S", 0.02)
    with ledger.write() as database:
        connections.put(database, ledger.keys, connection(STORE))
        connections.put(database, ledger.keys, connection(CARRIER, state=ConnectionState.DISCONNECTED))
    pool = Pool()
    tell(ledger, order_observed(), payment_observed())
    async with running(runner_of(ledger, pool)):
        await until(lambda: is_waiting(ledger))
        assert pool.calls == []
        with ledger.write() as database:
            connections.put(database, ledger.keys, connection(PROCESSOR))
        await until(lambda: "capture" in pool.asked)


def is_waiting(ledger: Ledger) -> bool:
    with ledger.read() as database:
        return outbox.counts(database)["pending"] == 1


async def test_dead_letters_of_both_kinds_are_in_the_summary(ledger: Ledger, pool: Pool, tmp_path: Path) -> None:
    pool.will("fetch", RequestRejected("access denied"))
    tell(ledger, order_observed(name="#1"), order_observed(name="#2"))
    (poison,) = store_deliveries(ledger, told(key="bad", body=b"{"))
    runner = order_sync_runner(ledger, pool, Settings(state_dir=tmp_path))  # type: ignore[arg-type]
    async with running(runner) as task:
        await until(lambda: len(runner.totals.dead) == 2)
    totals = await task
    kinds = {letter.kind: letter for letter in totals.dead}
    assert kinds["delivery"].name == str(poison)
    assert kinds["command"] == DeadLetter(
        "command", "shopify:north/order/1/refetch/0", "RequestRejected: access denied"
    )  # fmt: skip


def test_drained_means_that_nothing_waits(ledger: Ledger, pool: Pool) -> None:
    assert is_drained(ledger)
    tell(ledger, payment_observed())
    assert not is_drained(ledger)
    Applier(ledger, worker="a").run_once()
    assert is_drained(ledger)
    tell(ledger, order_observed())
    applier = Applier(ledger, worker="a")
    while applier.run_once().taken:
        pass
    assert not is_drained(ledger)
