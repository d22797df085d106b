"""A worker that goes on from where it has come to passes nothing over for long."""

from tests.integration.ledger.examples import delivery
from tradewind.ledger import inbox
from tradewind.ledger.claims import FULL_LOOK_EVERY
from tradewind.ledger.engine import Ledger
from tradewind.ledger.inbox import Outcome, Position


def store(ledger: Ledger, *keys: str) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery(key) for key in keys])


def take(ledger: Ledger, position: Position, limit: int = 2, lease_s: float = 60) -> list[inbox.Held]:
    with ledger.write() as conn:
        return inbox.take(conn, worker="w", limit=limit, lease_s=lease_s, position=position)


def give_back(ledger: Ledger, one: inbox.Held) -> None:
    with ledger.write() as conn:
        inbox.finish(conn, [Outcome(one.id, one.epoch, "received")])


def keys(held: list[inbox.Held]) -> list[str]:
    return [one.delivery_key for one in held]


def test_every_delivery_is_taken_once_and_in_order(ledger: Ledger) -> None:
    store(ledger, *(f"{number:03}" for number in range(100)))
    position = Position()
    taken: list[str] = []
    while held := take(ledger, position, limit=3):
        taken += keys(held)
    assert taken == [f"{number:03}" for number in range(100)]


def test_what_was_given_back_behind_the_position_is_taken_when_nothing_else_waits(ledger: Ledger) -> None:
    store(ledger, "1", "2", "3", "4")
    position = Position()
    first, _ = take(ledger, position)
    assert keys(take(ledger, position)) == ["3", "4"]
    give_back(ledger, first)
    assert keys(take(ledger, position)) == ["1"]
    assert take(ledger, position) == []


def test_what_was_given_back_waits_for_a_few_claims_at_most(ledger: Ledger) -> None:
    store(ledger, *(f"{number:03}" for number in range(FULL_LOOK_EVERY + 10)))
    position = Position()
    (first,) = take(ledger, position, limit=1)
    take(ledger, position, limit=1)
    position.after = first.id
    give_back(ledger, first)
    taken = [keys(take(ledger, position, limit=1))[0] for _ in range(FULL_LOOK_EVERY + 1)]
    assert "000" in taken


def test_a_reset_looks_from_the_start_at_once(ledger: Ledger) -> None:
    store(ledger, "1", "2", "3", "4")
    position = Position()
    first, _ = take(ledger, position)
    give_back(ledger, first)
    position.after = first.id
    position.reset()
    assert keys(take(ledger, position, limit=1)) == ["1"]


def test_a_lease_that_ran_out_is_taken_over_though_newer_ones_wait(ledger: Ledger) -> None:
    store(ledger, *(f"{number:03}" for number in range(FULL_LOOK_EVERY + 10)))
    lost = take(ledger, Position(), limit=1, lease_s=0)
    position = Position(quick_looks=0)
    taken = [one for _ in range(FULL_LOOK_EVERY + 1) for one in take(ledger, position, limit=1)]
    assert [one.epoch for one in taken if one.id == lost[0].id] == [2]
