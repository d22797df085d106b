"""A ledger to measure on SQLite, and one on PostgreSQL from its package, with the settings that tradewind runs on."""

from __future__ import annotations

import os
import shutil
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
def servers() -> Iterator[str]:
    """A PostgreSQL server with its own defaults, `synchronous_commit` and `fsync` on; gives its address."""
    import pgserver

    folder = Path(tempfile.mkdtemp(prefix="tw-bench-pg-"))
    folder.chmod(0o755)  # the server may run under another account
    (folder / "runtime").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "runtime")
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


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
