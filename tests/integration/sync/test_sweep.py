"""Sweep and backfill, on both databases: what no webhook told enters by the same door, and no cursor runs ahead."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    label_observed,
    order_observed,
    payment_observed,
)
from tests.unit.sync.books_fakes import document
from tests.unit.sync.desk import JOURNAL, Desk, connect_all, connection
from tradewind.domain.events import Resource, ResourceChanged
from tradewind.errors import ProviderUnavailable
from tradewind.ledger import cursors, inbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applier
from tradewind.sync.backfill import Backfilled, backfill_connection
from tradewind.sync.sweep import CURSOR, LAG, OVERLAP, Swept, sweep

HINT = ResourceChanged(resource=Resource(connection=STORE, kind="order", external_id="1"), version=AT)


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    connect_all(ledger)
    return Desk()


async def swept(ledger: Ledger, desk: Desk, key: str = PROCESSOR, *, now: datetime = AT) -> Swept:
    return await sweep(ledger, connection(key), desk(key), now=now)


def cursor(ledger: Ledger, key: str = PROCESSOR) -> datetime | None:
    with ledger.read() as database:
        found = cursors.get(database, f"{key}/{CURSOR}")
    return found.updated_at if found else None


def rows(ledger: Ledger) -> list[inbox.DeliveryRow]:
    with ledger.read() as database:
        return inbox.search(database)


async def test_the_first_sweep_begins_when_the_connection_went_live(ledger: Ledger, desk: Desk) -> None:
    done = await swept(ledger, desk)
    assert (done.since, done.until) == (after(-60) - OVERLAP, AT - LAG)
    assert desk.calls[0].arguments == (done.since, done.until)


async def test_one_that_is_not_live_begins_now(ledger: Ledger, desk: Desk) -> None:
    quiet = connection(PROCESSOR, live_from=None)
    done = await sweep(ledger, quiet, desk(PROCESSOR), now=AT)
    assert done.since == AT - OVERLAP


async def test_what_is_listed_enters_the_inbox_once(ledger: Ledger, desk: Desk) -> None:
    desk.will("payments", [payment_observed()], [payment_observed("pi-2"), payment_observed("pi-3")])
    assert (await swept(ledger, desk)).new == 3
    again = await swept(ledger, desk, now=after(60))
    assert (again.listed, again.new) == (3, 0)
    assert {(row.connection, row.source, row.lane, row.repeats) for row in rows(ledger)} == {
        (PROCESSOR, "poll", "normal", 1)
    }


async def test_what_changed_since_is_new(ledger: Ledger, desk: Desk) -> None:
    desk.will("payments", [payment_observed()])
    await swept(ledger, desk)
    desk.answers["payments"] = [[captured(version=after(30))]]
    assert (await swept(ledger, desk, now=after(60))).new == 1


async def test_the_next_sweep_overlaps_the_one_before(ledger: Ledger, desk: Desk) -> None:
    desk.will("payments", [payment_observed()])
    first = await swept(ledger, desk)
    assert cursor(ledger) == first.until
    second = await swept(ledger, desk, now=after(60))
    assert second.since == first.until - OVERLAP
    assert cursor(ledger) == second.until == after(60) - LAG


async def test_a_listing_of_nothing_moves_no_cursor(ledger: Ledger, desk: Desk) -> None:
    desk.will("payments", [payment_observed()])
    first = await swept(ledger, desk)
    for empty in ([], [[]]):
        desk.answers["payments"] = empty
        assert (await swept(ledger, desk, now=after(600))).listed == 0
        assert cursor(ledger) == first.until


async def test_a_failed_page_moves_no_cursor_and_keeps_what_was_read(ledger: Ledger, desk: Desk) -> None:
    desk.will("payments", [payment_observed()])
    first = await swept(ledger, desk)
    desk.answers["payments"] = [[payment_observed("pi-2")], ProviderUnavailable("away")]
    with pytest.raises(ProviderUnavailable):
        await swept(ledger, desk, now=after(600))
    assert cursor(ledger) == first.until
    assert len(rows(ledger)) == 2


async def test_a_listing_of_changes_is_read_on_from_its_last_page(ledger: Ledger, desk: Desk) -> None:
    desk.will("changes", [HINT], ProviderUnavailable("away"))
    with pytest.raises(ProviderUnavailable):
        await swept(ledger, desk, STORE, now=after(600))
    assert cursor(ledger, STORE) == AT
    desk.answers["changes"] = [[HINT]]
    done = await swept(ledger, desk, STORE, now=after(600))
    assert (done.since, done.complete, cursor(ledger, STORE)) == (AT - OVERLAP, True, after(600) - LAG)


@pytest.mark.parametrize(("key", "reached"), [(STORE, AT), (PROCESSOR, None)])
async def test_a_sweep_ends_with_its_time(ledger: Ledger, desk: Desk, key: str, reached: datetime | None) -> None:
    events = {STORE: ("changes", HINT), PROCESSOR: ("payments", payment_observed())}
    method, event = events[key]
    desk.will(method, [event], asyncio.Event().wait)
    done = await sweep(ledger, connection(key), desk(key), now=after(600), within_s=0.5)
    assert (done.listed, done.new, done.complete) == (1, 1, False)
    assert cursor(ledger, key) == reached


async def test_a_page_that_timed_out_by_itself_is_an_error(ledger: Ledger, desk: Desk) -> None:
    desk.will("changes", TimeoutError("of its own"))
    with pytest.raises(TimeoutError, match="of its own"):
        await sweep(ledger, connection(STORE), desk(STORE), now=AT, within_s=60.0)


async def test_a_slow_sweep_does_not_set_the_cursor_back(ledger: Ledger, desk: Desk) -> None:
    desk.will("payments", [payment_observed()])
    await swept(ledger, desk, now=after(600))
    await swept(ledger, desk, now=after(60))
    assert cursor(ledger) == after(600) - LAG


@pytest.mark.parametrize(
    ("key", "method", "event"),
    [(STORE, "changes", HINT), (PROCESSOR, "payments", payment_observed()), (JOURNAL, "documents", document())],
)
async def test_each_role_lists_what_it_has(ledger: Ledger, desk: Desk, key: str, method: str, event: Any) -> None:
    desk.will(method, [event])
    assert (await swept(ledger, desk, key)).new == 1
    assert desk.asked == [method]


async def test_a_carriers_labels_are_our_own_and_not_swept(ledger: Ledger, desk: Desk) -> None:
    desk.will("labels", [label_observed()])
    assert (await swept(ledger, desk, CARRIER)).listed == 0
    assert desk.calls == []


async def test_a_backfilled_past_is_recorded_and_never_commanded(ledger: Ledger, desk: Desk) -> None:
    old = {"placed_at": after(-9999), "updated_at": after(-9999)}
    desk.will("orders", [order_observed("1", **old)], [order_observed("2", **old)])
    store = desk(STORE)
    assert await backfill_connection(ledger, STORE, store, after(-10_000), AT) == Backfilled(STORE, listed=2, new=2)
    assert desk.calls[0].arguments == (after(-10_000), AT)
    applied = Applier(ledger, worker="a").run_once()
    assert (applied.changed_orders, applied.commands) == (2, 0)
    assert await backfill_connection(ledger, STORE, store, after(-10_000), AT) == Backfilled(STORE, listed=2, new=0)


async def test_a_backfill_that_fails_keeps_the_pages_before(ledger: Ledger, desk: Desk) -> None:
    desk.will("orders", [order_observed()], ProviderUnavailable("away"))
    with pytest.raises(ProviderUnavailable):
        await backfill_connection(ledger, STORE, desk(STORE), after(-60), AT)
    assert len(rows(ledger)) == 1


@pytest.mark.parametrize(
    ("key", "method", "event"),
    [
        (STORE, "orders", order_observed()),
        (PROCESSOR, "payments", payment_observed()),
        (CARRIER, "labels", label_observed()),
        (JOURNAL, "documents", document()),
    ],
)
async def test_a_backfill_lists_whole_resources(ledger: Ledger, desk: Desk, key: str, method: str, event: Any) -> None:
    desk.will(method, [event])
    assert (await backfill_connection(ledger, key, desk(key), after(-60), AT)).new == 1
    assert desk.asked == [method]


async def test_a_client_of_no_role_lists_nothing(ledger: Ledger) -> None:
    with pytest.raises(TypeError, match="lists nothing"):
        await backfill_connection(ledger, STORE, object(), after(-60), AT)  # type: ignore[arg-type]
