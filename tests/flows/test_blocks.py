"""Blocks: what people fill in in Prefect, and how it reaches the ledger's connections."""

from __future__ import annotations

import ast
import inspect
import json
from datetime import UTC, datetime

import httpx
import pytest
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from pydantic import SecretStr, ValidationError

from blocks import ACCOUNT_BLOCKS, AlertChannel, ConnectedAccount, LedgerDatabase, ShipStationAccount, StripeAccount
from blocks.takeover import take_over_newer
from tests.sandboxes import running_receiver, running_sandbox
from tradewind.demo.sandbox import connections_of
from tradewind.domain.connections import Connection, ConnectionState
from tradewind.errors import ConfigurationError
from tradewind.ledger import audit, connections
from tradewind.ledger.engine import Ledger
from tradewind.providers.registry import PROVIDERS
from tradewind.settings import load_settings

ALL_BLOCKS: dict[str, type[Block]] = {
    kind.__name__: kind for kind in (*ACCOUNT_BLOCKS.values(), AlertChannel, LedgerDatabase)
}
LIVE_FROM = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def accounts() -> dict[str, Connection]:
    """Connections as they really are, one of each provider: those of the sandbox."""
    with running_sandbox() as sandbox:
        return {one.key.provider: one for one in connections_of(sandbox.describe(), LIVE_FROM)}


def stripe(revision: int = 1, secret: str = "sk_test_1") -> StripeAccount:
    return StripeAccount(account="main", revision=revision, base_url="http://127.0.0.1:9", secret_key=SecretStr(secret))


def known(ledger: Ledger, key: str = "stripe:main") -> Connection:
    with ledger.read() as database:
        return connections.get(database, ledger.keys, key)


@pytest.mark.parametrize("name", ALL_BLOCKS)
def test_a_block_shows_people_what_it_is(name: str) -> None:
    kind = ALL_BLOCKS[name]
    assert kind.get_description()
    assert str(kind._logo_url).startswith("https://")
    assert (kind._block_type_slug or "").startswith("tradewind-")
    example = (kind.get_code_example() or "").removeprefix("```python\n").removesuffix("```")
    compile(example, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert f"{name}." in example
    for field, about in kind.model_fields.items():
        assert about.description or field in Block.model_fields, f"{name}.{field} has no description"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_connection_needs_survives_the_way_through_its_block(
    provider: str, accounts: dict[str, Connection]
) -> None:
    connection = accounts[provider]
    told = ACCOUNT_BLOCKS[provider].of(connection).connection()
    assert told.key == connection.key
    assert told.role is connection.role
    assert told.revision == connection.revision
    assert told.secrets == connection.secrets
    assert (
        connection.settings.items() >= {k: told.settings[k] for k in connection.settings.keys() & told.settings}.items()
    )
    assert told.state is ConnectionState.READ_ONLY
    assert ACCOUNT_BLOCKS[provider].of(told).connection() == told


@pytest.mark.parametrize("provider", PROVIDERS)
def test_secrets_are_masked_wherever_a_block_is_shown(provider: str, accounts: dict[str, Connection]) -> None:
    connection = accounts[provider]
    block = ACCOUNT_BLOCKS[provider].of(connection)
    shown = f"{block!r} {block} {block.model_dump()} {block.model_dump_json()}"
    for name, secret in connection.secrets.items():
        assert secret not in shown, name
    assert "secrets" not in repr(block.connection())


@pytest.mark.parametrize("account", ["North", "a b", "", "a:b"])
def test_an_account_name_that_makes_no_connection_is_refused(account: str) -> None:
    with pytest.raises(ValidationError):
        StripeAccount(account=account, secret_key=SecretStr("sk_test_1"))


def test_a_block_is_taken_over_only_when_it_is_newer(ledger: Ledger) -> None:
    assert stripe().copy_to(ledger)
    assert known(ledger).state is ConnectionState.READ_ONLY
    assert not stripe(secret="sk_test_changed").copy_to(ledger)
    assert known(ledger).secrets["secret_key"] == "sk_test_1"
    assert stripe(2, "sk_test_2").copy_to(ledger)
    assert not stripe(1).copy_to(ledger)
    assert known(ledger).secrets["secret_key"] == "sk_test_2"
    with ledger.read() as database:
        assert {entry.actor for entry in audit.entries(database)} == {"block"}


def test_test_credentials_do_not_replace_live_ones_of_a_connection_that_has_been_live(ledger: Ledger) -> None:
    assert stripe(secret="sk_live_1").copy_to(ledger)
    assert stripe(2, "sk_test_2").copy_to(ledger)  # nothing was written yet
    assert stripe(3, "rk_live_3").copy_to(ledger)
    with ledger.write() as database:
        connections.set_state(database, "stripe:main", ConnectionState.LIVE, live_from=LIVE_FROM)
    with pytest.raises(ConfigurationError, match="another account"):
        stripe(4, "sk_test_4").copy_to(ledger)
    assert known(ledger).secrets["secret_key"] == "rk_live_3"
    assert stripe(4, "sk_live_4").copy_to(ledger)


def test_what_was_obtained_at_run_time_survives_a_newer_block(ledger: Ledger) -> None:
    stripe().copy_to(ledger)
    with ledger.write() as database:
        connections.update_secrets(database, ledger.keys, "stripe:main", {"webhook_secret": "whsec_1"})
        connections.update_settings(database, ledger.keys, "stripe:main", {"jwks": "{}"})
        connections.set_state(database, "stripe:main", ConnectionState.LIVE, live_from=LIVE_FROM)
    assert stripe(2, "sk_test_2").copy_to(ledger)
    after = known(ledger)
    assert after.secrets == {"secret_key": "sk_test_2", "webhook_secret": "whsec_1"}
    assert after.settings["jwks"] == "{}"
    assert (after.state, after.live_from, after.revision) == (ConnectionState.LIVE, LIVE_FROM, 2)


def test_the_ledger_block_opens_the_ledger_it_names(ledger: Ledger) -> None:
    settings = load_settings()
    block = LedgerDatabase(database_url=SecretStr(settings.database_url), keys_url=SecretStr(settings.keys_url))
    assert settings.database_url not in repr(block)
    opened = block.open()
    stripe().copy_to(opened)
    opened.close()
    assert known(ledger).secrets["secret_key"] == "sk_test_1"


async def test_an_alert_is_delivered_as_json() -> None:
    with running_receiver() as receiver:
        await AlertChannel(url=SecretStr(receiver.url)).send('odd "subject"', {"day": "2026-11-24"})
        (delivery,) = receiver.deliveries
        assert json.loads(delivery.body) == {"subject": 'odd "subject"', "day": "2026-11-24"}
        receiver.answers.append(500)
        with pytest.raises(httpx.HTTPStatusError):
            await AlertChannel(url=SecretStr(receiver.url)).send("again", {})


@pytest.mark.xdist_group("prefect")
@pytest.mark.usefixtures("server")
async def test_newer_blocks_are_taken_over_and_a_faulty_one_holds_up_none(ledger: Ledger) -> None:
    await stripe(7, "sk_test_7").save("of-any-name", overwrite=True)
    parcels = ShipStationAccount(
        account="main", api_key=SecretStr("key"), carrier_id="se-1", service_code="usps", warehouse_id="se-2"
    )
    faulty = await parcels.save("faulty", overwrite=True)
    await parcels.save("main", overwrite=True)
    await spoil(str(faulty), "North Store")
    done = await take_over_newer(ledger)
    assert done.taken == ["stripe:main", "shipstation:main"]
    assert list(done.refused) == ["faulty"]
    assert "'faulty'" in done.refused["faulty"]
    assert "North Store" not in done.refused["faulty"]
    assert known(ledger).secrets["secret_key"] == "sk_test_7"
    assert (await take_over_newer(ledger)).taken == []
    async with get_client() as client:
        shown = await client.read_block_document_by_name("of-any-name", "tradewind-stripe-account", False)
    assert "sk_test_7" not in str(shown)


async def spoil(document_id: str, account: str) -> None:
    """As somebody may who fills in the form."""
    async with get_client() as client:
        answer = await client._client.patch(f"/block_documents/{document_id}", json={"data": {"account": account}})
        answer.raise_for_status()


def test_every_provider_has_a_block_and_every_block_a_provider() -> None:
    assert set(ACCOUNT_BLOCKS) == set(PROVIDERS)
    for provider, kind in ACCOUNT_BLOCKS.items():
        assert issubclass(kind, ConnectedAccount)
        assert kind.provider == provider
        assert inspect.getdoc(kind)
