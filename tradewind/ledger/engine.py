"""Opening the ledger: engines, transactions, and whether database and code fit each other."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from tradewind.ledger import versions
from tradewind.ledger.crypto import master_key
from tradewind.ledger.dialect import db_now
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.prepared import driven
from tradewind.ledger.turns import Turns
from tradewind.settings import Settings

__all__ = ["Ledger", "db_now", "make_engine", "migrate", "open_ledger"]

BUSY_TIMEOUT_S = 5.0
BUSY_PAUSE_S = 0.0005
# An error that is logged must not tell what was written.
_POOL: dict[str, Any] = {"pool_size": 5, "max_overflow": 10, "hide_parameters": True}
_IMMEDIATE = "tradewind_immediate"
_WRITES = "tradewind_writes"


@dataclass(frozen=True)
class Ledger:
    """What is passed around: the database, the keys that open what is sealed in it, and where its file locks lie."""

    engine: Engine
    key_engine: Engine
    keys: KeyRing
    locks_dir: Path
    _turns: Turns = field(default_factory=Turns, repr=False, compare=False)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction, which sees one state of the database."""
        with self.engine.connect() as conn:
            if self.dialect == "sqlite":
                with _sqlite_transaction(conn, read_only=True):
                    yield conn
            else:
                options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
                with conn.execution_options(**options).begin():
                    yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; commits at the end, rolls back on an error.

        On SQLite it takes the write lock at once: a transaction that turns into a write later fails under load.
        """
        with self._turn(), self.engine.connect() as conn, self._transaction(conn):
            yield conn

    def _transaction(self, conn: Connection) -> AbstractContextManager[object]:
        return _sqlite_transaction(conn) if self.dialect == "sqlite" else conn.begin()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Threads of this process take turns on SQLite: its own waiting polls, and lets some starve for seconds."""
        if self.dialect != "sqlite":
            yield
            return
        if not self._turns.take(BUSY_TIMEOUT_S):
            raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("database is locked by this process"))
        try:
            yield
        finally:
            self._turns.pass_on()

    def close(self) -> None:
        self.engine.dispose()
        self.key_engine.dispose()


def open_ledger(settings: Settings, *, migrate: bool = False) -> Ledger:
    """Open the ledger and its key store; with `migrate`, make or upgrade both first.

    Raises LedgerTooNew when a newer tradewind has migrated it, ConfigurationError when it is not migrated, or when the
    master key is not the one that its keys were wrapped with.
    """
    engine, key_engine = make_engine(settings.database_url), make_engine(settings.keys_url)
    try:
        _prepare(engine, key_engine, settings, migrating=migrate)
        keys = KeyRing(key_engine, master_key(settings))
        keys.check()
    except BaseException:
        engine.dispose()
        key_engine.dispose()
        raise
    return Ledger(engine=engine, key_engine=key_engine, keys=keys, locks_dir=settings.state_dir / "locks")


def migrate(settings: Settings) -> None:
    """Bring the ledger and its key store to this version. Raises LedgerTooNew."""
    open_ledger(settings, migrate=True).close()


def _prepare(engine: Engine, key_engine: Engine, settings: Settings, *, migrating: bool) -> None:
    for one, part, setting in ((key_engine, versions.KEYS, "keys_url"), (engine, versions.LEDGER, "database_url")):
        if migrating:
            versions.upgrade(one, part)
        else:
            versions.check(one, part, setting)


def make_engine(url: str) -> Engine:
    """An engine for a ledger or a key store, with the settings that the ledger relies on."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, parsed.database or "")
    return create_engine(url, pool_pre_ping=True, **_POOL)


def _sqlite_engine(url: str, database: str) -> Engine:
    Path(database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The connection used last has the pages in its cache; each other's writes make it read them again.
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S, "cached_statements": 512}, pool_use_lifo=True, **_POOL
    )

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late, and deferred: transactions are begun below.
        dbapi_connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        # SQLAlchemy says so when the first statement goes its way; `_sqlite_transaction` has begun before.
        if _in_transaction(conn):
            return
        _allow_writes(conn)
        if conn.get_execution_options().get(_IMMEDIATE):
            _begin_immediate(conn)
        else:
            driven(conn, "BEGIN")

    return engine


@contextmanager
def _sqlite_transaction(conn: Connection, *, read_only: bool = False) -> Iterator[None]:
    """A transaction of SQLite's, begun and ended on its driver: SQLAlchemy's own costs as much as a small commit."""
    _allow_writes(conn, not read_only)
    if read_only:
        driven(conn, "BEGIN")
    else:
        _begin_immediate(conn)
    try:
        yield
        driven(conn, "COMMIT")
    except BaseException:
        # SQLite has rolled back by itself where it ran out of disk, say.
        if _in_transaction(conn):
            driven(conn, "ROLLBACK")
        raise


def _in_transaction(conn: Connection) -> bool:
    return cast(sqlite3.Connection, conn.connection.dbapi_connection).in_transaction


def _allow_writes(conn: Connection, allowed: bool = True) -> None:
    info = conn.connection.info
    if info.get(_WRITES) is not allowed:
        driven(conn, f"PRAGMA query_only = {'OFF' if allowed else 'ON'}")
        info[_WRITES] = allowed


def _begin_immediate(conn: Connection) -> None:
    """Take SQLite's write lock, looking often whether another process has let it go.

    SQLite's own waiting makes its pauses longer, up to a tenth of a second, in which others overtake. Sources:
    sqlite.org/c3ref/busy_timeout.html, `sqliteDefaultBusyCallback` in main.c.
    """
    driven(conn, "PRAGMA busy_timeout = 0")
    try:
        for _ in range(int(BUSY_TIMEOUT_S / BUSY_PAUSE_S)):
            try:
                driven(conn, "BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if not _is_busy(error):
                    raise
            time.sleep(BUSY_PAUSE_S)
        driven(conn, "BEGIN IMMEDIATE")
    finally:
        driven(conn, f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")


def _is_busy(error: OperationalError) -> bool:
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY
