"""A ledger on SQLite and on PostgreSQL, fresh for every test."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contracts import not_checked
from tests.postgres import postgres
from tradewind.ledger.engine import Ledger, migrate, open_ledger
from tradewind.settings import Settings

TEMPLATE = "tradewind_template"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded PostgreSQL of this test process, with the migrated ledger as a template database."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except Exception as error:
            not_checked(f"no PostgreSQL here, the ledger is not checked on it: {error}")
        _admin(url, f"CREATE DATABASE {TEMPLATE}")
        migrate(_settings(tmp_path_factory.mktemp("template"), _database(url, TEMPLATE)))
        yield url


@pytest.fixture
def new_postgres_database(postgres_url: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    with _made_database(postgres_url, "template1") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an SQLite file to be made, and of a PostgreSQL database made from the migrated template."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with _made_database(request.getfixturevalue("postgres_url"), TEMPLATE) as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return _settings(tmp_path / "state", database_url)


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = open_ledger(settings, migrate=True)
    yield ledger
    ledger.close()


def _settings(state_dir: Path, database_url: str) -> Settings:
    return Settings(state_dir=state_dir, database_url=database_url)


def _database(url: str, name: str) -> str:
    return sa.engine.make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _made_database(url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    _admin(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _database(url, name)
    _admin(url, f"DROP DATABASE {name} WITH (FORCE)")


def _admin(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.execute(sa.text(statement))
    engine.dispose()
