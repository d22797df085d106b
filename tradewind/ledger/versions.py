"""Which version a database has, against which this code knows. Migrations are Alembic's.

Alembic is imported to migrate alone: every process checks the version, and its import takes half a second.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from tradewind.errors import ConfigurationError, LedgerTooNew
from tradewind.ledger.dialect import serialise

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic's `context` and `op` are global to the process.
_one_at_a_time = threading.Lock()
_MIGRATIONS = Path(__file__).parent / "migrations"
_FOLLOWS = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


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
    from alembic import command

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


def known(part: Part) -> tuple[str, ...]:
    """The versions that this code knows, by name: a migration's file is named `VERSION_what.py`."""
    return tuple(sorted(path.name.partition("_")[0] for path in _files(part)))


@cache
def head(part: Part) -> str:
    """The newest version that this code knows: the one that no other follows, whatever their names are."""
    followed = {name for path in _files(part) for name in _FOLLOWS.findall(path.read_text())}
    return next(version for version in reversed(known(part)) if version not in followed)


def current_version(conn: Connection, part: Part) -> str | None:
    """The database's version; None when it was never migrated."""
    if not inspect(conn).has_table(part.version_table):
        return None
    # The table's name is one of the two above.
    query = text(f"SELECT version_num FROM {part.version_table}")  # noqa: S608
    version: str | None = conn.execute(query).scalar_one_or_none()
    return version


def configuration(part: Part, conn: Connection | None = None) -> Config:
    """Alembic's configuration for the part, bound to the connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("version_locations", str(_MIGRATIONS / part.folder))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=conn, part=part)
    return config


def _files(part: Part) -> list[Path]:
    return list((_MIGRATIONS / part.folder).glob("*_*.py"))


def _refuse_newer(conn: Connection, part: Part) -> str | None:
    current = current_version(conn, part)
    if current is not None and current not in known(part):
        known_to = f"this tradewind knows up to {head(part)}: upgrade it"
        raise LedgerTooNew(f"the {part.name} has version {current}, {known_to}")
    return current
