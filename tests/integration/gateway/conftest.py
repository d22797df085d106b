"""A ledger that knows one connection of each provider."""

import pytest

from tests.integration.gateway import signing
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger


@pytest.fixture
def ledger(ledger: Ledger) -> Ledger:
    with ledger.write() as conn:
        for connection in signing.connections():
            connections.put(conn, ledger.keys, connection)
    return ledger
