"""Backup and restore: the ledger and its key store, each a SQLite file in a folder of its own, to be kept apart.

The files are portable: what was backed up from SQLite can be restored into PostgreSQL, and the reverse. The master key
is in neither; whoever restores needs it.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, func, inspect, select
from sqlalchemy.engine import make_url

from tradewind.errors import ConfigurationError
from tradewind.ledger import tables, versions
from tradewind.ledger.engine import make_engine, open_ledger
from tradewind.ledger.versions import Part
from tradewind.settings import Settings

CHUNK = 1000


@dataclass(frozen=True)
class _Store:
    part: Part
    metadata: MetaData
    setting: str
    file: str  # in the backup's folder


# The ledger first: its rows never name a key that the key store, copied later, does not have.
_STORES = (
    _Store(versions.LEDGER, tables.metadata, "database_url", "ledger/ledger.db"),
    _Store(versions.KEYS, tables.key_metadata, "keys_url", "keys/keys.db"),
)


def backup(settings: Settings, target_dir: Path) -> tuple[Path, ...]:
    """Write `ledger/ledger.db` and `keys/keys.db` under target_dir, while everything runs on; gives both paths.

    Raises ConfigurationError when there is nothing to back up, or a backup is there already.
    """
    paths = tuple(target_dir / store.file for store in _STORES)
    for path in paths:
        if path.exists():
            raise ConfigurationError("target", str(path), "is there already: give another folder")
    for store, path in zip(_STORES, paths, strict=True):
        _require_made(settings, store)
        with _opened(getattr(settings, store.setting)) as engine:
            versions.check(engine, store.part, store.setting)
            with _drafted(path) as draft:
                _copy_out(engine, store, draft)
    return paths


def restore(settings: Settings, source_dir: Path) -> None:
    """Fill an empty ledger and key store from a backup; one of an older version is upgraded.

    Raises ConfigurationError when a file is missing, when there is data already, or when the master key does not fit;
    LedgerTooNew for a backup of a newer tradewind.
    """
    for store in _STORES:
        if not (source_dir / store.file).exists():
            raise ConfigurationError("source", str(source_dir / store.file), "is missing")
        _refuse_data(settings, store)
    with tempfile.TemporaryDirectory(prefix="tradewind-restore-") as folder:
        for store in _STORES:
            copy = Path(folder) / Path(store.file).name
            _copy_sqlite(source_dir / store.file, copy)
            with _opened(f"sqlite:///{copy}") as engine:
                versions.upgrade(engine, store.part)
                _copy_in(engine, store, getattr(settings, store.setting))
    open_ledger(settings).close()


def _copy_out(engine: Engine, store: _Store, draft: Path) -> None:
    if engine.dialect.name == "sqlite":
        _copy_sqlite(_file_of(str(engine.url)), draft)
        return
    with _opened(f"sqlite:///{draft}") as copy:
        versions.upgrade(copy, store.part)
        _copy_rows(engine, copy, store.metadata)
    _as_one_file(draft)


def _copy_in(copy: Engine, store: _Store, url: str) -> None:
    if url.startswith("sqlite"):
        path = _file_of(url)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _drafted(path) as draft:
            _copy_sqlite(_file_of(str(copy.url)), draft)
        return
    with _opened(url) as engine:
        versions.upgrade(engine, store.part)
        _copy_rows(copy, engine, store.metadata)


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup: one state of the database, whoever writes meanwhile."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
    _as_one_file(target)


def _as_one_file(path: Path) -> None:
    """Fold the write-ahead log into the file, and see that the copy is sound."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE")
        verdict = conn.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        raise ConfigurationError("backup", str(path), f"is not sound: {verdict}")


def _copy_rows(source: Engine, target: Engine, metadata: MetaData) -> None:
    """Copy every table, from one state of the source, in one transaction."""
    reading = source.connect()
    if source.dialect.name == "postgresql":
        reading = reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with reading, target.begin() as writing:
        for table in metadata.sorted_tables:
            result = reading.execution_options(yield_per=CHUNK).execute(select(table))
            for rows in result.mappings().partitions():
                writing.execute(table.insert(), [dict(row) for row in rows])
            if target.dialect.name == "postgresql" and table.autoincrement_column is not None:
                _continue_counting(writing, table, table.autoincrement_column.name)


def _continue_counting(writing: Connection, table: Table, column: str) -> None:
    """Let PostgreSQL give the next row an id after those that were copied."""
    sequence = func.pg_get_serial_sequence(table.name, column)
    highest = select(func.max(table.c[column])).scalar_subquery()
    writing.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


def _require_made(settings: Settings, store: _Store) -> None:
    url = getattr(settings, store.setting)
    if url.startswith("sqlite") and not _file_of(url).exists():
        raise ConfigurationError(store.setting, str(_file_of(url)), "does not exist: there is nothing to back up")


def _refuse_data(settings: Settings, store: _Store) -> None:
    url = getattr(settings, store.setting)
    if url.startswith("sqlite") and not _file_of(url).exists():
        return
    with _opened(url) as engine:
        there = set(inspect(engine).get_table_names())
        with engine.connect() as conn:
            for table in store.metadata.sorted_tables:
                if table.name in there and conn.execute(select(func.count()).select_from(table)).scalar_one():
                    where = engine.url.render_as_string(hide_password=True)
                    raise ConfigurationError(store.setting, where, "holds data already: restore into an empty one")


def _file_of(url: str) -> Path:
    return Path(make_url(url).database or "")


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _drafted(path: Path) -> Iterator[Path]:
    """A file of its owner's alone, which gets its name when it is complete and on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        yield draft
        handle = os.open(draft, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
