"""Reconciliation on a real ledger, with fake providers on the other side."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.unit.sync.books_fakes import (
    AT,
    CARRIER,
    JOURNAL,
    PROCESSOR,
    STORE,
    Shop,
    document,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    record,
    settled_order,
)
from tradewind.domain.commands import Refetch, command_adapter
from tradewind.domain.connections import ConnectionState
from tradewind.domain.discrepancies import DiscrepancyKind
from tradewind.domain.order import FulfillmentOrderStatus, LabelState
from tradewind.domain.reducer import new_order
from tradewind.errors import ProviderUnavailable
from tradewind.ledger import connections, discrepancies, inbox, tables
from tradewind.ledger.engine import Ledger
from tradewind.sync.reconcile import RepairPolicy, reconcile
from tradewind.sync.sides import Window

WINDOW = Window.between(AT - timedelta(hours=1), AT + timedelta(hours=1))


@pytest.fixture
def shop() -> Shop:
    return Shop([order_observed()], [payment_observed()], [label_observed()], [document()])


def known() -> tuple[object, ...]:
    return (settled_order(order_observed(), payment_observed(), label_observed()), document())


def refetches(ledger: Ledger) -> list[str]:
    """What the outbox is asked to read again."""
    with ledger.read() as database:
        rows = database.execute(select(tables.outbox.c.command)).scalars()
        commands = [command_adapter.validate_json(row) for row in rows]
    return sorted(one.resource.address for one in commands if isinstance(one, Refetch))


def received(ledger: Ledger) -> list[inbox.Claimed]:
    with ledger.write() as database:
        return inbox.claim(database, ledger.keys, worker="test", limit=100, lease_s=1)


async def test_agreed_books_are_told_as_checked_and_clean(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    books = await reconcile(ledger, shop, WINDOW)
    assert books.checked == {"orders": 1, "payments": 1, "labels": 1, "documents": 1}
    assert (books.discrepancies, books.repaired, books.left, books.rows) == ({}, 0, 0, ())
    assert refetches(ledger) == []
    assert received(ledger) == []


async def test_what_the_ledger_missed_is_read_again(ledger: Ledger, shop: Shop) -> None:
    books = await reconcile(ledger, shop, WINDOW)
    assert books.discrepancies == {
        "journal_missing": 1, "missing_order": 1, "unrecorded_label": 1, "unrecorded_payment": 1
    }  # fmt: skip
    assert (books.repaired, books.left) == (4, 0)
    assert refetches(ledger) == [
        "shipstation:main/label/se-1", "shopify:north/order/order-1", "stripe:main/payment/pi-1"
    ]  # fmt: skip
    (delivery,) = received(ledger)
    assert (delivery.connection, delivery.source, delivery.topic) == (JOURNAL, "poll", "poll/journal_recorded")


async def test_a_document_whose_first_delivery_died_enters_again(ledger: Ledger, shop: Shop) -> None:
    record(ledger, known()[0])
    await reconcile(ledger, shop, WINDOW)
    await reconcile(ledger, shop, WINDOW)
    assert len(received(ledger)) == 2


async def test_a_dry_run_changes_nothing_but_tells(ledger: Ledger, shop: Shop) -> None:
    books = await reconcile(ledger, shop, WINDOW, policy=RepairPolicy.DRY_RUN)
    assert (books.repaired, books.left) == (0, 4)
    assert refetches(ledger) == []
    assert received(ledger) == []


async def test_repair_is_bounded(ledger: Ledger, shop: Shop) -> None:
    shop.orders = [order_observed(number) for number in range(10)]
    books = await reconcile(ledger, shop, WINDOW, limit=3)
    assert books.repaired == 3
    assert books.left == len(books.rows) - 3
    assert len(refetches(ledger)) + len(received(ledger)) == 3


async def test_a_silent_refund_is_found_and_left_to_a_person(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.payments = [payment_observed(refunded=gbp(300))]
    books = await reconcile(ledger, shop, WINDOW)
    assert books.discrepancies == {"refund_mismatch": 1, "stale_payment": 1}
    assert (books.repaired, books.left) == (1, 1)
    assert refetches(ledger) == ["stripe:main/payment/pi-1"]


async def test_a_refund_of_an_old_order_is_found_once_the_ledger_has_heard_of_it(ledger: Ledger) -> None:
    """Refunded at the processor, told by its webhook, and never recorded in the store: the order is in no listing."""
    record(ledger, settled_order(order_observed(), payment_observed(refunded=gbp(300)), label_observed()))
    books = await reconcile(ledger, Shop(), Window.between(AT, datetime.now(UTC) + timedelta(seconds=5)))
    assert books.discrepancies == {"refund_mismatch": 1}
    assert books.checked["orders"] == 0


async def test_old_orders_that_changed_here_and_agree_are_no_discrepancy(ledger: Ledger) -> None:
    record(ledger, *known()[:1])
    books = await reconcile(ledger, Shop(), Window.between(AT, datetime.now(UTC) + timedelta(seconds=5)))
    assert books.rows == ()


async def test_stray_money_is_found_and_not_touched(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.payments.append(payment_observed(2, payment_id=None))
    books = await reconcile(ledger, shop, WINDOW)
    assert books.discrepancies == {"stray_payment": 1}
    assert refetches(ledger) == []


async def test_discrepancies_are_stored_with_what_to_do(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.payments = [payment_observed(refunded=gbp(300))]
    books = await reconcile(ledger, shop, WINDOW, run_id="night-1")
    assert books.run_id == "night-1"
    with ledger.read() as database:
        stored = {row.kind: row for row in discrepancies.open(database)}
    mismatch = stored["refund_mismatch"]
    assert (mismatch.run_id, mismatch.amount, mismatch.currency) == ("night-1", 300, "GBP")
    assert mismatch.detail.startswith("#1: The store and the processor do not agree")


async def test_a_discrepancy_that_is_gone_is_settled(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    agreed = shop.payments
    shop.payments = [payment_observed(refunded=gbp(300))]
    await reconcile(ledger, shop, WINDOW)
    shop.payments = agreed
    await reconcile(ledger, shop, WINDOW)
    with ledger.read() as database:
        assert discrepancies.open(database) == []


async def test_a_discrepancy_outside_the_window_stays_open(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.payments = [payment_observed(refunded=gbp(300))]
    await reconcile(ledger, shop, WINDOW)
    await reconcile(ledger, Shop(documents=[document()]), WINDOW)
    with ledger.read() as database:
        assert len(discrepancies.open(database)) == 2


async def test_a_payment_of_an_order_from_another_day_is_not_stray(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    books = await reconcile(ledger, Shop(payments=shop.payments, labels=shop.labels, documents=shop.documents), WINDOW)
    assert books.rows == ()


async def test_an_unrecorded_payment_finds_its_old_order_by_its_link(ledger: Ledger, shop: Shop) -> None:
    record(ledger, settled_order(order_observed(), label_observed()), document())
    books = await reconcile(ledger, Shop(payments=shop.payments, documents=shop.documents), WINDOW)
    assert [one.kind for one in books.rows] == [DiscrepancyKind.UNRECORDED_PAYMENT]
    assert books.rows[0].order_id == "shopify:north/order-1"


async def test_an_order_of_today_with_a_label_of_yesterday_is_settled(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    books = await reconcile(ledger, Shop(orders=shop.orders, documents=shop.documents), WINDOW)
    assert books.rows == ()


async def test_a_label_that_was_voided_behind_our_back_is_news(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.labels = [label_observed(state=LabelState.VOIDED)]
    books = await reconcile(ledger, shop, WINDOW)
    assert books.discrepancies == {"missing_label": 1, "stale_label": 1}


async def test_a_foreign_label_is_not_ours_to_judge(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.labels.append(label_observed(9, external_shipment_id="", fulfillment_order_id=""))
    assert (await reconcile(ledger, shop, WINDOW)).rows == ()


async def test_what_needs_no_parcel_is_not_waited_for(ledger: Ledger, shop: Shop) -> None:
    placed = order_observed(1).placed
    download = placed.lines[0].model_copy(update={"requires_shipping": False})
    work = placed.fulfillment_orders[0].model_copy(
        update={"status": FulfillmentOrderStatus.OPEN, "remaining": ((download.external_id, 2),)}
    )
    waiting = {"lines": (download,), "fulfillment_orders": (work,), "fulfillments": ()}
    fulfilled = {"lines": (download,)}
    for number, changes in enumerate((waiting, fulfilled), 1):
        record(ledger, settled_order(order_observed(number, **changes), payment_observed(number)))
    record(ledger, document())
    shop.orders = [order_observed(1, **waiting), order_observed(2, **fulfilled)]
    shop.payments, shop.labels = [payment_observed(1), payment_observed(2)], []
    assert (await reconcile(ledger, shop, WINDOW)).rows == ()


async def test_test_orders_are_not_part_of_the_books(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    shop.orders.append(order_observed(5, test=True))
    assert (await reconcile(ledger, shop, WINDOW)).checked["orders"] == 1


async def test_a_document_that_only_the_ledger_has_is_found(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known(), document("C2"), document("C0", occurred_at=AT - timedelta(days=9)))
    books = await reconcile(ledger, shop, WINDOW)
    assert [(one.kind.value, one.name) for one in books.rows] == [("journal_unknown", "C2")]


async def test_an_order_known_only_by_name_is_read_again(ledger: Ledger, shop: Shop) -> None:
    record(ledger, new_order(STORE, "order-1"), document())
    books = await reconcile(ledger, Shop(orders=shop.orders, documents=shop.documents), WINDOW)
    assert DiscrepancyKind.MISSING_ORDER in [one.kind for one in books.rows]


async def test_a_side_that_cannot_be_read_stops_the_run(ledger: Ledger, shop: Shop) -> None:
    def down(connection: str) -> object:
        if connection == CARRIER:
            raise ProviderUnavailable("the carrier is away")
        return shop(connection)

    with pytest.raises(ProviderUnavailable):
        await reconcile(ledger, down, WINDOW)  # type: ignore[arg-type]
    with ledger.read() as database:
        assert discrepancies.open(database) == []


async def test_a_disconnected_account_has_no_side(ledger: Ledger, shop: Shop) -> None:
    record(ledger, *known())
    with ledger.write() as database:
        connections.set_state(database, JOURNAL, ConnectionState.DISCONNECTED, actor="test")
    books = await reconcile(ledger, shop, WINDOW)
    assert JOURNAL not in shop.asked
    assert books.rows == ()


async def test_a_document_of_long_ago_that_was_booked_today_agrees(ledger: Ledger, shop: Shop) -> None:
    old = document(occurred_at=AT - timedelta(days=5000), business_day=date(2013, 2, 21))
    record(ledger, known()[0], old)
    shop.documents = [old]
    books = await reconcile(ledger, shop, WINDOW)
    assert books.checked["documents"] == 1
    assert books.rows == ()


async def test_an_order_of_yesterday_that_changed_today_is_listed_with_it(ledger: Ledger, shop: Shop) -> None:
    """Else the payment of an order that the ledger missed would look like money without an order."""
    today = AT + timedelta(days=1)
    shop.orders = [order_observed(updated_at=today)]
    window = Window.of_day(AT.date(), today)
    books = await reconcile(ledger, shop, window)
    assert shop.asked[STORE] == (window.since, today)
    assert shop.asked[PROCESSOR] == (window.since, window.until)
    assert "stray_payment" not in books.discrepancies
    assert books.discrepancies["unrecorded_payment"] == 1


def test_a_business_day_ends_at_midnight_and_waits_for_what_is_on_its_way() -> None:
    past = Window.of_day(date(2026, 11, 1), AT + timedelta(days=3))
    assert past.until - past.since == timedelta(days=1)
    assert (past.settled_before, past.orders_until) == (past.until, AT + timedelta(days=3))
    today = Window.of_day(date(2026, 11, 1), AT, settling_s=600)
    assert (today.until, today.settled_before) == (AT, AT - timedelta(minutes=10))
    assert today.since.tzinfo is UTC
