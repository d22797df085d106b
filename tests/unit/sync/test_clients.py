"""The pool: one client per connection, a new one for a new revision, all closed in the end."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.domain.orders import CARRIER, PROCESSOR
from tests.unit.sync.desk import connection
from tradewind.domain.roles import PaymentProcessor
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.providers import registry
from tradewind.settings import Settings
from tradewind.sync.clients import LOOK_EVERY_S, ClientPool


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    with opened.write() as database:
        stripe = connection(
            PROCESSOR, settings={"base_url": "http://127.0.0.1:9"}, secrets={"secret_key": "sk_test_x"}, revision=1
        )
        connections.put(database, opened.keys, stripe)
    yield opened
    opened.close()


async def test_a_connection_has_one_client(ledger: Ledger) -> None:
    pool = ClientPool(ledger, Governor())
    client = pool(PROCESSOR)
    assert isinstance(client, PaymentProcessor)
    assert pool(PROCESSOR) is client
    await pool.aclose()


async def test_a_newer_revision_gets_a_new_client_and_calls_on_the_old_one_may_end(ledger: Ledger) -> None:
    now = [0.0]
    pool = ClientPool(ledger, Governor(), monotonic=lambda: now[0])
    old = pool(PROCESSOR)
    with ledger.write() as database:
        known = connections.get(database, ledger.keys, PROCESSOR)
        connections.put(database, ledger.keys, known.model_copy(update={"revision": 2}))
    assert pool(PROCESSOR) is old  # looked at a moment ago
    now[0] = LOOK_EVERY_S
    new = pool(PROCESSOR)
    assert new is not old
    now[0] *= 2
    assert pool(PROCESSOR) is new
    closed = []
    for client in (old, new):
        _note_close(client, closed)
    await pool.aclose()
    assert closed == [old, new]
    await pool.aclose()
    assert closed == [old, new]


def _note_close(client: object, closed: list[object]) -> None:
    real = client.aclose  # type: ignore[attr-defined]

    async def aclose() -> None:
        closed.append(client)
        await real()

    client.aclose = aclose  # type: ignore[attr-defined]


async def test_threads_share_one_client(ledger: Ledger) -> None:
    pool = ClientPool(ledger, Governor())
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(pool, [PROCESSOR] * 32))
    assert len(found) == 1
    await pool.aclose()


async def test_a_connection_that_is_not_there_says_what_to_do(ledger: Ledger) -> None:
    pool = ClientPool(ledger, Governor())
    with pytest.raises(ConfigurationError, match="tradewind connect"):
        pool(CARRIER)
    with pytest.raises(ConfigurationError, match="shipstation:main"):
        pool.max_concurrency(CARRIER)


async def test_the_budget_says_how_many_calls_may_be_under_way(ledger: Ledger) -> None:
    with ledger.read() as database:
        known = connections.get(database, ledger.keys, PROCESSOR)
    expected = registry.provider_of(PROCESSOR).budget(known).max_concurrency
    assert ClientPool(ledger, Governor()).max_concurrency(PROCESSOR) == expected
