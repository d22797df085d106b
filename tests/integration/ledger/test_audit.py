from sqlalchemy import delete, update

from tests.integration.ledger.examples import at_once
from tradewind.ledger import audit, tables
from tradewind.ledger.engine import Ledger


def append(ledger: Ledger, number: int) -> int:
    with ledger.write() as conn:
        return audit.append(conn, "ada", "connection.live", {"number": number})


def test_chain_holds_over_parallel_entries(ledger: Ledger) -> None:
    assert sorted(at_once(lambda number: append(ledger, number), range(8))) == list(range(1, 9))
    with ledger.read() as conn:
        assert audit.first_broken(conn) is None
        assert [entry.seq for entry in audit.entries(conn, limit=2)] == [8, 7]


def test_changed_entry_breaks_the_chain(ledger: Ledger) -> None:
    for number in range(4):
        append(ledger, number)
    with ledger.write() as conn:
        conn.execute(update(tables.audit).where(tables.audit.c.seq == 3).values(actor="grace"))
        assert audit.first_broken(conn) == 3


def test_removed_entry_breaks_the_chain(ledger: Ledger) -> None:
    for number in range(4):
        append(ledger, number)
    with ledger.write() as conn:
        conn.execute(delete(tables.audit).where(tables.audit.c.seq == 2))
        assert audit.first_broken(conn) == 3
