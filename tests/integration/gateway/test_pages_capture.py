"""Capture at the door: kept apart, never applied, with the answer that there would have been."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.integration.gateway import signing
from tests.unit.gateway.fakes import running
from tradewind.gateway.app import create_app
from tradewind.gateway.pages.site import Site
from tradewind.gateway.pages.tap import MOST_WAITING
from tradewind.gateway.store import LedgerStore
from tradewind.ledger import captures, inbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings

TOKEN = "a token of some length"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def store(settings: Settings, ledger: Ledger) -> Iterator[LedgerStore]:
    made = LedgerStore(lambda: open_ledger(settings))
    yield made
    made.close()


@pytest.fixture
async def client(settings: Settings, store: LedgerStore) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(store, site=Site(lambda: open_ledger(settings), TOKEN))) as client:
        yield client


async def capture(client: httpx.AsyncClient, path: str, minutes: str = "5") -> None:
    answer = await client.post("/captures/start", data={"path": path, "minutes": minutes}, headers=BEARER)
    assert answer.status_code == 303, answer.text


def kept(ledger: Ledger, path: str) -> list[captures.Captured]:
    with ledger.read() as conn:
        return captures.requests(conn, ledger.keys, path)


def received(ledger: Ledger) -> int:
    with ledger.read() as conn:
        return sum(inbox.counts(conn).values())


async def test_nothing_is_kept_until_an_operator_asks(client: httpx.AsyncClient, ledger: Ledger) -> None:
    assert (await client.post("/capture/test", content=b"{}")).status_code == 404
    assert kept(ledger, "/capture/test") == []


async def test_whatever_comes_to_a_captured_path_is_kept_and_shown_masked(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    await capture(client, "/capture/test")
    body = b'{"email": "ada@example.com", "status": "paid"}'
    for method in ("POST", "PUT", "GET"):
        answer = await client.request(method, "/capture/test", content=body, headers={"x-secret": "hush"})
        assert (answer.status_code, answer.json()) == (200, {"status": "captured"})
    assert [one.method for one in kept(ledger, "/capture/test")] == ["GET", "PUT", "POST"]
    text = (await client.get("/captures", headers=BEARER)).text
    assert "/capture/test" in text
    assert "ada@example.com" not in text
    assert "hush" not in text
    assert received(ledger) == 0


async def test_a_bad_signature_is_refused_as_ever_and_kept_as_refused(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    await capture(client, "/hooks/shopify/north")
    forged = await client.post("/hooks/shopify/north", content=b"{}", headers=signing.shopify(b"{}", "other secret"))
    assert forged.status_code == 401
    genuine = await client.post("/hooks/shopify/north", content=b"{}", headers=signing.shopify(b"{}"))
    assert genuine.status_code == 200
    (one,) = kept(ledger, "/hooks/shopify/north")
    assert (one.answered, one.body) == (401, b"{}")
    assert "refused with 401" in (await client.get("/captures", headers=BEARER)).text
    assert received(ledger) == 1


async def test_an_unknown_account_is_refused_as_ever_and_kept_with_its_body(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    await capture(client, "/hooks/shopify/west")
    body = b"x" * (captures.MOST_BYTES + 9)
    assert (await client.post("/hooks/shopify/west", content=body)).status_code == 404
    (one,) = kept(ledger, "/hooks/shopify/west")
    assert (one.answered, one.size) == (404, len(body))
    assert one.body == body[: captures.MOST_BYTES]


async def test_stopping_ends_it_at_once_and_deletes_what_was_kept(client: httpx.AsyncClient, ledger: Ledger) -> None:
    await capture(client, "/capture/test")
    await client.post("/capture/test", content=b"{}")
    assert (await client.post("/captures/stop", data={"path": "/capture/test"}, headers=BEARER)).status_code == 303
    assert (await client.post("/capture/test", content=b"{}")).status_code == 404
    assert kept(ledger, "/capture/test") == []


@pytest.mark.parametrize(("path", "minutes"), [("/deliveries", "5"), ("/capture/a", "0"), ("/capture/a", "x")])
async def test_what_cannot_be_captured_is_refused(client: httpx.AsyncClient, path: str, minutes: str) -> None:
    answer = await client.post("/captures/start", data={"path": path, "minutes": minutes}, headers=BEARER)
    assert answer.status_code == 400
    assert "must be" in answer.text


async def test_a_flood_is_not_queued_up(client: httpx.AsyncClient, ledger: Ledger) -> None:
    await capture(client, "/capture/test")
    with ledger.write():  # nothing can be written meanwhile
        sending = [asyncio.create_task(client.post("/capture/test", content=b"{}")) for _ in range(MOST_WAITING + 3)]
        done, _ = await asyncio.wait(sending, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status_code for task in done} == {429}
    answers = await asyncio.gather(*sending)
    assert sum(answer.status_code == 200 for answer in answers) <= MOST_WAITING
    assert len(kept(ledger, "/capture/test")) == sum(answer.status_code == 200 for answer in answers)
