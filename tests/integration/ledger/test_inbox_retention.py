"""What is pruned is gone, and never taken in again: identity has no end."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from tests.integration.ledger.examples import PROCESSOR, at_once, delivery
from tradewind.errors import LeaseLost
from tradewind.ledger import inbox, retention, tables
from tradewind.ledger.engine import Ledger
from tradewind.ledger.identity import name_of
from tradewind.ledger.inbox import Claimed, Delivery, Outcome, Stored
from tradewind.ledger.retention import Pruned

LONG = timedelta(days=90)


def stored(ledger: Ledger, *deliveries: Delivery) -> list[Stored]:
    with ledger.write() as conn:
        return inbox.store(conn, ledger.keys, deliveries)


def claimed(ledger: Ledger, *, lease_s: float = 60) -> list[Claimed]:
    with ledger.write() as conn:
        return inbox.claim(conn, ledger.keys, worker="w", limit=500, lease_s=lease_s)


def finished(ledger: Ledger, state: str = "applied", waits_for: str | None = None) -> list[int]:
    """Finish all that waits; gives the ids."""
    held = claimed(ledger)
    with ledger.write() as conn:
        inbox.finish(conn, [Outcome(one.id, one.epoch, state, waits_for=waits_for) for one in held])  # type: ignore[arg-type]
    return [one.id for one in held]


def aged(ledger: Ledger, ids: list[int], age: timedelta = LONG + timedelta(days=1)) -> None:
    """Let them have been received and finished so long ago."""
    with ledger.write() as conn:
        at = inbox.get(conn, ledger.keys, ids[0]).row.finished_at
        assert at is not None
        old = {"received_at": at - age, "finished_at": at - age}
        conn.execute(update(tables.inbox).where(tables.inbox.c.id.in_(ids)).values(old))


def rows(ledger: Ledger) -> list[int]:
    with ledger.read() as conn:
        return list(conn.execute(select(tables.inbox.c.id).order_by(tables.inbox.c.id)).scalars())


def old_ones(ledger: Ledger, *deliveries: Delivery) -> list[int]:
    """Deliveries that are due to be pruned, and a fresh one after them."""
    ids = [one.id for one in stored(ledger, *deliveries)]
    finished(ledger)
    aged(ledger, ids)
    stored(ledger, delivery("fresh"))
    return ids


def test_repeat_of_a_pruned_delivery_is_a_duplicate_and_not_stored_again(ledger: Ledger) -> None:
    ids = old_ones(ledger, delivery("1"), delivery("2"))
    assert retention.prune(ledger, LONG) == Pruned(2, complete=True)
    again = stored(ledger, delivery("2"), delivery("3"), delivery("1"), delivery("1"))
    assert [(one.id, one.duplicate) for one in again if one.duplicate] == [
        (ids[1], True),
        (ids[0], True),
        (ids[0], True),
    ]
    assert [one.delivery_key for one in claimed(ledger)] == ["fresh", "3"]


def test_a_pruned_key_is_that_of_its_connection_and_source(ledger: Ledger) -> None:
    old_ones(ledger, delivery("1"))
    retention.prune(ledger, LONG)
    others = stored(ledger, delivery("1", connection=PROCESSOR), delivery("1", source="poll"))
    assert [one.duplicate for one in others] == [False, False]


@pytest.mark.parametrize("state", ["dead", "parked"])
def test_what_waits_for_someone_is_never_pruned(ledger: Ledger, state: str) -> None:
    (one,) = stored(ledger, delivery("1"))
    finished(ledger, state, waits_for="payment_id/1")
    aged(ledger, [one.id])
    stored(ledger, delivery("fresh"))
    assert retention.prune(ledger, LONG) == Pruned(0, complete=True)
    assert one.id in rows(ledger)


def test_superseded_and_applied_ones_of_age_are_pruned_and_younger_ones_stay(ledger: Ledger) -> None:
    (young,) = [one.id for one in stored(ledger, delivery("young"))]
    finished(ledger)
    aged(ledger, [young], LONG - timedelta(hours=1))
    (superseded,) = [one.id for one in stored(ledger, delivery("superseded"))]
    finished(ledger, "superseded")
    aged(ledger, [superseded])
    (waiting,) = [one.id for one in stored(ledger, delivery("waiting"))]
    assert retention.prune(ledger, LONG).deliveries == 1
    assert rows(ledger) == [young, waiting]


def test_one_received_long_ago_and_finished_lately_stays(ledger: Ledger) -> None:
    ids = old_ones(ledger, delivery("1"))
    with ledger.write() as conn:
        conn.execute(
            update(tables.inbox).where(tables.inbox.c.id == ids[0]).values(finished_at=func.current_timestamp())
        )
    assert retention.prune(ledger, LONG).deliveries == 0


def test_the_newest_row_stays_so_that_no_id_is_given_twice(ledger: Ledger) -> None:
    ids = [one.id for one in stored(ledger, delivery("1"), delivery("2"))]
    finished(ledger)
    aged(ledger, ids)
    assert retention.prune(ledger, LONG).deliveries == 1
    (third,) = stored(ledger, delivery("3"))
    assert third.id > max(ids)


def test_a_replay_stays_beside_the_dead_letter_that_it_settles(ledger: Ledger) -> None:
    (dead,) = stored(ledger, delivery("1"))
    finished(ledger, "dead")
    with ledger.write() as conn:
        replayed = inbox.replay(conn, ledger.keys, dead.id)
    finished(ledger)
    aged(ledger, [dead.id, replayed])
    stored(ledger, delivery("fresh"))
    assert retention.prune(ledger, LONG).deliveries == 0
    with ledger.read() as conn:
        assert inbox.dead_letters(conn) == []


def test_the_data_keys_of_pruned_deliveries_are_deleted(ledger: Ledger) -> None:
    old_ones(ledger, delivery("1"))
    with ledger.read() as conn:
        sealed = conn.execute(select(tables.inbox.c.sealed).order_by(tables.inbox.c.id).limit(1)).scalar_one()
    row = name_of(("shopify:north", "webhook", "1"))
    assert ledger.keys.open(sealed, row=row) is not None
    retention.prune(ledger, LONG)
    assert ledger.keys.open(sealed, row=row) is None
    with ledger.key_engine.connect() as keys:
        assert not keys.execute(select(tables.data_key.c.id).where(tables.data_key.c.id == sealed[1:17].hex())).all()


def test_many_go_in_short_transactions_and_no_more_than_asked(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    old_ones(ledger, *(delivery(str(number)) for number in range(35)))
    assert retention.prune(ledger, LONG, limit=20) == Pruned(20, complete=False)
    assert retention.prune(ledger, LONG, stopped=lambda: True) == Pruned(0, complete=False)
    assert retention.prune(ledger, LONG) == Pruned(15, complete=True)


def test_rows_that_stay_do_not_hide_those_behind_them(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    dead = [one.id for one in stored(ledger, *(delivery(f"dead {number}") for number in range(5)))]
    finished(ledger, "dead")
    aged(ledger, dead)
    old_ones(ledger, delivery("1"))
    assert retention.prune(ledger, LONG) == Pruned(1, complete=True)


def test_repeats_that_come_while_their_rows_are_pruned_are_stored_by_nobody(ledger: Ledger) -> None:
    keys = [str(number) for number in range(200)]
    old_ones(ledger, *(delivery(key) for key in keys))
    pruned = threading.Event()

    def work(part: int) -> list[Stored]:
        if part == 0:
            retention.prune(ledger, LONG, pause_s=0)
            pruned.set()
            return []
        results: list[Stored] = []
        while not pruned.is_set() or not results:
            results += stored(ledger, *(delivery(key) for key in keys[part::3]))
        return results

    results = [one for batch in at_once(work, range(4)) for one in batch]
    assert results
    assert all(one.duplicate for one in results)
    assert [one.delivery_key for one in claimed(ledger)] == ["fresh"]


def test_a_repeat_of_what_was_stored_and_never_applied_is_still_applied_once(ledger: Ledger) -> None:
    """A crash between store and apply: the provider repeats, and the row that is there is finished."""
    (first,) = stored(ledger, delivery("1"))
    assert stored(ledger, delivery("1"))[0] == Stored(first.id, duplicate=True)
    (one,) = claimed(ledger)
    assert one.id == first.id


def test_a_repeat_of_what_a_dead_worker_had_claimed_is_still_applied_once(ledger: Ledger) -> None:
    (first,) = stored(ledger, delivery("1"))
    (lost,) = claimed(ledger, lease_s=0)
    assert stored(ledger, delivery("1"))[0].duplicate
    (one,) = claimed(ledger)
    assert (one.id, one.attempts) == (first.id, 2)
    with ledger.write() as conn:
        inbox.finish(conn, [Outcome(one.id, one.epoch, "applied")])
    with pytest.raises(LeaseLost), ledger.write() as conn:
        inbox.finish(conn, [Outcome(lost.id, lost.epoch, "applied")])


def test_what_is_parked_for_long_is_counted_as_stuck(ledger: Ledger) -> None:
    ids = [one.id for one in stored(ledger, delivery("1"), delivery("2"))]
    finished(ledger, "parked", waits_for="payment_id/1")
    aged(ledger, ids[:1], timedelta(hours=2))
    with ledger.read() as conn:
        counts = inbox.counts(conn)
    assert (counts["parked"], counts["stuck"]) == (1, 1)
