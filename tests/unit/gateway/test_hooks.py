"""What a provider hears, and what is stored, for every way in which a delivery can arrive."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from tests.unit.gateway.fakes import FAKE, NOW, FakeStore, connection, fake_store, running, until
from tradewind.domain.connections import Connection
from tradewind.gateway.accounts import Accounts
from tradewind.gateway.app import create_app
from tradewind.gateway.bodies import MIB, Bodies
from tradewind.gateway.writer import Writer

GOOD = {"x-signature": "good"}
HOOK = "/hooks/fake/north"


@pytest.fixture
def store() -> FakeStore:
    return fake_store()


def gateway(store: FakeStore, **bounds: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return running(create_app(store, providers={"fake": FAKE}, now=lambda: NOW, **bounds))


async def held(client: httpx.AsyncClient, store: FakeStore) -> asyncio.Task[httpx.Response]:
    """A first delivery whose transaction has begun and does not end: whatever comes now waits behind it."""
    store.open_gate.clear()
    request = asyncio.create_task(client.post(HOOK, content=b"first", headers=GOOD))
    assert await asyncio.to_thread(store.entered.acquire, timeout=20)
    return request


def send(client: httpx.AsyncClient, *bodies: bytes) -> list[asyncio.Task[httpx.Response]]:
    return [asyncio.create_task(client.post(HOOK, content=body, headers=GOOD)) for body in bodies]


async def test_signed_delivery_is_stored_as_it_came(store: FakeStore) -> None:
    async with gateway(store) as client:
        headers = {**GOOD, "X-Topic": "orders/updated", "X-Correlation": "c1"}
        answer = await client.post(HOOK, content=b"delivery-1", headers=headers)
    assert answer.status_code == 200
    (delivery,) = store.stored
    assert (delivery.connection, delivery.source, delivery.format) == ("fake:north", "webhook", "raw")
    assert (delivery.delivery_key, delivery.topic, delivery.correlation) == ("delivery-1", "orders/updated", "c1")
    assert (delivery.body, delivery.received_at) == (b"delivery-1", NOW)
    assert delivery.headers["x-topic"] == "orders/updated"


async def test_duplicate_is_acknowledged(store: FakeStore) -> None:
    async with gateway(store) as client:
        first = await client.post(HOOK, content=b"same", headers=GOOD)
        second = await client.post(HOOK, content=b"same", headers=GOOD)
    assert (first.status_code, first.json()) == (200, {"status": "stored"})
    assert (second.status_code, second.json()) == (200, {"status": "duplicate"})


async def test_nothing_is_acknowledged_before_its_commit(store: FakeStore) -> None:
    async with gateway(store) as client:
        request = await held(client, store)
        done, _ = await asyncio.wait({request}, timeout=0.1)
        assert not done
        store.open_gate.set()
        assert (await request).status_code == 200


async def test_deliveries_that_wait_together_share_one_transaction(store: FakeStore) -> None:
    writer = Writer(store.store)
    async with gateway(store, writer=writer) as client:
        requests = [await held(client, store), *send(client, *(b"%d" % n for n in range(20)))]
        await until(lambda: writer.depth == 20)
        store.open_gate.set()
        answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {200}
    assert [len(group) for group in store.groups] == [1, 20]


async def test_a_group_is_bounded(store: FakeStore) -> None:
    writer = Writer(store.store, group=8)
    async with gateway(store, writer=writer) as client:
        requests = [await held(client, store), *send(client, *(b"%d" % n for n in range(16)))]
        await until(lambda: writer.depth == 16)
        store.open_gate.set()
        await asyncio.gather(*requests)
    assert [len(group) for group in store.groups] == [1, 8, 8]


async def test_bad_signature_is_401_and_not_stored(store: FakeStore) -> None:
    async with gateway(store) as client:
        for headers in ({}, {"x-signature": "bad"}):
            answer = await client.post(HOOK, content=b"d", headers=headers)
            assert answer.status_code == 401
    assert store.stored == []


async def test_a_secret_rotated_a_moment_ago_is_known_at_once(store: FakeStore) -> None:
    async with gateway(store) as client:
        await client.post(HOOK, content=b"1", headers=GOOD)
        rotated = connection().model_copy(update={"secrets": {"webhook_secret": "newer"}})
        store.known["fake:north"] = rotated
        answer = await client.post(HOOK, content=b"2", headers={"x-signature": "newer"})
    assert answer.status_code == 200


async def test_bad_signatures_reload_at_a_bounded_rate(store: FakeStore) -> None:
    async with gateway(store) as client:
        async with asyncio.timeout(20):
            bad = {"x-signature": "bad"}
            answers = await asyncio.gather(*(client.post(HOOK, content=b"d", headers=bad) for _ in range(200)))
    assert {answer.status_code for answer in answers} == {401}
    assert store.loads <= 4


async def test_unknown_connection_is_404(store: FakeStore) -> None:
    async with gateway(store) as client:
        for path in ("/hooks/fake/south", "/hooks/other/north", "/hooks/fake/NORTH%00", "/hooks/fake/%F0%9F%98%80"):
            assert (await client.post(path, content=b"d", headers=GOOD)).status_code == 404
    assert store.stored == []


async def test_a_connection_of_an_unlisted_provider_is_404(store: FakeStore) -> None:
    store.known["other:north"] = connection()
    async with gateway(store) as client:
        assert (await client.post("/hooks/other/north", content=b"d", headers=GOOD)).status_code == 404


async def test_a_connection_made_a_moment_ago_is_known_at_once(store: FakeStore) -> None:
    async with gateway(store) as client:
        assert (await client.post("/hooks/fake/south", content=b"1", headers=GOOD)).status_code == 404
        store.known["fake:south"] = connection("south")
        assert (await client.post("/hooks/fake/south", content=b"1", headers=GOOD)).status_code == 200


async def test_a_connection_removed_while_its_delivery_arrives_is_404(store: FakeStore) -> None:
    async with gateway(store) as client:
        await client.post(HOOK, content=b"1", headers=GOOD)
        store.known.clear()
        assert (await client.post(HOOK, content=b"2", headers={"x-signature": "bad"})).status_code == 404


async def test_connections_are_reloaded_without_being_asked(store: FakeStore) -> None:
    async with gateway(store, accounts=Accounts(store.connections, every_s=0.01, spacing_s=0.01)):
        await until(lambda: store.loads > 3)


async def test_unknown_signing_key_is_503_until_it_is_known(store: FakeStore) -> None:
    headers = {"x-signature": "key-unknown"}
    async with gateway(store) as client:
        answer = await client.post(HOOK, content=b"d", headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        store.known["fake:north"] = connection(jwks="{}")
        assert (await client.post(HOOK, content=b"d", headers=headers)).status_code == 200


async def test_a_body_over_the_limit_is_413_by_its_announced_length(store: FakeStore) -> None:
    async with gateway(store) as client:
        answer = await client.post(HOOK, content=b"x" * (5 * MIB + 1), headers=GOOD)
        assert answer.status_code == 413
        assert (await client.post(HOOK, content=b"x" * (5 * MIB), headers=GOOD)).status_code == 200
    assert len(store.stored) == 1


async def test_a_streamed_body_over_the_limit_is_413_and_not_read_on(store: FakeStore) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * MIB

    async with gateway(store) as client:
        answer = await client.post(HOOK, content=endless(), headers=GOOD)
    assert answer.status_code == 413
    assert sent == 6
    assert store.stored == []


async def test_a_body_that_does_not_arrive_is_408(store: FakeStore) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(60)

    async with gateway(store, answer_within_s=0.05) as client:
        answer = await client.post(HOOK, content=stuck(), headers=GOOD)
    assert answer.status_code == 408


async def test_bodies_together_are_bounded_and_their_room_is_given_back(store: FakeStore) -> None:
    async with gateway(store, bodies=Bodies(most=100, most_together=104)) as client:
        waiting = await held(client, store)
        refused = await client.post(HOOK, content=b"b" * 100, headers=GOOD)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        store.open_gate.set()
        assert (await waiting).status_code == 200
        assert (await client.post(HOOK, content=b"b" * 100, headers=GOOD)).status_code == 200


async def test_a_full_queue_is_503_with_retry_after(store: FakeStore) -> None:
    writer = Writer(store.store, capacity=1)
    async with gateway(store, writer=writer) as client:
        first = await held(client, store)
        (second,) = send(client, b"2")
        await until(lambda: writer.depth == 1)
        third = await client.post(HOOK, content=b"3", headers=GOOD)
        assert (third.status_code, third.headers["retry-after"]) == (503, "2")
        assert (await client.get("/readyz")).status_code == 503
        store.open_gate.set()
        assert [(await first).status_code, (await second).status_code] == [200, 200]


async def test_a_store_that_is_away_is_503_and_taken_up_again(store: FakeStore) -> None:
    async with gateway(store) as client:
        assert (await client.post(HOOK, content=b"1", headers=GOOD)).status_code == 200
        store.away = True
        answer = await client.post(HOOK, content=b"2", headers=GOOD)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        store.away = False
        assert (await client.post(HOOK, content=b"2", headers=GOOD)).status_code == 200
    assert [each.delivery_key for each in store.stored] == ["1", "2"]


@pytest.mark.parametrize(("path", "signature"), [("/hooks/fake/south", "good"), (HOOK, "bad")])
async def test_what_cannot_be_judged_while_the_store_is_away_is_503(
    store: FakeStore, path: str, signature: str
) -> None:
    async with gateway(store) as client:
        await client.post(HOOK, content=b"1", headers=GOOD)
        store.away = True
        answer = await client.post(path, content=b"d", headers={"x-signature": signature})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_gateway_that_starts_without_its_store_finds_it_later(store: FakeStore) -> None:
    store.away = True
    async with gateway(store) as client:
        assert (await client.post(HOOK, content=b"1", headers=GOOD)).status_code == 503
        store.away = False
        await until(lambda: store.loads > 1)
        assert (await client.post(HOOK, content=b"1", headers=GOOD)).status_code == 200


async def test_a_store_that_hangs_is_503_in_time(store: FakeStore) -> None:
    store.open_gate.clear()
    async with gateway(store, answer_within_s=0.05) as client:
        answer = await client.post(HOOK, content=b"1", headers=GOOD)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        store.open_gate.set()


async def test_a_store_that_hangs_while_connections_are_looked_for_is_503_in_time() -> None:
    gate, loads = threading.Event(), 0

    def load() -> dict[str, Connection]:
        nonlocal loads
        loads += 1
        gate.wait(20)
        return {}

    async with gateway(fake_store(), accounts=Accounts(load), answer_within_s=0.05) as client:
        for _ in range(3):
            answer = await client.post(HOOK, content=b"1", headers=GOOD)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert loads == 1
        gate.set()


async def test_connections_that_cannot_be_read_are_503_and_tried_again(store: FakeStore) -> None:
    broken = True

    def load() -> Mapping[str, Connection]:
        if broken:
            raise ValueError("a secret that does not open")
        return store.known

    async with gateway(store, accounts=Accounts(load)) as client:
        assert (await client.post(HOOK, content=b"1", headers=GOOD)).status_code == 503
        broken = False
        assert (await client.post(HOOK, content=b"1", headers=GOOD)).status_code == 200


async def test_a_row_that_the_database_refuses_costs_the_others_nothing(store: FakeStore) -> None:
    store.refuses = "poison"
    writer = Writer(store.store)
    async with gateway(store, writer=writer) as client:
        requests = [await held(client, store), *send(client, b"1", b"poison", b"2")]
        await until(lambda: writer.depth == 3)
        store.open_gate.set()
        answers = await asyncio.gather(*requests)
    assert [answer.status_code for answer in answers] == [200, 200, 503, 200]
    assert {each.delivery_key for each in store.stored} == {"first", "1", "2"}


@pytest.mark.parametrize(
    "body", [b"explode", b"\xff\xfe", b"", b"a\x00b", b"k" * 5000, b'{"id": null', b"\xed\xa0\x80"]
)
async def test_an_odd_body_that_is_well_signed_is_stored(store: FakeStore, body: bytes) -> None:
    async with gateway(store) as client:
        answer = await client.post(HOOK, content=body, headers=GOOD)
        other = await client.post(HOOK, content=body + b"!", headers=GOOD)
    assert (answer.status_code, other.status_code) == (200, 200)
    first, second = store.stored
    assert first.body == body
    assert first.delivery_key != second.delivery_key
    assert first.delivery_key.isprintable()
    assert len(first.delivery_key) <= 200


async def test_an_odd_topic_is_stored_in_characters_that_every_database_takes(store: FakeStore) -> None:
    async with gateway(store) as client:
        await client.post(HOOK, content=b"d", headers=[*GOOD.items(), ("x-topic", "a\x7fb" + "c" * 500)])
    assert store.stored[0].topic.startswith("a?bccc")
    assert len(store.stored[0].topic) == 100


async def test_the_url_that_the_provider_signed_is_the_public_one(store: FakeStore) -> None:
    urls: list[str] = []

    def note_url(request: Any, secrets: Any, now: Any) -> None:
        urls.append(request.url)

    provider = {"fake": type(FAKE)(**{**FAKE.__dict__, "authenticate": note_url})}
    async with running(create_app(store, providers=provider, public_url="https://hooks.example.com/")) as client:
        await client.post(HOOK + "?a=1", content=b"d")
    async with running(create_app(store, providers=provider)) as client:
        await client.post(HOOK, content=b"e")
    assert urls == ["https://hooks.example.com/hooks/fake/north?a=1", "http://gateway/hooks/fake/north"]


async def test_other_methods_are_refused(store: FakeStore) -> None:
    async with gateway(store) as client:
        assert (await client.get(HOOK)).status_code == 405


@pytest.mark.parametrize("path", ["/hooks/fake", "/hooks/fake/", "/hooks//north", "/hooks/a/b/c"])
async def test_a_path_that_names_no_connection_is_404(store: FakeStore, path: str) -> None:
    async with gateway(store) as client:
        assert (await client.post(path, content=b"d", headers=GOOD)).status_code == 404
    assert store.stored == []


async def test_stopping_commits_what_was_taken_in(store: FakeStore) -> None:
    writer = Writer(store.store)
    async with gateway(store, writer=writer) as client:
        requests = [await held(client, store), *send(client, b"1", b"2", b"3", b"4")]
        await until(lambda: writer.depth == 4)
        asyncio.get_running_loop().call_later(0.05, store.open_gate.set)
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {200}
    assert len(store.stored) == 5


def test_the_gateway_imports_no_prefect() -> None:
    code = "import sys, tradewind.gateway.serve; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_secrets_do_not_show(store: FakeStore) -> None:
    known: Connection = store.known["fake:north"]
    assert "good" not in repr(known)


async def test_a_commit_after_the_deadline_stands_and_its_repetition_is_a_duplicate(store: FakeStore) -> None:
    store.open_gate.clear()
    async with gateway(store, answer_within_s=0.05) as client:
        late = await client.post(HOOK, content=b"late", headers=GOOD)
        assert (late.status_code, late.headers["retry-after"]) == (503, "5")
        store.open_gate.set()
        await until(lambda: [each.delivery_key for each in store.stored] == ["late"])
    async with gateway(store) as client:
        again = await client.post(HOOK, content=b"late", headers=GOOD)
    assert (again.status_code, again.json()) == (200, {"status": "duplicate"})


async def test_a_body_that_comes_slowly_shares_the_deadline_of_the_whole_request(store: FakeStore) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x"
            await asyncio.sleep(0.02)

    async with gateway(store, answer_within_s=0.2) as client:
        answer = await client.post(HOOK, content=slowly(), headers=GOOD)
    assert answer.status_code == 408
    assert store.stored == []
