from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.integration.ledger.examples import at_once
from tradewind.errors import ConfigurationError, LedgerTooNew
from tradewind.ledger import tables, versions
from tradewind.ledger.engine import Ledger, make_engine, migrate, open_ledger
from tradewind.ledger.views import VIEWS
from tradewind.settings import Settings


def test_migrations_make_the_tables_that_the_code_declares(ledger: Ledger) -> None:
    parts = (
        (ledger.engine, versions.LEDGER, tables.metadata),
        (ledger.key_engine, versions.KEYS, tables.key_metadata),
    )
    for engine, part, metadata in parts:
        with engine.connect() as conn:
            options = {"version_table": part.version_table, "compare_type": True, "compare_server_default": True}
            context = MigrationContext.configure(conn, opts=options)
            assert compare_metadata(context, metadata) == []


def test_the_versions_known_are_those_of_the_migrations() -> None:
    for part in (versions.LEDGER, versions.KEYS):
        scripts = ScriptDirectory.from_config(versions.configuration(part))
        assert versions.known(part) == tuple(sorted(script.revision for script in scripts.walk_revisions()))
        assert versions.head(part) == scripts.get_current_head()


def test_migrations_make_the_views_that_the_code_declares(ledger: Ledger) -> None:
    with ledger.write() as conn:
        for name, query in VIEWS.items():
            made = [(column["name"], str(column["type"])) for column in sa.inspect(conn).get_columns(name)]
            conn.execute(sa.text(f"CREATE VIEW declared_{name} AS {query}"))
            declared = [
                (column["name"], str(column["type"])) for column in sa.inspect(conn).get_columns(f"declared_{name}")
            ]
            assert made == declared
            conn.execute(sa.text(f"DROP VIEW declared_{name}"))


def test_migrating_again_changes_nothing(settings: Settings) -> None:
    migrate(settings)
    migrate(settings)
    open_ledger(settings).close()


def test_processes_that_start_together_migrate_once(settings: Settings) -> None:
    at_once(lambda _: migrate(settings), range(4))
    open_ledger(settings).close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ledger_that_is_not_set_up_is_refused_with_advice(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="tradewind up"):
        open_ledger(settings)


def test_database_of_a_newer_version_is_refused(settings: Settings) -> None:
    migrate(settings)
    for url, table in ((settings.database_url, "ledger_version"), (settings.keys_url, "key_store_version")):
        engine = make_engine(url)
        with engine.begin() as conn:
            known = conn.execute(sa.text(f"SELECT version_num FROM {table}")).scalar_one()
            conn.execute(sa.text(f"UPDATE {table} SET version_num = '9999'"))
        for migrating in (False, True):
            with pytest.raises(LedgerTooNew, match="9999"):
                open_ledger(settings, migrate=migrating)
        with engine.begin() as conn:
            conn.execute(sa.text(f"UPDATE {table} SET version_num = :known"), {"known": known})
        engine.dispose()


def test_another_master_key_is_refused(settings: Settings) -> None:
    migrate(settings)
    Path(settings.master_key_file).unlink()
    with pytest.raises(ConfigurationError, match="master_key"):
        open_ledger(settings)
