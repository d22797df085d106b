"""An applier over a ledger in which every connection is live."""

import pytest

from tests.unit.domain.orders import AT
from tests.unit.sync.desk import connect_all
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applier


@pytest.fixture
def applier(ledger: Ledger) -> Applier:
    connect_all(ledger)
    return Applier(ledger, worker="a", now=lambda: AT)
