"""Which version a database has, against which this code knows. Migrations are Alembic's."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from tradewind.errors import ConfigurationError, LedgerTooNew
from tradewind.ledger.dialect import serialise

# Alembic's `context` and `op` are global to the process.
_one_at_a_time = threading.Lock()
_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Part:
    """A database with a history of its own. Both may lie in one PostgreSQL database, so each has its version table."""

    name: str
    folder: str
    version_table: str


LEDGER = Part("ledger", "versions", "ledger_version")
KEYS = Part("key store", "key_versions", "key_store_version")


def upgrade(engine: Engine, part: Part) -> None:
    """Bring the database to this code's version; several processes may try at once. Raises LedgerTooNew."""
    with _one_at_a_time, engine.connect() as conn, conn.execution_options(tradewind_immediate=True).begin():
        serialise(conn, f"migrate {part.name}")
        _refuse_newer(conn, part)
        command.upgrade(configuration(part, conn), "head")


def check(engine: Engine, part: Part, setting: str) -> None:
    """Raises LedgerTooNew, or ConfigurationError when the database is not migrated to this code's version."""
    with engine.connect() as conn:
        current = _refuse_newer(conn, part)
    if current != head(part):
        where = engine.url.render_as_string(hide_password=True)
        state = "is not set up" if current is None else f"is at version {current}"
        raise ConfigurationError(setting, where, f"the {part.name} {state}: run `tradewind up`, which migrates it")


def head(part: Part) -> str | None:
    """The newest version that this code knows."""
    return ScriptDirectory.from_config(configuration(part)).get_current_head()


def current_version(conn: Connection, part: Part) -> str | None:
    """The database's version; None when it was never migrated."""
    context = MigrationContext.configure(conn, opts={"version_table": part.version_table})
    return context.get_current_revision()


def configuration(part: Part, conn: Connection | None = None) -> Config:
    """Alembic's configuration for the part, bound to the connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("version_locations", str(_MIGRATIONS / part.folder))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=conn, part=part)
    return config


def _refuse_newer(conn: Connection, part: Part) -> str | None:
    current = current_version(conn, part)
    known = {script.revision for script in ScriptDirectory.from_config(configuration(part)).walk_revisions()}
    if current is not None and current not in known:
        known_to = f"this tradewind knows up to {head(part)}: upgrade it"
        raise LedgerTooNew(f"the {part.name} has version {current}, {known_to}")
    return current
