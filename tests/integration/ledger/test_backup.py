import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.integration.ledger.examples import AT, BODY, capture, connection, delivery, order
from tradewind.errors import ConfigurationError
from tradewind.ledger import connections, inbox, orders, outbox, tables
from tradewind.ledger.backup import backup, restore
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings


def fill(ledger: Ledger) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery(str(number)) for number in range(5)])
        outbox.add(conn, [capture()], AT)
        orders.save(conn, ledger.keys, order(), None)
        connections.put(conn, ledger.keys, connection())


def content(ledger: Ledger) -> dict[str, list[object]]:
    with ledger.read() as conn:
        return {
            table.name: sorted(map(tuple, conn.execute(sa.select(table))), key=repr)
            for table in tables.metadata.sorted_tables
        }


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Settings:
    """An empty place on the other kind of database, under the same master key."""
    if settings.database_url.startswith("sqlite"):
        url = request.getfixturevalue("new_postgres_database")
        plain = {"database_url": url, "keys_url": url}
    else:
        plain = {}
    return Settings(state_dir=tmp_path / "other", master_key_file=settings.master_key_file, **plain)


def test_backup_is_restored_on_the_other_database(
    ledger: Ledger, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    fill(ledger)
    before = content(ledger)
    paths = backup(settings, tmp_path / "kept")
    assert [path.relative_to(tmp_path / "kept").as_posix() for path in paths] == ["ledger/ledger.db", "keys/keys.db"]
    restore(elsewhere, tmp_path / "kept")
    restored = open_ledger(elsewhere)
    assert content(restored) == before
    with restored.write() as conn:
        assert inbox.get(conn, restored.keys, 1).body == BODY
        # New rows follow after those that were restored.
        assert inbox.store(conn, restored.keys, [delivery("new")])[0].id == 6
    restored.close()


def test_backup_is_restored_where_it_came_from(ledger: Ledger, settings: Settings, tmp_path: Path) -> None:
    fill(ledger)
    backup(settings, tmp_path / "kept")
    back = Settings(state_dir=tmp_path / "back", master_key_file=settings.master_key_file)
    restore(back, tmp_path / "kept")
    restored = open_ledger(back)
    assert content(restored) == content(ledger)
    restored.close()


def test_backup_taken_under_writing_opens_every_delivery(ledger: Ledger, settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with ledger.write() as conn:
                inbox.store(conn, ledger.keys, [delivery(f"{number}-{each}") for each in range(20)])
            number += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        backup(settings, tmp_path / "kept")
    finally:
        stop.set()
        writing.join()
    back = Settings(state_dir=tmp_path / "back", master_key_file=settings.master_key_file)
    restore(back, tmp_path / "kept")
    restored = open_ledger(back)
    with restored.write() as conn:
        stored = sum(inbox.counts(conn).values())
        assert len(inbox.claim(conn, restored.keys, worker="w", limit=10_000, lease_s=9)) == stored
    restored.close()


def test_backup_is_its_owners_alone(ledger: Ledger, settings: Settings, tmp_path: Path) -> None:
    for path in backup(settings, tmp_path / "kept"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_neither_an_older_backup_nor_a_full_ledger_is_written_over(
    ledger: Ledger, settings: Settings, tmp_path: Path
) -> None:
    fill(ledger)
    backup(settings, tmp_path / "kept")
    with pytest.raises(ConfigurationError, match="another folder"):
        backup(settings, tmp_path / "kept")
    with pytest.raises(ConfigurationError, match="holds data already"):
        restore(settings, tmp_path / "kept")


def test_missing_part_of_a_backup_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ledger\.db"):
        restore(settings, tmp_path / "nothing")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_not_backed_up(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing to back up"):
        backup(settings, tmp_path / "kept")


def test_backup_without_its_master_key_is_refused(ledger: Ledger, settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "kept")
    with pytest.raises(ConfigurationError, match="master_key"):
        restore(Settings(state_dir=tmp_path / "stranger"), tmp_path / "kept")
