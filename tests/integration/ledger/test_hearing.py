"""What webhooks brought of what sweeps listed, how late they come, and when a connection has fallen silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.integration.ledger.examples import AT, PROCESSOR, STORE, delivery, refetch
from tradewind.domain.commands import Refetch
from tradewind.domain.events import Resource
from tradewind.ledger import hearing, inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.ledger.hearing import SETTLED_AFTER, Hearing

ORDER = f"{STORE}/1"
LATER = SETTLED_AFTER + timedelta(minutes=1)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def take(ledger: Ledger, key: str, order: str | None = ORDER, **changes: Any) -> None:
    """A row that has been applied to the order."""
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery(key, **changes)])
        (one,) = inbox.claim(conn, ledger.keys, worker="w", limit=1, lease_s=60)
        inbox.finish(conn, [inbox.Outcome(one.id, one.epoch, "applied", order_id=order)])


def swept(
    ledger: Ledger, key: str, *, changed: datetime, read: datetime, order: str | None = ORDER, **more: Any
) -> None:
    take(ledger, key, order, source="poll", format="event", occurred_at=changed, received_at=read, **more)


def told(
    ledger: Ledger, key: str, *, happened: datetime, heard: datetime, order: str | None = ORDER, **more: Any
) -> None:
    take(ledger, key, order, occurred_at=happened, received_at=heard, **more)


def judged(ledger: Ledger, now: datetime, key: str = STORE) -> Hearing:
    with ledger.read() as conn:
        since, heard = hearing.unjudged(conn, key, now)
    with ledger.write() as conn:
        hearing.judge(conn, key, now, since, heard)
        return hearing.of(conn, key, now)


def test_a_change_that_a_webhook_told_of_is_not_missed(ledger: Ledger) -> None:
    told(ledger, "w", happened=after(1), heard=after(3))
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    found = judged(ledger, after(60) + LATER)
    assert (found.listed, found.missed, found.miss_rate) == (1, 0, 0.0)


def test_a_change_of_which_no_webhook_told_is_missed(ledger: Ledger) -> None:
    told(ledger, "w", happened=AT - timedelta(minutes=1), heard=AT)  # of the change before
    told(ledger, "x", happened=after(1), heard=after(3), order=f"{STORE}/2")
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    assert judged(ledger, after(60) + LATER).missed == 1


def test_a_webhook_that_comes_after_the_settle_time_is_as_good_as_none(ledger: Ledger) -> None:
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    told(ledger, "w", happened=after(1), heard=after(61) + SETTLED_AFTER)
    assert judged(ledger, after(600) + LATER).missed == 1


def test_one_that_comes_within_the_settle_time_counts(ledger: Ledger) -> None:
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    told(ledger, "w", happened=after(1), heard=after(59) + SETTLED_AFTER)
    assert judged(ledger, after(600) + LATER).missed == 0


def test_what_was_listed_a_moment_ago_is_not_judged_yet(ledger: Ledger) -> None:
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    assert judged(ledger, after(59) + SETTLED_AFTER).listed == 0
    assert judged(ledger, after(60) + SETTLED_AFTER).listed == 1


def test_each_listing_is_counted_once(ledger: Ledger) -> None:
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    judged(ledger, after(60) + LATER)
    swept(ledger, "order/1/b", changed=after(300), read=after(400))
    assert judged(ledger, after(400) + LATER).listed == 2


def test_two_that_judge_at_once_count_once(ledger: Ledger) -> None:
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    with ledger.write() as conn:
        first = hearing.unjudged(conn, STORE, after(60) + LATER)
        hearing.judge(conn, STORE, after(60) + LATER, *first)
        hearing.judge(conn, STORE, after(60) + LATER, *first)
        assert hearing.of(conn, STORE, after(60) + LATER).listed == 1


def test_backfills_and_repairs_are_not_judged(ledger: Ledger) -> None:
    take(ledger, "order/1/a", source="poll", format="event", occurred_at=None, received_at=AT)
    assert judged(ledger, AT + LATER).listed == 0


def test_another_connection_is_judged_by_its_own(ledger: Ledger) -> None:
    told(ledger, "w", happened=after(1), heard=after(3), connection=PROCESSOR)
    swept(ledger, "order/1/a", changed=AT, read=after(60))
    assert judged(ledger, after(60) + LATER).missed == 1
    assert judged(ledger, after(60) + LATER, PROCESSOR).listed == 0


def test_a_payment_that_was_read_again_because_of_a_webhook_is_not_missed(ledger: Ledger) -> None:
    """Its webhook came before its order was known, and so names none."""
    resource = Resource(connection=PROCESSOR, kind="payment", external_id="pi_1")
    with ledger.write() as conn:
        outbox.add(conn, [Refetch(connection=PROCESSOR, order_id=None, resource=resource), refetch()], after(2))
    for name in ("pi_1", "pi_2"):
        swept(ledger, f"payment/{name}/a", changed=AT, read=after(60), order=None, connection=PROCESSOR)
    found = judged(ledger, after(60) + LATER, PROCESSOR)
    assert (found.listed, found.missed) == (2, 1)


def test_a_document_is_known_by_its_number(ledger: Ledger) -> None:
    told(ledger, "w", happened=AT - timedelta(days=900), heard=after(3), order=None, correlation="C-1")
    for name in ("C-1", "C-2"):
        swept(ledger, f"document/{name}/a", changed=AT, read=after(60), order=None, correlation=name)
    found = judged(ledger, after(60) + LATER)
    assert (found.listed, found.missed) == (2, 1)


def test_delays_are_those_of_the_last_day(ledger: Ledger) -> None:
    told(ledger, "old", happened=AT - timedelta(days=3), heard=AT - timedelta(days=2))
    for number in range(1, 100):
        told(ledger, str(number), happened=AT, heard=after(number))
    told(ledger, "ahead", happened=after(9), heard=after(8))  # their clock is ahead of ours
    found = judged(ledger, after(100))
    assert (found.median_s, found.p99_s) == (50.0, 99.0)


def test_nothing_heard_and_nothing_listed_is_no_fault(ledger: Ledger) -> None:
    assert judged(ledger, AT) == Hearing(STORE)


def test_a_connection_that_changes_without_a_word_is_silent(ledger: Ledger) -> None:
    told(ledger, "w", happened=AT, heard=after(1))
    for number in range(hearing.SILENT_AFTER):
        assert not judged(ledger, after(70) + LATER).silent
        swept(ledger, f"order/{number}/a", changed=after(30), read=after(60 + number))
    found = judged(ledger, after(70) + LATER)
    assert (found.silent, found.heard_at) == (True, after(1))
    told(ledger, "x", happened=after(600), heard=after(601))
    assert not judged(ledger, after(610) + LATER).silent


def test_one_that_never_heard_is_not_silent(ledger: Ledger) -> None:
    for number in range(5):
        swept(ledger, f"order/{number}/a", changed=AT, read=after(60))
    found = judged(ledger, after(60) + LATER)
    assert (found.silent, found.miss_rate) == (False, 1.0)
