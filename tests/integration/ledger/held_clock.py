"""The database's clock, held still until a test moves it: what a lease goes by is the test's to say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, text

from tests.integration.ledger.examples import AT
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger


class HeldClock:
    """Takes the place of the clock of one ledger's database."""

    def __init__(self, ledger: Ledger) -> None:
        self.at = AT
        self._engine = ledger.engine
        if ledger.dialect == "sqlite":
            _hold_sqlite(self, ledger.engine)
        else:
            _hold_postgresql(self, ledger.engine)
        # Connections from before know the old clock.
        ledger.engine.dispose()
        with ledger.read() as conn:
            assert db_now(conn) == self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self._tell()

    @contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """As if so much time had passed, for a moment."""
        self.advance(seconds)
        try:
            yield
        finally:
            self.advance(-seconds)

    def _tell(self) -> None:
        if self._engine.dialect.name == "postgresql":
            with self._engine.begin() as conn:
                conn.execute(text("UPDATE held_clock SET at = :at"), {"at": self.at})


def _hold_sqlite(clock: HeldClock, engine: Engine) -> None:
    def strftime(_: str, moment: str, later: str = "0 seconds") -> str:
        assert moment == "now"
        return _written(clock.at + timedelta(seconds=float(later.partition(" ")[0])))

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: sqlite3.Connection, _record: Any) -> None:
        for arguments in (2, 3):
            dbapi_connection.create_function("strftime", arguments, strftime)


def _hold_postgresql(clock: HeldClock, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE held_clock AS SELECT CAST(:at AS timestamptz) AS at"), {"at": clock.at})
        conn.execute(
            text(
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE"
                " AS 'SELECT at FROM public.held_clock'"
            )
        )
        # PostgreSQL looks into its own catalogue first unless it is named.
        name = conn.execute(text("SELECT current_database()")).scalar_one()
        conn.execute(text(f"ALTER DATABASE {name} SET search_path = public, pg_catalog"))


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
