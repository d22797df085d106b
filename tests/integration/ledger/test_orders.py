import pytest
from sqlalchemy import func, select

from tests.integration.ledger.examples import AT, PERSONAL, STORE, at_once, gbp, order, placed
from tradewind.domain.order import Customer, Order
from tradewind.domain.reducer import new_order
from tradewind.errors import VersionConflict
from tradewind.ledger import orders, tables
from tradewind.ledger.engine import Ledger


def saved(ledger: Ledger, one: Order, expected: int | None = None) -> int:
    with ledger.write() as conn:
        return orders.save(conn, ledger.keys, one, expected)


def loaded(ledger: Ledger, *ids: str) -> dict[str, tuple[Order, int]]:
    with ledger.read() as conn:
        return orders.load(conn, ledger.keys, ids)


def test_order_comes_back_as_it_was_saved(ledger: Ledger) -> None:
    empty = new_order(STORE, "2")
    assert saved(ledger, order()) == 1
    saved(ledger, empty)
    assert loaded(ledger, order().id, empty.id, "shopify:north/none") == {
        order().id: (order(), 1),
        empty.id: (empty, 1),
    }


def test_changed_order_replaces_what_was_projected(ledger: Ledger) -> None:
    saved(ledger, order())
    after = order().model_copy(update={"labels": (), "placed": placed(lines=(), total=gbp("20.00"))})
    assert saved(ledger, after, 1) == 2
    with ledger.read() as conn:
        for table in (tables.order_line, tables.label):
            assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 0
        assert orders.by_name(conn, "#1042")[0].total == 2000
    assert loaded(ledger, after.id)[after.id] == (after, 2)


def test_order_changed_meanwhile_is_a_conflict(ledger: Ledger) -> None:
    saved(ledger, order())
    with pytest.raises(VersionConflict):
        saved(ledger, order())
    saved(ledger, order(), 1)
    with pytest.raises(VersionConflict):
        saved(ledger, order(), 1)


def test_of_many_orders_none_is_written_when_one_was_changed_meanwhile(ledger: Ledger) -> None:
    saved(ledger, order("1"))
    saved(ledger, order("2"))
    saved(ledger, order("2"), 1)
    stale = [(order("1", name="#new"), 1), (order("2"), 1), (order("3"), None)]
    with pytest.raises(VersionConflict, match="1 of 3"), ledger.write() as conn:
        orders.save_many(conn, ledger.keys, stale)
    known = loaded(ledger, order("1").id, order("3").id)
    assert known == {order("1").id: (order("1"), 1)}


def test_many_orders_are_written_at_once(ledger: Ledger) -> None:
    saved(ledger, order("1"))
    with ledger.write() as conn:
        orders.save_many(conn, ledger.keys, [(order("2"), None), (new_order(STORE, "3"), None), (order("1"), 1)])
        orders.save_many(conn, ledger.keys, [])
    known = loaded(ledger, *(order(number).id for number in "123"))
    assert [(one.external_id, version) for one, version in known.values()] == [("1", 2), ("2", 1), ("3", 1)]


@pytest.mark.parametrize("expected", [None, 1])
def test_of_parallel_writers_one_wins(ledger: Ledger, expected: int | None) -> None:
    if expected is not None:
        saved(ledger, order())

    def write(number: int) -> bool:
        try:
            saved(ledger, order(name=f"#{number}"), expected)
        except VersionConflict:
            return False
        return True

    won = at_once(write, range(5))
    assert sum(won) == 1
    assert loaded(ledger, order().id)[order().id][0] == order(name=f"#{won.index(True)}")


def test_personal_data_lies_nowhere_in_plain_text(ledger: Ledger) -> None:
    saved(ledger, order())
    with ledger.read() as conn:
        values = [
            value for table in tables.metadata.sorted_tables for row in conn.execute(select(table)) for value in row
        ]
    text = " ".join(one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in values).lower()
    assert "#1042" in text
    for personal in PERSONAL:
        assert personal not in text


def test_orders_of_a_customer_are_found_by_email_and_phone(ledger: Ledger) -> None:
    saved(ledger, order("1"))
    saved(ledger, order("2", email="grace@example.com"))
    with ledger.read() as conn:
        assert [row.external_id for row in orders.by_email(conn, ledger.keys, " ADA@example.COM")] == ["1"]
        assert len(orders.by_phone(conn, ledger.keys, "0044 20 79460000")) == 2
        assert orders.by_email(conn, ledger.keys, "nobody@example.com") == []


def test_a_blank_value_finds_nothing(ledger: Ledger) -> None:
    saved(ledger, order("1", email=None))
    with ledger.read() as conn:
        assert orders.by_email(conn, ledger.keys, "") == []


def test_amounts_of_the_row_are_those_of_the_record(ledger: Ledger) -> None:
    saved(ledger, order())
    with ledger.read() as conn:
        row = conn.execute(select(tables.orders)).one()
    assert (row.total, row.captured, row.refunded, row.currency) == (1250, 1250, 100, "GBP")
    assert (row.presentment_total, row.presentment_currency) == (1500, "EUR")
    assert (row.state, row.placed_at) == ("shipped", AT)


def test_customer_shares_one_key_over_orders(ledger: Ledger) -> None:
    customer = Customer(external_id="c-1", email="ada@example.com")
    saved(ledger, order("1", customer=customer))
    saved(ledger, order("2", customer=customer))
    with ledger.read() as conn:
        sealed = conn.execute(select(tables.orders.c.personal)).scalars().all()
    assert ledger.keys.erase(sealed) == 1
    assert [one.placed.customer for one, _ in loaded(ledger, order("1").id, order("2").id).values() if one.placed] == [
        None,
        None,
    ]


def test_order_is_found_by_a_link_and_keeps_it(ledger: Ledger) -> None:
    with ledger.write() as conn:
        orders.add_links(conn, "shopify:north/1", {"payment_id/1", "tracking/1"})
        orders.add_links(conn, "shopify:north/2", {"payment_id/1"})
        assert orders.find_by_links(conn, ["payment_id/1", "payment_id/9"]) == {"payment_id/1": "shopify:north/1"}


def test_recent_orders_come_latest_first(ledger: Ledger) -> None:
    for number in ("1", "2"):
        saved(ledger, order(number))
    saved(ledger, order("1"), 1)
    with ledger.read() as conn:
        assert [row.external_id for row in orders.recent(conn)] == ["1", "2"]
        assert orders.recent(conn, state="cancelled") == []
        assert len(orders.recent(conn, connection=STORE, state="shipped", limit=1)) == 1
