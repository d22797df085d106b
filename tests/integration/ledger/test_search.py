"""Deliveries are found page by page, on both databases, and no search runs for ever."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.integration.ledger.examples import AT, PROCESSOR, delivery, order
from tradewind.ledger import inbox, orders
from tradewind.ledger.engine import Ledger
from tradewind.ledger.search import Found, SearchTooSlow, Wanted, find, within


def store(ledger: Ledger, *deliveries: inbox.Delivery) -> list[int]:
    with ledger.write() as conn:
        return [stored.id for stored in inbox.store(conn, ledger.keys, deliveries)]


def found(ledger: Ledger, wanted: Wanted, limit: int = 10) -> Found:
    with ledger.read() as conn:
        return find(conn, wanted, limit=limit)


def ids(ledger: Ledger, **wanted: object) -> list[int]:
    return [row.id for row in found(ledger, Wanted(**wanted)).rows]  # type: ignore[arg-type]


def test_pages_follow_one_another_without_gap_or_repetition(ledger: Ledger) -> None:
    stored = store(ledger, *(delivery(str(number)) for number in range(7)))
    seen, before = [], None
    while True:
        page = found(ledger, Wanted(before=before), limit=3)
        seen += [row.id for row in page.rows]
        before = page.next_before
        if before is None:
            break
        store(ledger, delivery(f"new-{before}"))  # what comes meanwhile moves no page
    assert seen == stored[::-1]


def test_what_is_wanted_narrows(ledger: Ledger) -> None:
    first, second, third = store(
        ledger,
        delivery("1", received_at=AT - timedelta(days=3)),
        delivery("2", topic="orders/updated"),
        delivery("3", topic="charge.captured", connection=PROCESSOR),
    )
    assert ids(ledger, topic="orders/*") == [second, first]
    assert ids(ledger, topic="orders/create") == [first]
    assert ids(ledger, topic="%*") == []
    assert ids(ledger, connection=PROCESSOR) == [third]
    assert ids(ledger, state="dead") == []
    assert ids(ledger, since=AT) == [third, second]
    assert ids(ledger, until=AT) == [first]


def test_an_order_is_found_by_its_name_with_or_without_the_sign_and_by_its_id(ledger: Ledger) -> None:
    known = order()
    with ledger.write() as conn:
        orders.save(conn, ledger.keys, known, None)
    (id, _) = store(ledger, delivery("1"), delivery("2"))
    with ledger.write() as conn:
        (claimed, *_) = inbox.claim(conn, ledger.keys, worker="a", limit=1, lease_s=30)
        inbox.finish(conn, [inbox.Outcome(claimed.id, claimed.epoch, "applied", order_id=known.id)])
    for asked in ("#1042", "1042", known.id):
        assert ids(ledger, order=asked) == [id]
    assert ids(ledger, order="#nobody") == []


FOR_EVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def test_a_search_that_takes_too_long_is_ended_and_the_next_one_works(ledger: Ledger) -> None:
    with pytest.raises(SearchTooSlow, match="narrow"), ledger.read() as conn, within(conn, 0.2):
        conn.execute(text(FOR_EVER[ledger.dialect]))
    (id,) = store(ledger, delivery())
    with ledger.read() as conn, within(conn, 5):
        assert [row.id for row in find(conn, Wanted(), limit=10).rows] == [id]
