"""A ledger to measure on SQLite, and one on PostgreSQL from its package, with the settings that tradewind runs on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")


@contextmanager
def new_ledger(kind: Kind, server: str, name: str) -> Iterator[Ledger]:
    """An empty ledger; it is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="tw-bench-") as folder:
        url = f"sqlite:///{folder}/ledger.db"
        if kind == "postgresql":
            _admin(server, f"CREATE DATABASE {name}")
            url = sa.engine.make_url(server).set(database=name).render_as_string(hide_password=False)
        ledger = open_ledger(Settings(state_dir=Path(folder), database_url=url), migrate=True)
        try:
            yield ledger
        finally:
            ledger.close()
            if kind == "postgresql":
                _admin(server, f"DROP DATABASE {name} WITH (FORCE)")


def _admin(server: str, statement: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.execute(sa.text(statement))
    engine.dispose()
