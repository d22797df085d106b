"""What a parked delivery waits for is fetched where it can be asked for, a few times and no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    STORE,
    after,
    captured,
    label_observed,
    order_observed,
    payment_observed,
    scanned,
)
from tests.unit.sync.desk import tell
from tradewind.ledger import inbox, orders, outbox, tables
from tradewind.ledger.engine import Ledger
from tradewind.sync import parked
from tradewind.sync.apply import Applier
from tradewind.sync.decode import REFETCH_TOPIC

MINUTES = timedelta(minutes=1)


def pass_(ledger: Ledger, minutes: int) -> None:
    """Let everything parked have been parked for so much longer."""
    with ledger.write() as database:
        for id, at in database.execute(
            text("SELECT id, finished_at FROM inbox WHERE state = 'parked'").columns(
                id=tables.inbox.c.id.type, finished_at=tables.inbox.c.finished_at.type
            )
        ).all():
            earlier = update(tables.inbox).where(tables.inbox.c.id == id).values(finished_at=at - minutes * MINUTES)
            database.execute(earlier)


def settle(ledger: Ledger) -> list[str]:
    """Answer every pending read, with nothing; gives what was to be read."""
    with ledger.write() as database:
        due = outbox.claim_due(database, CARRIER, worker="w", limit=99, lease_s=60, writes=False)
        for one in due:
            outbox.succeed(database, one)
    return [one.command.target.address for one in due]


def counts(ledger: Ledger) -> dict[str, int]:
    with ledger.read() as database:
        return {state: number for state, number in inbox.counts(database).items() if number}


def test_a_scan_of_an_unknown_parcel_has_its_label_fetched_and_is_taken_then(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, order_observed(fully_paid=True), captured())
    applier.run_once()
    tell(ledger, scanned("delivered"), connection=CARRIER)
    applier.run_once()
    assert counts(ledger)["parked"] == 1
    assert parked.fetch_missing(ledger, AT) == 0
    pass_(ledger, 3)
    assert parked.fetch_missing(ledger, AT) == 1
    assert settle(ledger) == [f"{CARRIER}/label/tracking_number=T-1"]
    tell(ledger, label_observed(version=after(9)), topic=REFETCH_TOPIC, source="outcome", connection=CARRIER)
    while applier.run_once().taken:
        pass
    assert "parked" not in counts(ledger)
    with ledger.read() as database:
        order = orders.load(database, ledger.keys, [f"{STORE}/1"])[f"{STORE}/1"][0]
    assert [label.tracking_status for label in order.labels] == ["delivered"]


def test_a_label_is_asked_for_twice_and_then_the_scan_is_stuck(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, scanned(), scanned("delivered", after(1)), connection=CARRIER)
    applier.run_once()
    asked = []
    for _ in range(90):
        pass_(ledger, 1)
        asked.append(parked.fetch_missing(ledger, AT))
        settle(ledger)
    assert sum(asked) == 2
    assert [minute + 1 for minute, number in enumerate(asked) if number] == [2, 10]
    assert counts(ledger) == {"stuck": 2}


def test_one_that_is_being_asked_for_is_not_asked_for_again(ledger: Ledger, applier: Applier) -> None:
    tell(ledger, scanned(), connection=CARRIER)
    applier.run_once()
    pass_(ledger, 3)
    assert [parked.fetch_missing(ledger, AT) for _ in range(3)] == [1, 0, 0]


def test_a_look_asks_for_no_more_than_its_share(
    ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "AT_ONCE", 2)
    tell(ledger, *(scanned(tracking_number=f"T-{number}") for number in range(5)), connection=CARRIER)
    applier.run_once()
    pass_(ledger, 3)
    assert [parked.fetch_missing(ledger, AT) for _ in range(4)] == [2, 2, 1, 0]


def test_a_payment_whose_order_is_unknown_asks_for_nothing_and_is_taken_with_the_order(
    ledger: Ledger, applier: Applier
) -> None:
    (payment,) = tell(ledger, payment_observed())
    applier.run_once()
    pass_(ledger, 30)
    assert parked.fetch_missing(ledger, AT) == 0
    tell(ledger, order_observed())
    while applier.run_once().taken:
        pass
    with ledger.read() as database:
        assert inbox.get(database, ledger.keys, payment).row.state == "applied"
