"""A Prefect server as the stack starts it, one for all tests that need it, and a ledger of a test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Prefect reads it when it is imported, and the tests are nobody's usage figures.
os.environ["DO_NOT_TRACK"] = "1"

from tests.flows.server import PrefectServer, running_server
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """One server for every test of the group `prefect`, which runs in one process."""
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture
def server(shared_server: PrefectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrefectServer]:
    """The server, with the test's process and whatever it starts as its clients."""
    with shared_server.used(monkeypatch):
        yield shared_server
    # A window of another test would take them over.
    shared_server.forget_accounts()


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, which the settings of flows name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def ledger(state_dir: Path) -> Iterator[Ledger]:
    """The ledger that flows open."""
    opened = open_ledger(load_settings(), migrate=True)
    yield opened
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test is the first to need the server waits for its start: more than a minute on a busy machine."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(600))
