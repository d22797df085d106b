"""The gateway over a real ledger, on SQLite and on PostgreSQL, in this process."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.integration.gateway import signing
from tests.integration.gateway.signing import SIGN, path_of
from tests.unit.gateway.fakes import running, until
from tradewind.domain.connections import ConnectionState
from tradewind.gateway.app import create_app
from tradewind.gateway.store import LedgerStore, StoreUnavailable
from tradewind.ledger import connections, inbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings

NORTH = "/hooks/shopify/north"


@pytest.fixture
def store(settings: Settings, ledger: Ledger) -> Iterator[LedgerStore]:
    made = LedgerStore(lambda: open_ledger(settings))
    yield made
    made.close()


def gateway(store: LedgerStore) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return running(create_app(store))


def rows(ledger: Ledger) -> list[inbox.DeliveryRow]:
    with ledger.read() as conn:
        return inbox.search(conn, limit=10_000)


@pytest.mark.parametrize("connection", SIGN)
async def test_each_provider_is_received(store: LedgerStore, ledger: Ledger, connection: str) -> None:
    body = json.dumps({"id": "evt_1", "type": "charge.captured", "resource_type": "API_TRACK", "data": {}}).encode()
    async with gateway(store) as client:
        answer = await client.post(path_of(connection), content=body, headers=SIGN[connection](body))
        forged = await client.post(path_of(connection), content=body + b" ", headers=SIGN[connection](body))
    assert (answer.status_code, forged.status_code) == (200, 401)
    (row,) = rows(ledger)
    assert (row.connection, row.source, row.format, row.state) == (connection, "webhook", "raw", "received")
    with ledger.read() as conn:
        assert inbox.get(conn, ledger.keys, row.id).body == body


async def test_a_repeated_delivery_is_stored_once_and_counted(store: LedgerStore, ledger: Ledger) -> None:
    body = b'{"id": "evt_1", "type": "charge.captured"}'
    async with gateway(store) as client:
        for attempt in range(3):
            # Stripe signs each attempt anew.
            headers = signing.stripe(body, at=__import__("time").time() - attempt)
            assert (await client.post("/hooks/stripe/main", content=body, headers=headers)).status_code == 200
    (row,) = rows(ledger)
    assert row.repeats == 2


async def test_duplicates_at_one_moment_at_two_gateways_are_stored_once(
    store: LedgerStore, settings: Settings, ledger: Ledger
) -> None:
    other = LedgerStore(lambda: open_ledger(settings))
    async with gateway(store) as one, gateway(other) as two:
        sending = []
        for number in range(20):
            body = b'{"n": %d}' % number
            headers = signing.shopify(body, webhook_id=f"wh-{number}")
            sending += [client.post(NORTH, content=body, headers=headers) for client in (one, two, one, two)]
        answers = await asyncio.gather(*sending)
    other.close()
    assert {answer.status_code for answer in answers} == {200}
    stored = rows(ledger)
    assert sorted(row.delivery_key for row in stored) == sorted(f"wh-{number}" for number in range(20))
    assert sum(row.repeats for row in stored) == 60
    assert sum(answer.json()["status"] == "stored" for answer in answers) == 20


async def test_a_secret_replaced_in_the_ledger_counts_at_once(store: LedgerStore, ledger: Ledger) -> None:
    async with gateway(store) as client:
        await client.post(NORTH, content=b"1", headers=signing.shopify(b"1"))
        with ledger.write() as conn:
            connections.update_secrets(conn, ledger.keys, "shopify:north", {"client_secret": "newer"})
        newer, older = signing.shopify(b"2", "newer"), signing.shopify(b"3")
        assert (await client.post(NORTH, content=b"2", headers=newer)).status_code == 200
        assert (await client.post(NORTH, content=b"3", headers=older)).status_code == 401


async def test_an_unfetched_public_key_is_503_until_it_is_in_the_ledger(store: LedgerStore, ledger: Ledger) -> None:
    headers = signing.shipstation(b"{}", key_id="key-2")
    async with gateway(store) as client:
        answer = await client.post("/hooks/shipstation/main", content=b"{}", headers=headers)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        with ledger.write() as conn:
            connections.update_settings(conn, ledger.keys, "shipstation:main", {"jwks": signing.jwks("key-2")})
        assert (await client.post("/hooks/shipstation/main", content=b"{}", headers=headers)).status_code == 200


async def test_a_paused_connection_still_receives_and_a_disconnected_one_does_not(
    store: LedgerStore, ledger: Ledger
) -> None:
    for state, status in ((ConnectionState.PAUSED, 200), (ConnectionState.DISCONNECTED, 404)):
        with ledger.write() as conn:
            connections.set_state(conn, "shopify:north", state)
        async with gateway(store) as client:
            body = state.value.encode()
            assert (await client.post(NORTH, content=body, headers=signing.shopify(body))).status_code == status


@contextmanager
def away(ledger: Ledger, url: str) -> Iterator[None]:
    """The database takes no writes: another process holds SQLite's lock; PostgreSQL refuses and ends connections."""
    if ledger.dialect == "sqlite":
        with ledger.write():
            yield
        return
    address = sa.engine.make_url(url)
    admin = sa.create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    allow = f'ALTER DATABASE "{address.database}" ALLOW_CONNECTIONS'
    with admin.connect() as conn:
        conn.execute(sa.text(f"{allow} false"))
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        conn.execute(sa.text(query), {"name": address.database})
        try:
            yield
        finally:
            conn.execute(sa.text(f"{allow} true"))
    admin.dispose()


async def test_a_database_that_is_away_is_503_and_taken_up_again(
    store: LedgerStore, ledger: Ledger, database_url: str
) -> None:
    async with gateway(store) as client:
        assert (await client.post(NORTH, content=b"1", headers=signing.shopify(b"1"))).status_code == 200
        with away(ledger, database_url):
            answer = await client.post(NORTH, content=b"2", headers=signing.shopify(b"2"))
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            ready = await client.get("/readyz")
            assert ready.status_code == 503
        assert (await client.post(NORTH, content=b"2", headers=signing.shopify(b"2"))).status_code == 200

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(is_ready)
    with open_again(ledger) as again:
        assert len(rows(again)) == 2


@contextmanager
def open_again(ledger: Ledger) -> Iterator[Ledger]:
    ledger.engine.dispose()  # its pooled connections were ended
    yield ledger


async def test_connections_that_ended_while_idle_cost_no_delivery(
    store: LedgerStore, ledger: Ledger, database_url: str
) -> None:
    async with gateway(store) as client:
        assert (await client.post(NORTH, content=b"1", headers=signing.shopify(b"1"))).status_code == 200
        if ledger.dialect == "postgresql":
            with away(ledger, database_url):
                pass
        assert (await client.post(NORTH, content=b"2", headers=signing.shopify(b"2"))).status_code == 200


async def test_a_database_that_lost_its_tables_is_unavailable_and_named(store: LedgerStore, ledger: Ledger) -> None:
    async with gateway(store) as client:
        assert (await client.post(NORTH, content=b"1", headers=signing.shopify(b"1"))).status_code == 200
        with ledger.write() as conn:
            conn.execute(sa.text("DROP TABLE inbox"))
        assert (await client.post(NORTH, content=b"2", headers=signing.shopify(b"2"))).status_code == 503
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert "inbox" in ready.json()["fault"]


def test_a_ledger_that_is_not_migrated_is_unavailable_to_the_running_gateway(tmp_path: Any) -> None:
    empty = Settings(state_dir=tmp_path)
    with pytest.raises(StoreUnavailable, match="not set up"):
        LedgerStore(lambda: open_ledger(empty)).probe()


ODD = [
    b"",
    b"[" * 100_000,
    b"\x00\xff",
    b"null",
    b'{"id": "\\u0000", "type": "a"}',
    b'{"id": "\\ud800", "type": "a", "created": 1e999}',
    b'{"id": {}, "type": [], "created": "now", "request": 1}',
    b'{"resource_type": "API_TRACK", "resource_url": {"a": "\\ud800"}, "data": {"events": [1, {"occurred_at": 5}]}}',
    b'{"document": "\\u0000", "occurred_at": "0001-01-01T00:00:00+23:59"}',
]


@pytest.mark.parametrize("connection", SIGN)
async def test_whatever_is_well_signed_is_stored(store: LedgerStore, ledger: Ledger, connection: str) -> None:
    async with gateway(store) as client:
        sending = [client.post(path_of(connection), content=body, headers=SIGN[connection](body)) for body in ODD]
        answers = await asyncio.gather(*sending)
    assert [answer.status_code for answer in answers] == [200] * len(ODD)


async def test_odd_names_in_signed_requests_are_stored(store: LedgerStore, ledger: Ledger) -> None:
    headers = [(name, value) for name, value in signing.shopify(b"{}").items() if name != "X-Shopify-Topic"]
    odd = [("x-shopify-topic", b"\x80\xff" * 90), ("x-shopify-webhook-id", b"\xe9" * 400)]
    odd += [("x-shopify-triggered-at", b"0001-01-01T00:00:00+23:59"), ("x-shopify-event-id", b"\xad")]
    async with gateway(store) as client:
        raw = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers + odd]
        assert (await client.post(NORTH, content=b"{}", headers=raw)).status_code == 200
    assert len(rows(ledger)) == 1
