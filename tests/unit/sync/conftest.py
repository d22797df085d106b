from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sync.books_fakes import connect_all
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Empty, with every account of a shop connected."""
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    connect_all(opened)
    yield opened
    opened.close()
