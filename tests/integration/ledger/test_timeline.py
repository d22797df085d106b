"""An order's story as the ledger has it, and where it hangs, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from tests.shop_ledger import ORDER, SOUTH, fill
from tests.unit.domain.orders import CARRIER, PROCESSOR, STORE
from tradewind.ledger import changes, retention
from tradewind.ledger.engine import Ledger
from tradewind.ledger.tables import inbox
from tradewind.ledger.timeline import Timeline, find_orders, newest_orders, timeline

AGE = timedelta(days=100)


@pytest.fixture
def shown(ledger: Ledger) -> Timeline:
    fill(ledger)
    with ledger.read() as conn:
        return timeline(conn, ORDER)


def test_events_changes_and_commands_stand_in_their_order(shown: Timeline) -> None:
    told = []
    for entry in shown.entries:
        if entry.delivery is not None:
            told.append(entry.delivery.topic)
        elif entry.change is not None:
            told.append(f"{entry.change.state_before} → {entry.change.state_after}")
        elif entry.command is not None:
            told.append(entry.command.verb)
    assert told[:8] == [
        "orders/create",
        "None → None",
        "refetch",
        "poll/order",
        "None → placed",
        "payment_intent.amount_capturable_updated",
        "placed → authorized",
        "capture_payment",
    ]
    assert [entry.at for entry in shown.entries] == sorted(entry.at for entry in shown.entries)


def test_commands_are_put_to_the_delivery_that_they_follow_from(ledger: Ledger, shown: Timeline) -> None:
    followed = {
        change.delivery_id: [key.split("/")[-2] for key in change.commands]
        for change in (entry.change for entry in shown.entries)
        if change is not None
    }
    assert followed[1] == ["refetch"]
    assert followed[3] == ["capture_payment"]
    assert "buy_label" in followed[4]
    with ledger.read() as conn:
        (effect,) = changes.of_delivery(conn, 4)
    assert (effect.state_before, effect.state_after) == ("authorized", "paid")


def test_where_it_hangs_is_told_with_its_reason(shown: Timeline) -> None:
    told = {hang.what: hang for hang in shown.hangs}
    label = told[f"buy label at {CARRIER}"]
    assert label.why == "waits: the connection is paused (the depot is being moved)"
    assert label.until_at is None
    again = told[f"refetch at {STORE}"]
    assert again.why == "waits: ProviderUnavailable: HTTP 503"
    assert again.until_at is not None


def test_its_parts_are_named_by_their_providers_ids(shown: Timeline) -> None:
    told = {(part.kind, part.connection, part.external_id) for part in shown.parts}
    assert ("order", STORE, ORDER.partition("/")[2]) in told
    assert ("payment", PROCESSOR, "pi-1") in told


def test_two_stores_may_have_an_order_of_one_name(ledger: Ledger, shown: Timeline) -> None:
    with ledger.read() as conn:
        for asked in ("#1042", "1042", " 1042 "):
            assert {row.connection for row in find_orders(conn, asked)} == {STORE, SOUTH}
        assert [row.id for row in find_orders(conn, ORDER)] == [ORDER]
        assert find_orders(conn, "#nobody") == []
        assert {row.id for row in newest_orders(conn, limit=5)} == {ORDER, f"{SOUTH}/7"}


def test_an_order_that_is_not_there_has_no_timeline(ledger: Ledger) -> None:
    with pytest.raises(LookupError, match="no order"), ledger.read() as conn:
        timeline(conn, "shopify:north/none")


def test_a_story_of_which_the_beginning_was_pruned_says_so(ledger: Ledger, shown: Timeline) -> None:
    assert not shown.pruned
    told = [entry.delivery for entry in shown.entries if entry.delivery is not None]
    settled = {row.id for row in told if row.state in ("applied", "superseded")}
    with ledger.write() as conn:
        long_ago = {"received_at": told[0].received_at - AGE, "finished_at": told[0].received_at - AGE}
        conn.execute(update(inbox).where(inbox.c.state.in_(("applied", "superseded"))).values(long_ago))
        newest = conn.execute(select(func.max(inbox.c.id))).scalar_one()
    assert retention.prune(ledger, AGE / 2).complete
    with ledger.read() as conn:
        left = timeline(conn, ORDER)
        assert [change for id in settled - {newest} for change in changes.of_delivery(conn, id)] == []
    assert left.pruned
    assert left.order == shown.order
    assert [entry.command for entry in left.entries if entry.command] == [
        entry.command for entry in shown.entries if entry.command
    ]
