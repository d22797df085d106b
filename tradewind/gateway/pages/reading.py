"""The pages' own way to the ledger: two threads and connections apart, so that intake never waits for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from tradewind.errors import ConfigurationError
from tradewind.gateway.store import StoreUnavailable
from tradewind.ledger.engine import Ledger
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.search import within

R = TypeVar("R")
Work = Callable[[Connection, KeyRing], R]

READ_WITHIN_S = 3.0


class LedgerReader:
    """Opens the ledger at first use. Every call raises StoreUnavailable when it is away."""

    def __init__(self, open_ledger: Callable[[], Ledger], *, read_within_s: float = READ_WITHIN_S) -> None:
        self._open_ledger = open_ledger
        self._read_within_s = read_within_s
        self._ledger: Ledger | None = None
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pages")

    async def read(self, work: Work[R]) -> R:
        """What `work` gives in a read-only transaction. Raises SearchTooSlow."""
        return await self._in_thread(lambda: self._read(work))

    async def write(self, work: Work[R]) -> R:
        """What `work` gives in a transaction that is committed."""
        return await self._in_thread(lambda: self._write(work))

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._ledger is not None:
            self._ledger.close()

    async def _in_thread(self, work: Callable[[], R]) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (SQLAlchemyError, OSError, ConfigurationError) as error:
            raise StoreUnavailable(f"the ledger is not available: {type(error).__name__}") from error

    def _read(self, work: Work[R]) -> R:
        ledger = self._opened()
        with ledger.read() as conn, within(conn, self._read_within_s):
            return work(conn, ledger.keys)

    def _write(self, work: Work[R]) -> R:
        ledger = self._opened()
        with ledger.write() as conn:
            return work(conn, ledger.keys)

    def _opened(self) -> Ledger:
        with self._opening:
            if self._ledger is None:
                self._ledger = self._open_ledger()
            return self._ledger
