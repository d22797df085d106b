import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.integration.ledger.examples import AT, at_once
from tradewind.ledger import cursors, engine, tables
from tradewind.ledger.cursors import Cursor
from tradewind.ledger.engine import Ledger, db_now


def test_reading_transaction_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError), ledger.read() as conn:
        cursors.set(conn, "a", Cursor(AT))
    with ledger.write() as conn:
        assert cursors.get(conn, "a") is None
        assert cursors.set(conn, "a", Cursor(AT))


def test_reading_transaction_sees_one_state(ledger: Ledger) -> None:
    with ledger.read() as reading:
        assert cursors.get(reading, "a") is None
        with ledger.write() as writing:
            cursors.set(writing, "a", Cursor(AT))
        assert cursors.get(reading, "a") is None


def test_error_rolls_a_writing_transaction_back(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.write() as conn:
            cursors.set(conn, "a", Cursor(AT))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with ledger.read() as conn:
        assert cursors.get(conn, "a") is None


@pytest.mark.parametrize("fails", [False, True])
def test_statements_of_both_kinds_make_one_transaction(ledger: Ledger, fails: bool) -> None:
    def work() -> None:
        with ledger.write() as conn:
            cursors.set(conn, "prepared", Cursor(AT))
            conn.execute(tables.cursor.insert(), {"name": "composed", "updated_at": AT})
            cursors.set(conn, "prepared again", Cursor(AT))
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError) if fails else nullcontext():
        work()
    with ledger.read() as conn:
        names = ("prepared", "composed", "prepared again")
        assert [cursors.get(conn, name) is None for name in names] == [fails] * 3


def test_error_of_the_database_does_not_tell_what_was_written(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError) as caught, ledger.write() as conn:
        conn.execute(tables.cursor.insert(), [{"name": "Ada Lovelace", "updated_at": AT}] * 2)
    assert "Lovelace" not in str(caught.value).partition("DETAIL")[0]


def test_writers_in_many_threads_wait_for_each_other(ledger: Ledger) -> None:
    def work(number: int) -> None:
        for step in range(20):
            with ledger.write() as conn:
                before = cursors.get(conn, f"c{number}")
                cursors.set(conn, f"c{number}", Cursor(AT, f"{step:03}"))
                assert before is None or before.last_id == f"{step - 1:03}"

    at_once(work, range(12))


def test_the_databases_clock_moves_within_a_transaction(ledger: Ledger) -> None:
    with ledger.read() as conn:
        first = db_now(conn)
        assert first.utcoffset() is not None
        threading.Event().wait(0.01)
        assert db_now(conn) > first


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_is_durable_and_lets_readers_by(ledger: Ledger) -> None:
    with ledger.write() as conn:
        assert conn.execute(sa.text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert conn.execute(sa.text("PRAGMA synchronous")).scalar_one() == 2
        assert conn.execute(sa.text("PRAGMA busy_timeout")).scalar_one() == 5000


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_thread_that_waits_in_vain_hears_that_the_ledger_is_busy(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.01)

    def write() -> None:
        with ledger.write():
            pass

    with ledger.write(), ThreadPoolExecutor(1) as pool, pytest.raises(OperationalError):
        pool.submit(write).result()
    write()


@pytest.fixture
def another(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """A connection of another process, which has begun to write."""
    database = sqlite3.connect(ledger.engine.url.database or "", isolation_level=None, check_same_thread=False)
    database.execute("BEGIN IMMEDIATE")
    yield database
    database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_write_goes_on_as_soon_as_another_process_has_ended_its_own(
    ledger: Ledger, another: sqlite3.Connection
) -> None:
    looked = threading.Event()

    def write() -> None:
        looked.set()
        with ledger.write() as conn:
            assert conn.execute(sa.text("PRAGMA busy_timeout")).scalar_one() == 5000

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert looked.wait(5)
        assert not writing.done()
        another.execute("COMMIT")
        writing.result(5)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_write_gives_up_when_another_process_holds_on(
    ledger: Ledger, another: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.01)
    with pytest.raises(OperationalError, match="locked"), ledger.write():
        pass
    another.execute("ROLLBACK")
    with ledger.write():
        pass
