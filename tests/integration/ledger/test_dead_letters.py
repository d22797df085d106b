"""Dead letters in groups: opened once, told once, replayed together, closed by success, opened again by its return."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from tests.integration.ledger.examples import AT, PROCESSOR, STORE, at_once, capture, delivery
from tradewind.ledger import dead_letters, deaths, inbox, outbox, tables
from tradewind.ledger.dead_letters import Group
from tradewind.ledger.engine import Ledger
from tradewind.ledger.outbox import Due

REASON = "SchemaMismatch: orders/create: id: field required"
CAUSE = "SchemaMismatch.shopify.decode"


def take(ledger: Ledger, state: str, *, reason: str = REASON, place: str = "decode", limit: int = 100) -> list[int]:
    """Claim what waits and give it this outcome."""
    with ledger.write() as conn:
        claimed = inbox.claim(conn, ledger.keys, worker="w", limit=limit, lease_s=60)
        died = state == "dead"
        inbox.finish(
            conn,
            [
                inbox.Outcome(one.id, one.epoch, state, reason=reason if died else None, place=place if died else None)  # type: ignore[arg-type]
                for one in claimed
            ],
        )
    return [one.id for one in claimed]


def arrive(ledger: Ledger, *keys: str, connection: str = STORE) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery(key, connection=connection) for key in keys])


def die(ledger: Ledger, *keys: str, connection: str = STORE, reason: str = REASON, place: str = "decode") -> list[int]:
    arrive(ledger, *keys, connection=connection)
    return take(ledger, "dead", reason=reason, place=place)


def refuse(ledger: Ledger, *, payment: str = "pi_1", order: str = "shopify:north/1") -> Due:
    """A command that is dead."""
    with ledger.write() as conn:
        outbox.add(conn, [capture(payment, order)], AT)
    return fail(ledger)


def fail(ledger: Ledger) -> Due:
    with ledger.write() as conn:
        (due,) = outbox.claim_due(conn, PROCESSOR, worker="w", limit=1, lease_s=60, writes=True)
        outbox.fail(conn, due, reason="RequestRejected: card_declined", next_generation=False)
    return due


def listed(ledger: Ledger, *, closed: bool = False) -> list[Group]:
    with ledger.read() as conn:
        return dead_letters.groups(conn, closed=closed)


def replay(ledger: Ledger, name: str = CAUSE, **options: int) -> int:
    with ledger.write() as conn:
        return dead_letters.replay_group(conn, ledger.keys, name, **options)


def settle(ledger: Ledger) -> None:
    with ledger.write() as conn:
        dead_letters.settle(conn)


def untold(ledger: Ledger) -> list[Group]:
    with ledger.read() as conn:
        return dead_letters.unannounced(conn)


def tell(ledger: Ledger, told: list[Group]) -> None:
    with ledger.write() as conn:
        dead_letters.announced(conn, told)


def test_deliveries_that_die_of_one_cause_are_one_group(ledger: Ledger) -> None:
    first, second, third = die(ledger, "1", "2", "3")
    (group,) = listed(ledger)
    assert (group.name, group.error, group.provider, group.place) == (CAUSE, "SchemaMismatch", "shopify", "decode")
    assert (group.state, group.count, group.replaying, group.total) == ("open", 3, 0, 3)
    assert (group.example_kind, group.example_id, group.example_reason) == ("delivery", str(third), REASON)
    assert first < second < third


def test_error_provider_and_place_each_make_another_group(ledger: Ledger) -> None:
    die(ledger, "1")
    die(ledger, "2", place="reduce")
    die(ledger, "3", reason="InvalidTransition: no")
    die(ledger, "4", connection=PROCESSOR)
    die(ledger, "5", connection="shopify:south")
    refuse(ledger)
    assert {(group.name, group.count) for group in listed(ledger)} == {
        (CAUSE, 2),
        ("SchemaMismatch.shopify.reduce", 1),
        ("InvalidTransition.shopify.decode", 1),
        ("SchemaMismatch.stripe.decode", 1),
        ("RequestRejected.stripe.capture_payment", 1),
    }


def test_a_group_is_seen_from_its_first_member_to_its_last(ledger: Ledger) -> None:
    die(ledger, "1")
    (before,) = listed(ledger)
    die(ledger, "2")
    (after,) = listed(ledger)
    assert before.first_seen_at == before.last_seen_at == before.opened_at
    assert (after.first_seen_at, after.opened_at) == (before.first_seen_at, before.opened_at)
    assert after.last_seen_at > before.last_seen_at


def test_a_dead_letter_is_rolled_back_with_its_delivery(ledger: Ledger) -> None:
    arrive(ledger, "1")

    def finish_and_fail() -> None:
        with ledger.write() as conn:
            (one,) = inbox.claim(conn, ledger.keys, worker="w", limit=1, lease_s=60)
            inbox.finish(conn, [inbox.Outcome(one.id, one.epoch, "dead", reason=REASON, place="decode")])
            assert len(dead_letters.groups(conn)) == 1
            raise RuntimeError("the worker fails")

    with pytest.raises(RuntimeError, match="fails"):
        finish_and_fail()
    assert listed(ledger) == []


def test_replaying_a_group_takes_all_its_deliveries_in_again_once(ledger: Ledger) -> None:
    died = die(ledger, "1", "2")
    assert replay(ledger) == 2
    assert replay(ledger) == 0
    (group,) = listed(ledger)
    assert (group.count, group.replaying) == (2, 2)
    with ledger.read() as conn:
        again = inbox.search(conn, state="received")
    assert sorted(row.replay_of or 0 for row in again) == died


def test_a_large_group_is_replayed_in_bounded_steps(ledger: Ledger) -> None:
    die(ledger, "1", "2", "3")
    assert [replay(ledger, limit=2) for _ in range(3)] == [2, 1, 0]


def test_a_delivery_replayed_by_hand_is_not_replayed_again_with_its_group(ledger: Ledger) -> None:
    first, _ = die(ledger, "1", "2")
    with ledger.write() as conn:
        inbox.replay(conn, ledger.keys, first)
    assert replay(ledger) == 1


@pytest.mark.parametrize("outcome", ["applied", "superseded", "parked"])
def test_a_group_closes_when_the_replays_of_all_its_members_were_taken(ledger: Ledger, outcome: str) -> None:
    die(ledger, "1", "2")
    replay(ledger)
    take(ledger, outcome, limit=1)
    settle(ledger)
    (group,) = listed(ledger)
    assert (group.state, group.count) == ("open", 1)
    take(ledger, outcome)
    settle(ledger)
    assert listed(ledger) == []
    (closed,) = listed(ledger, closed=True)
    assert (closed.state, closed.count, closed.total) == ("closed", 0, 2)
    assert closed.closed_at is not None


def test_a_group_of_which_nothing_was_replayed_stays_open(ledger: Ledger) -> None:
    die(ledger, "1")
    settle(ledger)
    assert [group.count for group in listed(ledger)] == [1]


def test_a_replay_that_dies_again_is_the_same_letter(ledger: Ledger) -> None:
    die(ledger, "1")
    replay(ledger)
    (again,) = take(ledger, "dead")
    settle(ledger)
    (group,) = listed(ledger)
    assert (group.count, group.replaying, group.total, group.example_id) == (1, 0, 2, str(again))
    assert replay(ledger) == 1
    take(ledger, "applied")
    settle(ledger)
    assert listed(ledger) == []


def test_a_replay_that_dies_of_another_cause_moves_to_that_group(ledger: Ledger) -> None:
    die(ledger, "1")
    replay(ledger)
    take(ledger, "dead", reason="InvalidTransition: no", place="reduce")
    settle(ledger)
    assert [(group.name, group.count) for group in listed(ledger)] == [("InvalidTransition.shopify.reduce", 1)]


def test_a_second_replay_that_is_taken_resolves_the_first_that_died(ledger: Ledger) -> None:
    (first,) = die(ledger, "1")
    with ledger.write() as conn:
        inbox.replay(conn, ledger.keys, first)
        inbox.replay(conn, ledger.keys, first)
    take(ledger, "applied", limit=1)
    take(ledger, "dead")
    settle(ledger)
    assert listed(ledger) == []


def test_a_command_that_is_tried_again_stays_in_its_group_until_it_is_settled(ledger: Ledger) -> None:
    refuse(ledger)
    name = "RequestRejected.stripe.capture_payment"
    assert replay(ledger, name) == 1
    settle(ledger)
    assert [(group.count, group.replaying) for group in listed(ledger)] == [(1, 1)]
    with ledger.write() as conn:
        (due,) = outbox.claim_due(conn, PROCESSOR, worker="w", limit=1, lease_s=60, writes=True)
        outbox.succeed(conn, due)
    settle(ledger)
    assert listed(ledger) == []


def test_a_command_that_is_not_wanted_any_more_leaves_its_group(ledger: Ledger) -> None:
    due = refuse(ledger)
    replay(ledger, "RequestRejected.stripe.capture_payment")
    with ledger.write() as conn:
        (again,) = outbox.claim_due(conn, PROCESSOR, worker="w", limit=1, lease_s=60, writes=True)
        assert again.key == due.key
        outbox.cancel(conn, again, "the order is cancelled")
    settle(ledger)
    assert listed(ledger) == []


def test_a_command_that_dies_again_waits_again(ledger: Ledger) -> None:
    refuse(ledger)
    name = "RequestRejected.stripe.capture_payment"
    replay(ledger, name)
    fail(ledger)
    settle(ledger)
    assert [(group.count, group.replaying, group.total) for group in listed(ledger)] == [(1, 0, 2)]
    assert replay(ledger, name) == 1


def test_a_command_tried_again_by_hand_does_not_stop_its_group(ledger: Ledger) -> None:
    first = refuse(ledger)
    refuse(ledger, payment="pi_2", order="shopify:north/2")
    with ledger.write() as conn:
        outbox.retry_dead(conn, first.key)
    assert replay(ledger, "RequestRejected.stripe.capture_payment") == 1


def test_an_erased_delivery_leaves_its_group(ledger: Ledger) -> None:
    erased, _ = die(ledger, "1", "2")
    erase(ledger, erased)
    assert replay(ledger) == 1
    assert [(group.count, group.replaying) for group in listed(ledger)] == [(1, 1)]


def erase(ledger: Ledger, id: int) -> None:
    with ledger.write() as conn:
        row = conn.execute(tables.inbox.select().where(tables.inbox.c.id == id)).one()
    ledger.keys.erase([row.sealed])


def test_an_open_group_is_told_once_however_many_join_it(ledger: Ledger) -> None:
    die(ledger, "1")
    (group,) = untold(ledger)
    tell(ledger, [group])
    die(ledger, "2")
    settle(ledger)
    assert untold(ledger) == []


def test_a_group_that_opens_again_is_told_again(ledger: Ledger) -> None:
    die(ledger, "1")
    tell(ledger, untold(ledger))
    replay(ledger)
    take(ledger, "applied")
    settle(ledger)
    assert untold(ledger) == []
    die(ledger, "2")
    (again,) = untold(ledger)
    assert (again.state, again.count, again.total, again.closed_at) == ("open", 1, 2, None)
    assert again.opened_at > again.first_seen_at


def test_telling_of_an_opening_says_nothing_of_the_next(ledger: Ledger) -> None:
    die(ledger, "1")
    told = untold(ledger)
    replay(ledger)
    take(ledger, "applied")
    settle(ledger)
    die(ledger, "2")
    tell(ledger, told)
    assert [group.name for group in untold(ledger)] == [CAUSE]


def test_what_was_dead_before_there_were_groups_is_adopted_once(ledger: Ledger) -> None:
    arrive(ledger, "1", "2")
    with ledger.write() as conn:
        first, second = inbox.claim(conn, ledger.keys, worker="w", limit=2, lease_s=60)
        inbox.finish(conn, [inbox.Outcome(first.id, first.epoch, "dead", REASON)])
        inbox.finish(conn, [inbox.Outcome(second.id, second.epoch, "dead", "its key was erased")])
    assert listed(ledger) == []
    for number in (1, 0):
        with ledger.write() as conn:
            assert dead_letters.adopt(conn) == number
    assert [(group.name, group.count) for group in listed(ledger)] == [("SchemaMismatch.shopify.apply", 1)]


def test_a_command_that_was_dead_before_there_were_groups_is_adopted_by_its_provider(ledger: Ledger) -> None:
    refuse(ledger)
    (before,) = listed(ledger)
    with ledger.write() as conn:
        for table in (tables.dead_letter, tables.dead_letter_group):
            conn.execute(delete(table))
    assert listed(ledger) == []
    with ledger.write() as conn:
        assert dead_letters.adopt(conn) == 1
    assert [(group.name, group.count) for group in listed(ledger)] == [(before.name, 1)]


def test_an_unknown_group_is_not_replayed(ledger: Ledger) -> None:
    with pytest.raises(LookupError, match=r"no group of dead letters Odd\.shopify\.decode"):
        replay(ledger, "Odd.shopify.decode")


def test_workers_that_note_at_the_same_moment_open_one_group(ledger: Ledger) -> None:
    def dead(number: int) -> None:
        with ledger.write() as conn:
            deaths.note(conn, [deaths.Death("command", f"key-{number}", STORE, "refetch", "Odd: no")])
            dead_letters.settle(conn)

    at_once(dead, range(8))
    (group,) = listed(ledger)
    assert (group.count, group.total) == (8, 8)


@pytest.mark.parametrize("command", ["{}", '{"verb": "capture_payment", "colour": "red"}', "no JSON"])
def test_a_command_that_cannot_be_read_is_one_and_holds_up_nobody(ledger: Ledger, command: str) -> None:
    with ledger.write() as conn:
        outbox.add(conn, [capture("pi_1", "shopify:north/1"), capture("pi_2", "shopify:north/2")], AT)
        broken = tables.outbox.c.order_id == "shopify:north/1"
        conn.execute(update(tables.outbox).where(broken).values(command=command))
    with ledger.write() as conn:
        (due,) = outbox.claim_due(conn, PROCESSOR, worker="w", limit=10, lease_s=60, writes=True)
        assert due.command.order_id == "shopify:north/2"
    assert [(group.name, group.count) for group in listed(ledger)] == [("SchemaMismatch.stripe.capture_payment", 1)]
    assert "red" not in listed(ledger)[0].example_reason
    with ledger.read() as conn:
        (row,) = outbox.by_order(conn, "shopify:north/1")
        assert (row.state, row.command) == ("dead", None)
        assert not outbox.has_due(conn, PROCESSOR, writes=True)
