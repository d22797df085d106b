from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.integration.ledger.examples import AT, BODY, CARRIER, PROCESSOR, at_once, delivery
from tradewind.errors import LeaseLost
from tradewind.ledger import inbox, orders, tables
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Claimed, Delivery, Outcome, Stored


def stored(ledger: Ledger, *deliveries: Delivery) -> list[Stored]:
    with ledger.write() as conn:
        return inbox.store(conn, ledger.keys, deliveries)


def claimed(ledger: Ledger, *, worker: str = "w1", limit: int = 100, lease_s: float = 60) -> list[Claimed]:
    with ledger.write() as conn:
        return inbox.claim(conn, ledger.keys, worker=worker, limit=limit, lease_s=lease_s)


def finished(ledger: Ledger, *outcomes: Outcome) -> None:
    with ledger.write() as conn:
        inbox.finish(conn, outcomes)


def counts(ledger: Ledger) -> dict[str, int]:
    with ledger.read() as conn:
        return {state: count for state, count in inbox.counts(conn).items() if count}


def test_duplicate_delivery_is_stored_once(ledger: Ledger) -> None:
    first = stored(ledger, delivery("1"), delivery("2"), delivery("1"))
    again = stored(ledger, delivery("2"), delivery("3"))
    assert [one.duplicate for one in first] == [False, False, True]
    assert [one.duplicate for one in again] == [True, False]
    assert again[0].id == first[1].id
    with ledger.read() as conn:
        repeats = {row.delivery_key: row.repeats for row in inbox.search(conn)}
    assert repeats == {"1": 1, "2": 1, "3": 0}


def test_the_same_key_of_another_connection_or_source_is_another_delivery(ledger: Ledger) -> None:
    results = stored(ledger, delivery(), delivery(connection=PROCESSOR), delivery(source="poll"))
    assert [one.duplicate for one in results] == [False, False, False]


def test_parallel_stores_of_the_same_keys_keep_each_once(ledger: Ledger) -> None:
    keys = [str(number) for number in range(20)]

    def store(order: int) -> list[Stored]:
        return stored(ledger, *(delivery(key) for key in (keys if order % 2 else reversed(keys))))

    results = [one for batch in at_once(store, range(6)) for one in batch]
    assert sum(not one.duplicate for one in results) == len(keys)
    assert len({one.id for one in results}) == len(keys)
    assert counts(ledger) == {"received": len(keys)}


def test_claimed_delivery_comes_back_as_it_was_stored(ledger: Ledger) -> None:
    sent = delivery(body=b"\x00odd\nbody\xff", correlation="c-1", lane="normal", headers={"a": "ü\n"})
    stored(ledger, sent)
    (one,) = claimed(ledger)
    assert Delivery(**{name: getattr(one, name) for name in Delivery.__dataclass_fields__}) == sent
    assert (one.epoch, one.attempts) == (1, 1)


def test_no_body_or_header_lies_in_plain_text(ledger: Ledger) -> None:
    stored(ledger, delivery(headers={"x-customer": "Ada Lovelace"}))
    with ledger.read() as conn:
        row = conn.execute(select(tables.inbox)).one()
    assert b"Lovelace" not in row.sealed
    assert "lovelace" not in repr([value for value in row if not isinstance(value, bytes)]).lower()


@pytest.mark.parametrize("odd", ["nul\0byte", "half \ud800 pair", "ü" * 5000, ""])
def test_delivery_with_an_odd_key_is_stored_once(ledger: Ledger, odd: str) -> None:
    sent = delivery(odd, topic=odd, correlation=odd)
    assert [one.duplicate for one in (*stored(ledger, sent, delivery(f"{odd}2")), *stored(ledger, sent))] == [
        False,
        False,
        True,
    ]
    assert [one.body for one in claimed(ledger)] == [BODY, BODY]


def test_claims_go_by_lane_and_then_oldest_first(ledger: Ledger) -> None:
    stored(ledger, delivery("a", lane="deferred"), delivery("b"), delivery("c", lane="normal"), delivery("d"))
    assert [one.delivery_key for one in claimed(ledger, limit=3)] == ["b", "d", "c"]
    assert [one.delivery_key for one in claimed(ledger)] == ["a"]


def test_claim_of_a_prefix_leaves_other_connections_alone(ledger: Ledger) -> None:
    stored(ledger, delivery(), delivery(connection=PROCESSOR), delivery(connection=CARRIER))
    with ledger.write() as conn:
        mine = inbox.claim(conn, ledger.keys, worker="w", limit=9, lease_s=60, prefix=["stripe:", "ship_"])
    assert [one.connection for one in mine] == [PROCESSOR]


def test_two_workers_claim_disjoint_deliveries(ledger: Ledger) -> None:
    stored(ledger, *(delivery(str(number)) for number in range(200)))

    def drain(worker: int) -> list[int]:
        taken: list[int] = []
        while batch := claimed(ledger, worker=f"w{worker}", limit=7):
            taken += [one.id for one in batch]
        return taken

    taken = [id for ids in at_once(drain, range(4)) for id in ids]
    assert len(taken) == len(set(taken)) == 200


def test_expired_lease_is_taken_over_and_the_old_holder_loses_it(ledger: Ledger) -> None:
    stored(ledger, delivery())
    (old,) = claimed(ledger, worker="old", lease_s=0)
    (new,) = claimed(ledger, worker="new")
    assert (new.id, new.epoch, new.attempts) == (old.id, 2, 2)
    with pytest.raises(LeaseLost):
        finished(ledger, Outcome(old.id, old.epoch, "applied"))
    finished(ledger, Outcome(new.id, new.epoch, "applied"))
    assert counts(ledger) == {"applied": 1}


def test_running_lease_is_not_taken_over(ledger: Ledger) -> None:
    stored(ledger, delivery())
    assert claimed(ledger)
    assert claimed(ledger, worker="other") == []


def test_one_lost_lease_leaves_the_whole_batch_unwritten(ledger: Ledger) -> None:
    stored(ledger, delivery("1"), delivery("2"))
    first, second = claimed(ledger)
    with pytest.raises(LeaseLost):
        finished(ledger, Outcome(first.id, first.epoch, "applied"), Outcome(second.id, second.epoch + 1, "applied"))
    assert counts(ledger) == {"claimed": 2}


def test_a_delivery_is_finished_once(ledger: Ledger) -> None:
    stored(ledger, delivery())
    (one,) = claimed(ledger)
    finished(ledger, Outcome(one.id, one.epoch, "applied", order_id="shopify:north/1"))
    with pytest.raises(LeaseLost):
        finished(ledger, Outcome(one.id, one.epoch, "dead"))


def test_a_delivery_given_back_is_claimed_again(ledger: Ledger) -> None:
    stored(ledger, delivery())
    (one,) = claimed(ledger)
    finished(ledger, Outcome(one.id, one.epoch, "received", reason="the order was changed meanwhile"))
    (again,) = claimed(ledger)
    assert (again.id, again.attempts) == (one.id, 2)


def test_parked_delivery_is_received_again_when_its_link_is_known(ledger: Ledger) -> None:
    stored(ledger, delivery("1"), delivery("2"))
    first, second = claimed(ledger)
    finished(
        ledger,
        Outcome(first.id, first.epoch, "parked", waits_for="payment_id/1"),
        Outcome(second.id, second.epoch, "parked", waits_for="payment_id/2"),
    )
    with ledger.write() as conn:
        assert inbox.release_parked(conn, []) == 0
        assert inbox.release_parked(conn, {"payment_id/1", "payment_id/3"}) == 1
    assert [one.id for one in claimed(ledger)] == [first.id]


def test_delivery_parked_for_a_link_known_by_now_is_received_at_once(ledger: Ledger) -> None:
    stored(ledger, delivery())
    (one,) = claimed(ledger)
    with ledger.write() as conn:
        orders.add_links(conn, "shopify:north/1", ["payment_id/1"])
    finished(ledger, Outcome(one.id, one.epoch, "parked", waits_for="payment_id/1"))
    assert counts(ledger) == {"received": 1}


def test_delivery_parked_beside_the_link_that_it_waits_for_is_not_stranded(ledger: Ledger) -> None:
    stored(ledger, delivery())
    (one,) = claimed(ledger)
    finished(ledger, Outcome(one.id, one.epoch, "parked", waits_for="payment_id/1"))
    with ledger.write() as conn:
        assert inbox.release_stranded(conn) == 0
        orders.add_links(conn, "shopify:north/1", ["payment_id/1"])
        assert inbox.release_stranded(conn) == 1
    assert counts(ledger) == {"received": 1}


def test_replay_is_a_new_delivery_that_names_the_one_it_repeats(ledger: Ledger) -> None:
    (first,) = stored(ledger, delivery())
    with ledger.write() as conn:
        ids = [inbox.replay(conn, ledger.keys, first.id) for _ in range(2)]
        content = inbox.get(conn, ledger.keys, ids[1])
    assert len({first.id, *ids}) == 3
    assert (content.body, content.row.source, content.row.replay_of) == (BODY, "replay", first.id)


def test_replay_and_get_of_an_unknown_delivery_are_refused(ledger: Ledger) -> None:
    with ledger.write() as conn:
        with pytest.raises(LookupError):
            inbox.replay(conn, ledger.keys, 99)
        with pytest.raises(LookupError):
            inbox.get(conn, ledger.keys, 99)


def test_delivery_whose_key_was_erased_becomes_dead(ledger: Ledger) -> None:
    (first, _) = stored(ledger, delivery("1"), delivery("2"))
    with ledger.read() as conn:
        sealed = conn.execute(select(tables.inbox.c.sealed).where(tables.inbox.c.id == first.id)).scalar_one()
    assert ledger.keys.erase([sealed]) == 1
    assert [one.delivery_key for one in claimed(ledger)] == ["2"]
    with ledger.write() as conn:
        content = inbox.get(conn, ledger.keys, first.id)
        with pytest.raises(LookupError, match="erased"):
            inbox.replay(conn, ledger.keys, first.id)
    assert (content.body, content.row.state) == (None, "dead")


def test_search_finds_by_what_is_listed(ledger: Ledger) -> None:
    later = AT + timedelta(hours=1)
    ids = stored(ledger, delivery("1"), delivery("2", topic="app/uninstalled"), delivery("3", received_at=later))
    (one, *_) = claimed(ledger, limit=1)
    finished(ledger, Outcome(one.id, one.epoch, "applied", order_id="shopify:north/1"))
    with ledger.read() as conn:
        assert [row.id for row in inbox.search(conn)] == [each.id for each in reversed(ids)]
        assert [row.delivery_key for row in inbox.search(conn, topic="app/uninstalled")] == ["2"]
        assert [row.delivery_key for row in inbox.search(conn, since=later)] == ["3"]
        assert [row.delivery_key for row in inbox.search(conn, state="applied")] == ["1"]
        assert [row.delivery_key for row in inbox.search(conn, order_id="shopify:north/1")] == ["1"]
        assert inbox.search(conn, connection=PROCESSOR) == []
        assert len(inbox.search(conn, limit=2)) == 2


def test_a_lease_ends_by_the_databases_clock(ledger: Ledger) -> None:
    stored(ledger, delivery())
    (one,) = claimed(ledger, lease_s=600)
    with ledger.write() as conn:
        table = tables.inbox
        lease_until = conn.execute(select(table.c.lease_until).where(table.c.id == one.id)).scalar_one()
        conn.execute(update(table).values(lease_until=lease_until - timedelta(seconds=601)))
    assert [again.id for again in claimed(ledger)] == [one.id]
