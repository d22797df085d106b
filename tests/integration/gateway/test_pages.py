"""The pages over a real ledger: found, shown masked, replayed; behind the token; beside intake and never in its way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import update

from tests.integration.gateway import signing
from tests.shop_ledger import ORDER, PAYLOAD, fill
from tests.unit.gateway.fakes import running
from tradewind.gateway.app import create_app
from tradewind.gateway.pages.site import Site
from tradewind.gateway.store import LedgerStore
from tradewind.ledger import audit, inbox, retention, tables
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings

TOKEN = "a token of some length"
PAGES = ("/deliveries", "/deliveries/1", "/orders", f"/orders/{quote(ORDER, safe='')}", "/dead-letters", "/captures")
FORMS = ("/deliveries/replay", "/dead-letters/replay", "/captures/start", "/captures/stop", "/logout")


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def store(settings: Settings, ledger: Ledger) -> Iterator[LedgerStore]:
    fill(ledger)
    made = LedgerStore(lambda: open_ledger(settings))
    yield made
    made.close()


@pytest.fixture
async def client(settings: Settings, store: LedgerStore) -> AsyncIterator[httpx.AsyncClient]:
    site = Site(lambda: open_ledger(settings), TOKEN)
    async with running(create_app(store, site=site)) as client:
        yield client


async def log_in(client: httpx.AsyncClient) -> str:
    """Give the client its cookie; gives what its forms send back."""
    answer = await client.post("/login", data={"token": TOKEN, "next": "/orders"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await client.get("/deliveries")).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", PAGES)
async def test_without_the_token_a_page_leads_to_the_login(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={quote(path, safe='')}"
    assert (await client.get(path, headers={"hx-request": "true"})).headers["hx-redirect"].startswith("/login")
    assert (await client.get(path, headers={"authorization": "Bearer wrong"})).status_code == 401


@pytest.mark.parametrize("path", FORMS)
async def test_without_the_token_a_form_does_nothing(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, data={"id": "1", "path": "/capture/a", "minutes": "5"})).status_code == 401


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_another_site_does_nothing(client: httpx.AsyncClient, ledger: Ledger, path: str) -> None:
    await log_in(client)
    data = {"id": "1", "path": "/capture/a", "minutes": "5", "name": "x", "csrf": "0" * 64}
    assert (await client.post(path, data=data)).status_code == 403
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 0
        assert all(not entry.action.startswith(("delivery.", "capture.")) for entry in audit.entries(conn))


async def test_every_page_opens_with_cookie_and_with_bearer_and_is_closed_to_scripts(client: httpx.AsyncClient) -> None:
    await log_in(client)
    for path in PAGES:
        answer = await client.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=", answer.text), path
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert (await client.get("/deliveries", headers=bearer)).status_code == 200


async def test_after_leaving_the_browser_has_no_cookie(client: httpx.AsyncClient) -> None:
    csrf = await log_in(client)
    assert (await client.post("/logout", data={"csrf": csrf})).status_code == 303
    assert (await client.get("/deliveries")).status_code == 303


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
async def test_the_login_leads_nowhere_else(client: httpx.AsyncClient, wanted: str) -> None:
    answer = await client.post("/login", data={"token": TOKEN, "next": wanted})
    assert answer.headers["location"] == "/deliveries"


async def test_guessing_is_slowed_down(client: httpx.AsyncClient) -> None:
    answers = [(await client.post("/login", data={"token": f"guess {number}"})).status_code for number in range(7)]
    assert answers == [401, 401, 401, 401, 429, 429, 429]
    assert (await client.post("/login", data={"token": TOKEN})).status_code == 429


async def test_without_a_configured_token_the_pages_say_what_to_do(settings: Settings, store: LedgerStore) -> None:
    async with running(create_app(store, site=Site(lambda: open_ledger(settings), None))) as client:
        answer = await client.get("/deliveries")
        assert answer.status_code == 403
        assert "TRADEWIND_PAGES_TOKEN" in answer.text
        assert "set-cookie" not in (await client.post("/login", data={"token": ""})).headers
        assert (await client.post("/hooks/shopify/nowhere", content=b"{}")).status_code == 404


async def test_deliveries_are_searched_and_paged(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await log_in(client)
    monkeypatch.setattr("tradewind.gateway.pages.deliveries.PAGE", 3)
    seen, address = [], "/deliveries"
    while address:
        text = (await client.get(address)).text
        seen += [int(id) for id in re.findall(r'name="id" value="(\d+)"', text)]
        found = re.search(r'rel="next" href="([^"]+)"', text)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1]
    for query, ids in (
        ("state=dead", ["7"]),
        ("topic=orders/*", ["1"]),
        ("order=%231042&connection=stripe:main", ["4", "3"]),
    ):
        assert re.findall(r'name="id" value="(\d+)"', (await client.get(f"/deliveries?{query}")).text) == ids


@pytest.mark.parametrize("query", ["state=lost", "since=yesterday", "until=noon", "before=x"])
async def test_a_filter_that_cannot_be_meant_is_refused_with_advice(client: httpx.AsyncClient, query: str) -> None:
    await log_in(client)
    answer = await client.get(f"/deliveries?{query}")
    assert answer.status_code == 400
    assert "must be" in answer.text


async def test_a_delivery_is_shown_with_verdict_and_effect_and_without_the_person(client: httpx.AsyncClient) -> None:
    await log_in(client)
    text = (await client.get("/deliveries/1")).text
    for shown in ("HMAC-SHA256 of the body", "client secret", "asked to be read again", "MUG-1", "north.myshopify.com"):
        assert shown in text
    for hidden in (
        "ada@example.com",
        "Lovelace",
        "St James",
        "XWmrwMey6OsLMeiZKwP4FppHH3cmAiiJJAweH5Jo4bM",
        "203.0.113.9",
    ):
        assert hidden not in text
    effect = (await client.get("/deliveries/4")).text
    assert re.search(r"authorized.*paid", effect, re.DOTALL)
    assert "payments[pi-1].captured" in effect
    assert "2.0 s at receipt" in (await client.get("/deliveries/7")).text
    assert (await client.get("/deliveries/99")).status_code == 404


async def test_what_a_provider_says_is_never_markup(client: httpx.AsyncClient, ledger: Ledger) -> None:
    body = b'{"topic": "<script>alert(1)</script>"}'
    with ledger.write() as conn:
        odd = inbox.Delivery(
            connection="shopify:north",
            source="webhook",
            delivery_key='"><img src=x>',
            topic="<b>odd</b>",
            body=body,
            format="raw",
            headers={"x-shopify-topic": "<i>"},
            occurred_at=None,
            received_at=datetime.now(UTC),
        )
        (stored,) = inbox.store(conn, ledger.keys, [odd])
    await log_in(client)
    for path in (
        "/deliveries",
        f"/deliveries/{stored.id}",
        "/deliveries?order=%3Cscript%3E",
        "/orders?name=%3Cscript%3E",
    ):
        text = (await client.get(path)).text
        assert not re.search(r"<script>|<img|<b>|<i>", text), path


async def test_the_chosen_deliveries_are_replayed_and_audited(client: httpx.AsyncClient, ledger: Ledger) -> None:
    csrf = await log_in(client)
    answer = await client.post("/deliveries/replay", data={"csrf": csrf, "id": ["1", "7"]})
    assert answer.headers["location"] == "/deliveries?replayed=2"
    one = await client.post("/deliveries/replay", data={"csrf": csrf, "id": "7"})
    assert re.fullmatch(r"/deliveries/\d+", one.headers["location"])
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 3
        entries = [entry for entry in audit.entries(conn) if entry.action == "delivery.replayed"]
    assert [entry.detail["delivery"] for entry in entries] == [7, 7, 1]
    assert {entry.actor for entry in entries} == {"pages"}


async def test_one_that_is_not_there_replays_nothing(client: httpx.AsyncClient, ledger: Ledger) -> None:
    csrf = await log_in(client)
    assert (await client.post("/deliveries/replay", data={"csrf": csrf, "id": ["1", "99"]})).status_code == 404
    assert (await client.post("/deliveries/replay", data={"csrf": csrf})).status_code == 400
    assert (await client.post("/deliveries/replay", data={"csrf": csrf, "id": "x"})).status_code == 400
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 0


async def test_one_order_of_a_name_opens_and_of_two_one_is_asked(client: httpx.AsyncClient) -> None:
    await log_in(client)
    both = (await client.get("/orders?name=1042")).text
    assert "Which one?" in both
    assert {"shopify:north", "shopify:south"} <= set(re.findall(r"shopify:\w+", both))
    by_id = await client.get("/orders", params={"name": ORDER})
    assert by_id.headers["location"] == f"/orders/{quote(ORDER, safe='')}"


async def test_an_order_links_into_its_providers_and_says_where_it_hangs(client: httpx.AsyncClient) -> None:
    await log_in(client)
    text = (await client.get(f"/orders/{quote(ORDER, safe='')}")).text
    assert "How it began is not here" not in text
    assert f"https://north.myshopify.com/admin/orders/{PAYLOAD['id']}" in text
    assert "https://dashboard.stripe.com/test/payments/pi-1" in text
    assert "the connection is paused (the depot is being moved)" in text


async def test_a_group_of_dead_letters_is_replayed(client: httpx.AsyncClient, ledger: Ledger) -> None:
    csrf = await log_in(client)
    name = re.search(r'name="name" value="([^"]+)"', (await client.get("/dead-letters")).text)
    assert name is not None
    answer = await client.post("/dead-letters/replay", data={"csrf": csrf, "name": name[1]})
    assert answer.headers["location"] == "/dead-letters?replayed=1"
    with ledger.read() as conn:
        assert inbox.counts(conn)["received"] == 1
    assert (await client.post("/dead-letters/replay", data={"csrf": csrf, "name": "none"})).status_code == 404


async def test_a_ledger_that_does_not_answer_is_said_and_intake_goes_on(store: LedgerStore) -> None:
    def away() -> Ledger:
        raise OSError("gone")

    async with running(create_app(store, site=Site(away, TOKEN))) as other:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert (await other.get("/deliveries", headers=bearer)).status_code == 503
        body = b'{"id": "evt_1"}'
        assert (
            await other.post("/hooks/stripe/main", content=body, headers=signing.stripe(body, "hush"))
        ).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"), [("pages.css", 200), ("htmx.min.js", 200), ("htmx.LICENSE", 404), ("..%2Fsite.py", 404)]
)
async def test_only_style_and_scripts_are_served_without_a_token(
    client: httpx.AsyncClient, name: str, status: int
) -> None:
    assert (await client.get(f"/static/{name}")).status_code == status


async def test_an_order_whose_deliveries_were_pruned_says_so(client: httpx.AsyncClient, ledger: Ledger) -> None:
    await log_in(client)
    with ledger.write() as conn:
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        conn.execute(update(tables.inbox).values(received_at=long_ago, finished_at=long_ago))
    retention.prune(ledger, timedelta(days=90))
    answer = await client.get(f"/orders/{quote(ORDER, safe='')}")
    assert answer.status_code == 200
    assert "How it began is not here" in answer.text
    gone = await client.get("/deliveries/1")
    assert gone.status_code == 404
    assert "it never was, or is kept no longer" in gone.text
