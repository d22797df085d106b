"""`tradewind connect shopify`, `go-live`, `pause`, `resume`: the commands against the sandbox and a gateway."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from tests.integration.providers.served import listening, sandbox, serving
from tests.integration.providers.test_shopify_client import place
from tradewind.cli import main
from tradewind.domain.connections import Connection, ConnectionState
from tradewind.ledger import audit, connections, inbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.providers.shopify.webhooks import WANTED_TOPICS
from tradewind.sandbox.shopify import ShopifyStore
from tradewind.settings import load_settings

NORTH = "shopify:north"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))


@dataclass
class Shop:
    store: ShopifyStore
    gateway: str

    def arguments(self, *more: str, **changes: str) -> list[str]:
        described = self.store.describe()
        options = {
            "--shop": described["shop_domain"],
            "--base-url": described["base_url"],
            "--client-id": described["client_id"],
            "--client-secret": described["client_secret"],
            "--public-url": self.gateway,
            **{f"--{name.replace('_', '-')}": value for name, value in changes.items()},
        }
        return ["connect", "shopify", "north", *(part for item in options.items() for part in item), *more]


async def _healthz(_: Request) -> Response:
    return JSONResponse({"alive": True})


async def _taken(_: Request) -> Response:
    return Response(status_code=200)


@contextlib.asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    routes = [Route("/healthz", _healthz), Route("/hooks/shopify/north", _taken, methods=["POST"])]
    async with sandbox() as made:
        with listening() as (listener, url):
            async with serving(Starlette(routes=routes), listener):
                yield Shop(made.shopify["north"], url)


async def run(*arguments: str, answers: str | None = None) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, list(arguments), input=answers)


@contextlib.contextmanager
def ledger() -> Iterator[Ledger]:
    opened = open_ledger(load_settings())
    try:
        yield opened
    finally:
        opened.close()


def stored() -> Connection:
    with ledger() as opened, opened.read() as database:
        return connections.get(database, opened.keys, NORTH)


def audited() -> list[str]:
    with ledger() as opened, opened.read() as database:
        return [entry.action for entry in audit.entries(database)]


async def test_a_store_is_connected_without_a_question() -> None:
    async with shop() as at:
        order = place(at.store)
        result = await run(*at.arguments("--yes", backfill_days="1"))
        assert result.exit_code == 0, result.output
        assert len(list(at.store.subscriptions)) == len(WANTED_TOPICS)
    connection = stored()
    assert connection.state is ConnectionState.READ_ONLY
    assert connection.live_from is None
    assert connection.secrets["client_secret"] == at.store.tokens.client_secret
    assert at.store.tokens.client_secret not in result.output
    assert "1 orders read, 1 of them new" in result.output
    assert "tradewind go-live shopify:north" in result.output
    assert load_settings().public_url == at.gateway
    with ledger() as opened, opened.read() as database:
        (row,) = inbox.search(database, connection=NORTH)
    assert row.delivery_key.startswith(f"order/gid://shopify/Order/{order.id}/")


async def test_what_is_not_given_is_asked_for() -> None:
    async with shop() as at:
        described = at.store.describe()
        answers = [
            described["shop_domain"], described["client_id"], described["client_secret"], at.gateway, "0",
        ]  # fmt: skip
        result = await run(
            "connect", "shopify", "north", "--base-url", described["base_url"], answers="\n".join(answers) + "\n"
        )
        assert result.exit_code == 0, result.output
    assert "cloudflared tunnel" in result.output
    assert at.store.tokens.client_secret not in result.output
    assert "orders read" not in result.output


async def test_connecting_again_repeats_nothing_and_keeps_the_state() -> None:
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
        assert (await run("go-live", NORTH)).exit_code == 0
        again = await run(*at.arguments("--yes", plan="advanced"))
        assert "0 subscriptions created" in again.output
        assert "go-live" not in again.output
    connection = stored()
    assert connection.state is ConnectionState.LIVE
    assert connection.settings["plan"] == "advanced"
    assert connection.revision == 1


async def test_a_rotated_client_secret_stays_good_for_a_while() -> None:
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
        before = at.store.tokens.client_secret
        at.store.tokens.client_secret = "shpss_rotated"
        assert (await run(*at.arguments("--yes"))).exit_code == 0
        secrets = stored().secrets
        assert (secrets["client_secret"], secrets["client_secret_previous"]) == ("shpss_rotated", before)
        until = datetime.fromisoformat(secrets["client_secret_previous_until"])
        assert timedelta(hours=1) < until - datetime.now(UTC) < timedelta(hours=3)


async def test_missing_scopes_are_named_and_nothing_is_stored(tmp_path: Path) -> None:
    async with shop() as at:
        at.store.scopes.discard("write_orders")
        result = await run(*at.arguments("--yes"))
    assert result.exit_code == 1
    assert "write_orders" in result.output
    assert not (tmp_path / "state").exists()


async def test_refused_credentials_are_explained() -> None:
    async with shop() as at:
        result = await run(*at.arguments("--yes", client_secret="guess"))
    assert result.exit_code == 1
    assert "invalid_client" in result.output
    assert "guess" not in result.output


async def test_a_store_that_does_not_answer_is_explained() -> None:
    async with shop() as at:
        result = await run(*at.arguments("--yes", base_url="http://127.0.0.1:9"))
    assert result.exit_code == 1
    assert "cannot be reached" in result.output


async def test_an_address_without_gateway_is_refused_with_the_way_to_get_one() -> None:
    async with shop() as at:
        silent = await run(*at.arguments("--yes", public_url="http://127.0.0.1:9"))
        other = await run(*at.arguments("--yes", public_url=f"{at.gateway}/elsewhere"))
        skipped = await run(*at.arguments("--yes", "--no-probe", public_url="http://127.0.0.1:9"))
    assert silent.exit_code == other.exit_code == 2
    assert "cloudflared" in silent.stderr
    assert "is not tradewind's gateway" in other.stderr
    assert skipped.exit_code == 0


@pytest.mark.parametrize("address", ["http://shop.example", "shop.example", "ftp://127.0.0.1", "https://"])
async def test_an_address_that_providers_do_not_deliver_to_is_refused(address: str) -> None:
    async with shop() as at:
        result = await run(*at.arguments("--yes", public_url=address))
    assert result.exit_code == 2
    assert "must be a public https:// address" in result.stderr


async def test_an_address_that_differs_from_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_PUBLIC_URL", "https://hooks.example.com")
    async with shop() as at:
        result = await run(*at.arguments("--yes"))
    assert result.exit_code == 2
    assert "https://hooks.example.com" in result.stderr


async def test_the_address_is_kept_before_other_settings(tmp_path: Path) -> None:
    (tmp_path / "tradewind.toml").write_text("batch = 50\n")
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
    assert (tmp_path / "tradewind.toml").read_text() == f'public_url = "{at.gateway}"\nbatch = 50\n'


async def test_a_value_that_is_missing_with_yes_is_named() -> None:
    result = await run("connect", "shopify", "north", "--yes", "--shop", "north.myshopify.com", "--client-id", "a")
    assert result.exit_code == 2
    assert "--client-secret" in result.output + result.stderr


async def test_an_odd_account_name_is_refused() -> None:
    async with shop() as at:
        arguments = at.arguments("--yes")
        arguments[2] = "North Store"
        result = await run(*arguments)
    assert result.exit_code == 2
    assert "lower-case" in result.stderr


async def test_going_live_pausing_and_resuming_are_audited() -> None:
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
    live = await run("go-live", NORTH)
    assert "is live for orders placed from" in live.output
    live_from = stored().live_from
    assert (await run("go-live", NORTH)).exit_code == 0
    assert (await run("pause", NORTH, "--reason", "stock taking")).exit_code == 0
    paused = stored()
    assert (paused.state, paused.paused_reason) == (ConnectionState.PAUSED, "stock taking")
    assert (await run("pause", NORTH)).exit_code == 0
    assert "is live again" in (await run("resume", NORTH)).output
    assert stored().live_from == live_from
    assert audited() == ["connection.live", "connection.paused", "connection.live", "connection.added"]


@pytest.mark.parametrize(
    ("command", "fault"),
    [("pause", "nothing is written to it"), ("resume", "is not paused but read-only")],
)
async def test_a_read_only_connection_is_neither_paused_nor_resumed(command: str, fault: str) -> None:
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
    result = await run(command, NORTH)
    assert result.exit_code == 2
    assert fault in result.stderr


async def test_an_unknown_connection_names_those_there_are() -> None:
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
    for command in ("go-live", "pause", "resume"):
        result = await run(command, "shopify:south")
        assert result.exit_code == 2
        assert "there is: shopify:north" in result.stderr


async def test_a_disconnected_store_is_read_only_when_it_is_connected_again() -> None:
    async with shop() as at:
        assert (await run(*at.arguments("--yes"))).exit_code == 0
        with ledger() as opened, opened.write() as database:
            connections.set_state(database, NORTH, ConnectionState.DISCONNECTED)
        assert (await run("go-live", NORTH)).exit_code == 2
        assert (await run(*at.arguments("--yes"))).exit_code == 0
    assert stored().state is ConnectionState.READ_ONLY
