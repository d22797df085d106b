from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.integration.ledger.examples import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    at_once,
    buy_label,
    capture,
    gbp,
    refetch,
)
from tradewind.domain.commands import Command, Refetch
from tradewind.errors import LeaseLost
from tradewind.ledger import outbox, tables
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger
from tradewind.ledger.outbox import Due


def added(ledger: Ledger, *commands: Command) -> list[str]:
    with ledger.write() as conn:
        return outbox.add(conn, commands, AT)


def due(
    ledger: Ledger, connection: str = PROCESSOR, *, limit: int = 10, lease_s: float = 60, writes: bool = True
) -> list[Due]:
    with ledger.write() as conn:
        return outbox.claim_due(conn, connection, worker="w", limit=limit, lease_s=lease_s, writes=writes)


def row(ledger: Ledger, key: str) -> outbox.CommandRow:
    with ledger.read() as conn:
        return next(one for one in outbox.by_order(conn, "shopify:north/1") if one.key == key)


def test_the_same_intent_is_asked_for_once(ledger: Ledger) -> None:
    assert added(ledger, capture(), capture()) == [capture().key]
    assert added(ledger, capture()) == []
    (one,) = due(ledger)
    with ledger.write() as conn:
        outbox.succeed(conn, one, "captured")
    assert added(ledger, capture()) == []
    assert due(ledger) == []
    assert (row(ledger, one.key).state, row(ledger, one.key).detail) == ("done", "captured")


def test_frozen_parameters_survive_a_later_plan(ledger: Ledger) -> None:
    added(ledger, capture())
    added(ledger, capture().model_copy(update={"amount": gbp("99.00")}))
    assert due(ledger)[0].command == capture()


def test_claim_counts_the_attempt_before_the_call(ledger: Ledger) -> None:
    added(ledger, capture())
    (first,) = due(ledger, lease_s=0)
    (second,) = due(ledger)
    assert (first.attempts, first.epoch, first.generation) == (1, 1, 0)
    assert (second.attempts, second.epoch, second.generation) == (2, 2, 0)
    assert second.idempotency_key == first.idempotency_key == f"{capture().key}/0"
    assert (first.fresh, second.fresh) == (True, False)
    assert 0 == first.key_age_s <= second.key_age_s


def test_taken_over_command_is_settled_by_its_new_holder_alone(ledger: Ledger) -> None:
    added(ledger, capture())
    (old,) = due(ledger, lease_s=0)
    (new,) = due(ledger)
    settling = (
        lambda conn: outbox.succeed(conn, old),
        lambda conn: outbox.postpone(conn, old, reason="slow", delay_s=1),
        lambda conn: outbox.fail(conn, old, reason="no", next_generation=True),
        lambda conn: outbox.cancel(conn, old, "not wanted"),
    )
    for settle in settling:
        with pytest.raises(LeaseLost), ledger.write() as conn:
            settle(conn)
    with ledger.write() as conn:
        outbox.succeed(conn, new)
    assert row(ledger, new.key).state == "done"


def test_postponed_command_waits_and_keeps_its_idempotency_key(ledger: Ledger) -> None:
    added(ledger, capture())
    (one,) = due(ledger)
    with ledger.write() as conn:
        outbox.postpone(conn, one, reason="RateLimited", delay_s=3600)
    assert due(ledger) == []
    added(ledger, capture("pi_2", "shopify:north/2"))
    (other,) = due(ledger)
    with ledger.write() as conn:
        outbox.postpone(conn, other, reason="RateLimited", delay_s=0)
    (again,) = due(ledger)
    assert (again.idempotency_key, again.attempts) == (other.idempotency_key, 2)


def test_definite_failure_starts_the_next_generation_or_is_dead(ledger: Ledger) -> None:
    added(ledger, capture())
    (one,) = due(ledger)
    with ledger.write() as conn:
        outbox.fail(conn, one, reason="card_declined", next_generation=True)
    (second,) = due(ledger)
    assert second.generation == 1
    assert second.idempotency_key != one.idempotency_key
    with ledger.write() as conn:
        outbox.fail(conn, second, reason="card_declined", next_generation=False)
    with ledger.read() as conn:
        assert [(each.key, each.reason) for each in outbox.dead(conn)] == [(one.key, "card_declined")]
        assert outbox.counts(conn) == {"pending": 0, "in_flight": 0, "done": 0, "dead": 1, "cancelled": 0}


def test_dead_command_is_tried_again_under_a_new_key(ledger: Ledger) -> None:
    added(ledger, capture())
    (one,) = due(ledger)
    with ledger.write() as conn:
        outbox.fail(conn, one, reason="no", next_generation=False)
        outbox.retry_dead(conn, one.key)
    assert due(ledger)[0].generation == 1
    with pytest.raises(LookupError), ledger.write() as conn:
        outbox.retry_dead(conn, one.key)


def test_dead_commands_are_tried_again_by_key_or_id_all_or_none(ledger: Ledger) -> None:
    added(ledger, capture(), capture("pi_2", "shopify:north/2"))
    for one in due(ledger):
        with ledger.write() as conn:
            outbox.fail(conn, one, reason="no", next_generation=False)
    with ledger.write() as conn:
        second, first = (each.key for each in outbox.dead(conn))
        number = conn.execute(select(tables.outbox.c.id).where(tables.outbox.c.key == first)).scalar_one()
    with pytest.raises(LookupError, match="404"), ledger.write() as conn:
        outbox.retry_dead(conn, [second, 404])
    assert due(ledger) == []
    with ledger.write() as conn:
        assert outbox.retry_dead(conn, [second, number]) == sorted([first, second])
    assert sorted(one.key for one in due(ledger)) == sorted([first, second])


def test_the_age_of_a_key_is_that_of_its_first_attempt(ledger: Ledger) -> None:
    added(ledger, capture())
    (first,) = due(ledger, lease_s=0)
    with ledger.write() as conn:
        long_ago = db_now(conn) - timedelta(hours=30)
        conn.execute(update(tables.outbox).values(first_attempt_at=long_ago))
    (again,) = due(ledger)
    assert 30 * 3600 <= again.key_age_s < 31 * 3600
    with ledger.write() as conn:
        outbox.fail(conn, again, reason="spent", next_generation=True)
    (fresh,) = due(ledger)
    assert (fresh.generation, fresh.fresh, fresh.key_age_s) == (1, True, 0.0)
    assert fresh.idempotency_key != first.idempotency_key


def test_other_parameters_are_taken_over_while_nothing_was_sent(ledger: Ledger) -> None:
    added(ledger, capture())
    (one,) = due(ledger)
    less = capture().model_copy(update={"amount": gbp("3.00")})
    with ledger.write() as conn:
        outbox.replan(conn, one, less)
    (again,) = due(ledger)
    assert (again.command, again.idempotency_key, again.fresh) == (less, one.idempotency_key, True)


def test_a_renewed_lease_runs_from_now_and_a_lost_one_is_not_renewed(ledger: Ledger) -> None:
    added(ledger, capture())
    (old,) = due(ledger, lease_s=60)
    with ledger.write() as conn:
        before = conn.execute(select(tables.outbox.c.lease_until)).scalar_one()
        outbox.renew(conn, old, lease_s=120)
        after = conn.execute(select(tables.outbox.c.lease_until)).scalar_one()
    assert before is not None
    assert after >= before + timedelta(seconds=60)
    assert due(ledger) == []
    with ledger.write() as conn:
        outbox.renew(conn, old, lease_s=0)
    (new,) = due(ledger)
    with pytest.raises(LeaseLost), ledger.write() as conn:
        outbox.renew(conn, old, lease_s=60)
    with ledger.write() as conn:
        outbox.succeed(conn, new)


def test_a_lease_that_ran_out_is_not_renewed_beside_another_command_of_its_order(ledger: Ledger) -> None:
    """A worker slept through its lease, and another command of the order went: both would be in flight."""
    added(ledger, buy_label(), capture())
    (slept,) = due(ledger, CARRIER, lease_s=0)
    (other,) = due(ledger)
    assert slept.command.order_id == other.command.order_id
    with pytest.raises(LeaseLost), ledger.write() as conn:
        outbox.renew(conn, slept, lease_s=60)
    assert due(ledger, CARRIER) == []
    with ledger.write() as conn:
        outbox.succeed(conn, other)
    (again,) = due(ledger, CARRIER)
    assert again.key == slept.key


def test_cancelled_command_is_revived_when_it_is_planned_again(ledger: Ledger) -> None:
    added(ledger, buy_label())
    (one,) = due(ledger, CARRIER)
    with ledger.write() as conn:
        outbox.cancel(conn, one, "the order is on hold")
    assert due(ledger, CARRIER) == []
    assert added(ledger, buy_label()) == [one.key]
    (again,) = due(ledger, CARRIER)
    assert (again.generation, again.attempts) == (1, 2)


def test_one_command_of_an_order_is_in_flight_at_a_time(ledger: Ledger) -> None:
    added(ledger, capture("pi_1"), capture("pi_2"), capture("pi_3", "shopify:north/2"), buy_label())
    first = due(ledger)
    assert [one.command.order_id for one in first] == ["shopify:north/1", "shopify:north/2"]
    assert due(ledger) == []
    assert due(ledger, CARRIER) == []
    with ledger.write() as conn:
        outbox.succeed(conn, first[0])
    assert len(due(ledger, CARRIER)) == 1


def test_an_abandoned_command_does_not_hold_up_its_order(ledger: Ledger) -> None:
    added(ledger, capture(), buy_label())
    assert due(ledger, lease_s=0)
    assert len(due(ledger, CARRIER)) == 1


def test_parallel_claims_never_take_two_commands_of_an_order(ledger: Ledger) -> None:
    count = 15
    for number in range(count):
        order_id = f"shopify:north/{number}"
        added(ledger, capture(f"pi_{number}", order_id), buy_label(order_id, f"tw-{number}"))

    def claim(connection: str) -> list[Due]:
        return [one for _ in range(count) for one in due(ledger, connection, limit=1)]

    claims = at_once(claim, [PROCESSOR, CARRIER, PROCESSOR, CARRIER])
    orders = [one.command.order_id for batch in claims for one in batch]
    assert len(orders) == len(set(orders)) == count


def test_paused_connection_only_reads(ledger: Ledger) -> None:
    write = buy_label().model_copy(update={"connection": STORE})
    added(ledger, write, refetch("2", None))
    (one,) = due(ledger, STORE, writes=False)
    assert isinstance(one.command, Refetch)
    assert len(due(ledger, STORE)) == 1


def test_whether_something_is_due_shows_without_claiming(ledger: Ledger) -> None:
    def has_due(*, writes: bool = True) -> bool:
        with ledger.read() as conn:
            return outbox.has_due(conn, PROCESSOR, writes=writes)

    assert not has_due()
    added(ledger, capture())
    assert has_due()
    assert not has_due(writes=False)
    (one,) = due(ledger, lease_s=0)
    assert has_due()  # its lease has run out
    (one,) = due(ledger)
    assert not has_due()
    with ledger.write() as conn:
        outbox.postpone(conn, one, reason="slow", delay_s=3600)
    assert not has_due()


def test_refetches_are_coalesced_while_one_is_pending(ledger: Ledger) -> None:
    assert added(ledger, refetch(), refetch()) == [f"{STORE}/order/1/refetch/0"]
    assert added(ledger, refetch()) == []
    (one,) = due(ledger, STORE)
    # The read under way may have begun before the change: another one is needed, after it.
    assert added(ledger, refetch()) == [f"{STORE}/order/1/refetch/1"]
    assert due(ledger, STORE) == []
    with ledger.write() as conn:
        outbox.succeed(conn, one)
    assert [each.command.ordinal for each in due(ledger, STORE)] == [1]


def test_parallel_refetches_of_a_resource_are_asked_for_once(ledger: Ledger) -> None:
    keys = at_once(lambda _: added(ledger, refetch()), range(6))
    assert sorted(key for batch in keys for key in batch) == [f"{STORE}/order/1/refetch/0"]


def test_long_key_is_told_to_the_provider_as_a_digest() -> None:
    assert outbox.idempotency_key("a/b", 2) == "a/b/2"
    long = outbox.idempotency_key("x" * 300, 0)
    assert len(long) == 64
    assert long != outbox.idempotency_key("x" * 300, 1)


def test_command_settled_while_it_is_claimed_is_not_taken_again(ledger: Ledger) -> None:
    added(ledger, *(capture(f"pi_{number}", f"shopify:north/{number}") for number in range(30)))
    done: list[str] = []

    def work(_: int) -> None:
        while batch := due(ledger, limit=3):
            for one in batch:
                with ledger.write() as conn:
                    outbox.succeed(conn, one)
                done.append(one.key)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert len(done) == len(set(done)) == 30
