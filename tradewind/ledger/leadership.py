"""Who leads a lane and shard: one leader and one standby, each a lock that ends with its process.

The lock decides who works, so that work is not done twice for nothing; that results are written once is the doing of
epochs.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tradewind.ledger.dialect import lock_number
from tradewind.ledger.engine import Ledger

POLL_S = 0.02
# A leader that looks for a successor holds the standby's lock for a moment: that does not turn a successor away.
STANDBY_PATIENCE_S = 0.3


@dataclass(frozen=True)
class Leadership:
    """Held by the leader. successor_waits: whether a standby is in place. held: whether it still leads."""

    successor_waits: Callable[[], bool]
    held: Callable[[], bool]


class _Lock(Protocol):
    def try_take(self) -> bool: ...

    def held(self) -> bool: ...

    def release(self) -> None: ...


@contextmanager
def acquire(
    ledger: Ledger, lane: str, shard: int = 0, *, timeout_s: float, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Leadership | None]:
    """Lead the lane's shard, waiting as its standby for up to timeout_s.

    Gives None when there are a leader and a standby already, when the time is over, or once `stopped` says so.
    Blocks: whoever is async enters it in a thread of its own.
    """
    lead, standby = (_lock(ledger, f"{role}-{lane}-{shard}") for role in ("leader", "standby"))
    with ExitStack() as stack:
        stack.callback(lead.release)
        stack.callback(standby.release)
        yield _leadership(lead, standby) if _take(lead, standby, timeout_s, stopped) else None


def _take(lead: _Lock, standby: _Lock, timeout_s: float, stopped: Callable[[], bool]) -> bool:
    if lead.try_take():
        return True
    if not _wait(standby, min(timeout_s, STANDBY_PATIENCE_S), stopped) or not _wait(lead, timeout_s, stopped):
        return False
    standby.release()
    return True


def _wait(lock: _Lock, timeout_s: float, stopped: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + timeout_s
    while not lock.try_take():
        if stopped() or time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


def _leadership(lead: _Lock, standby: _Lock) -> Leadership:
    def successor_waits() -> bool:
        if standby.try_take():
            standby.release()
            return False
        return True

    return Leadership(successor_waits=successor_waits, held=lead.held)


def _lock(ledger: Ledger, name: str) -> _Lock:
    if ledger.dialect == "postgresql":
        return _AdvisoryLock(ledger.engine, name)
    ledger.locks_dir.mkdir(parents=True, exist_ok=True)
    return _FileLock(str(ledger.locks_dir / f"{name}.lock"))


class _FileLock:
    """An flock: the kernel drops it when the process ends, however it ends."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: int | None = None

    def try_take(self) -> bool:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def held(self) -> bool:
        return self._handle is not None

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class _AdvisoryLock:
    """A PostgreSQL session lock on a connection of its own: the server drops it when the connection ends."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = lock_number(f"lead {name}")
        self._conn: Connection | None = None
        self._taken = False

    def try_take(self) -> bool:
        if self._conn is None:
            self._conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        query = text("SELECT pg_try_advisory_lock(:key)")
        self._taken = bool(self._conn.execute(query, {"key": self._key}).scalar_one())
        return self._taken

    def held(self) -> bool:
        if self._conn is None or not self._taken:
            return False
        try:
            self._conn.execute(text("SELECT 1"))
        except DBAPIError:
            self._taken = False
        return self._taken

    def release(self) -> None:
        if self._conn is None:
            return
        # At once, and not when the server notices that the session is over; a broken connection has lost its locks.
        with suppress(DBAPIError):
            if not self._conn.invalidated:
                self._conn.execute(text("SELECT pg_advisory_unlock_all()"))
        self._conn.close()
        self._conn, self._taken = None, False
