"""`tradewind doctor` before anything is set up, when all is well, and with one fault at a time."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from tests.integration.ledger.examples import capture, delivery
from tests.integration.providers.served import listening, sandbox, serving
from tradewind.cli import main
from tradewind.cli.checks import remote
from tradewind.demo.sandbox import connections_of
from tradewind.domain.connections import Connection, ConnectionState
from tradewind.domain.roles import Health
from tradewind.gateway.app import create_app
from tradewind.gateway.store import LedgerStore, StoreUnavailable
from tradewind.ledger import connections, inbox, outbox, tables
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings
from tradewind.sync.connect import client_of
from tradewind.sync.subscriptions import check_subscriptions

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEWIND_STATE_DIR", str(tmp_path / "state"))
    for name, port in (("TRADEWIND_GATEWAY_PORT", _unused_port()), ("TRADEWIND_PREFECT_PORT", _unused_port())):
        monkeypatch.setenv(name, str(port))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    made = open_ledger(load_settings(), migrate=True)
    yield made
    made.close()


@dataclass(frozen=True)
class Verdict:
    exit_code: int
    text: str

    def has(self, *parts: str) -> bool:
        """Whether one line, and the advice below it, say all of it."""
        lines = self.text.splitlines()
        pairs = [f"{line} {below}" for line, below in zip(lines, [*lines[1:], ""], strict=True)]
        return any(all(part in pair for part in parts) for pair in pairs)


def doctor() -> Verdict:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Verdict(result.exit_code, result.output)


def test_nothing_is_set_up_and_nothing_is_made(tmp_path: Path) -> None:
    verdict = doctor()
    assert verdict.exit_code == 1
    assert verdict.has("✗ ledger", "does not exist", "tradewind up")
    assert verdict.has("✗ key store", "does not exist")
    assert verdict.has("✗ gateway", "does not answer", "tradewind gateway")
    assert verdict.has("✗ prefect", "does not answer", "PREFECT_API_URL")
    assert not (tmp_path / "state").exists()


def test_a_wrong_setting_is_named_with_its_source_and_what_would_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_BATCH", "many")
    verdict = doctor()
    assert verdict.exit_code == 1
    assert verdict.has("✗ settings", "batch (from TRADEWIND_BATCH)", "integer")


def test_a_ledger_without_connections(ledger: Ledger) -> None:
    verdict = doctor()
    assert verdict.has("✓ ledger", "migrated")
    assert verdict.has("✓ ledger's writes", "taken")
    assert verdict.has("✗ connections", "none", "tradewind connect")


def test_a_lost_master_key_is_named_and_not_replaced(ledger: Ledger, tmp_path: Path) -> None:
    key = tmp_path / "state" / "master.key"
    key.unlink()
    assert doctor().has("✗ master key", "does not exist", "restore it")
    assert not key.exists()


def test_a_master_key_that_others_can_read(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "state" / "master.key").chmod(0o644)
    assert doctor().has("✗ master key", "can be read by others", "chmod 600")


def test_another_master_key(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery()])
    monkeypatch.setenv("TRADEWIND_MASTER_KEY", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    verdict = doctor()
    assert verdict.has("✗ ledger", "master_key")
    assert "Traceback" not in verdict.text


def test_a_ledger_of_a_newer_tradewind(ledger: Ledger) -> None:
    with ledger.write() as conn:
        conn.exec_driver_sql("UPDATE ledger_version SET version_num = '9999'")
    assert doctor().has("✗ ledger", "9999", "upgrade this tradewind")


def test_a_database_that_is_away(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    verdict = doctor()
    assert verdict.has("✗ ledger", "127.0.0.1:1", "TRADEWIND_DATABASE_URL")
    assert "secret@" not in verdict.text


def test_what_waits_too_long_and_what_is_dead(ledger: Ledger) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery("1"), delivery("2", received_at=NOW - timedelta(hours=1))])
        (first,) = inbox.claim(conn, ledger.keys, worker="test", limit=1, lease_s=30)
        inbox.finish(conn, [inbox.Outcome(first.id, first.epoch, "dead", "SchemaMismatch: no id", place="decode")])
        outbox.add(conn, [capture()], NOW)
        (due,) = outbox.claim_due(conn, capture().connection, worker="test", limit=1, lease_s=30, writes=True)
        outbox.fail(conn, due, reason="RequestRejected: card expired", next_generation=False)
    verdict = doctor()
    assert verdict.has("✗ inbox", "1 deliveries wait", "order-sync")
    assert verdict.has("✗ dead letters", "1 of SchemaMismatch.shopify.decode", "tradewind dead-letters replay")
    assert verdict.has("✗ dead letters", "1 of RequestRejected.stripe.capture_payment", "card expired")


def test_an_audit_trail_that_was_changed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger.write() as conn:
        connections.put(conn, ledger.keys, Connection.model_validate({"key": {"provider": "stripe", "account": "a"},
                                                                      "role": "payment_processor"}))  # fmt: skip
        conn.execute(tables.audit.update().values(actor="somebody else"))
    assert doctor().has("✗ audit trail", "broken at entry 1")


@dataclass
class Shop:
    """The sandbox's accounts connected and live, the gateway and a Prefect server in place."""

    ledger: Ledger
    accounts: list[Connection]

    async def doctor(self) -> Verdict:
        return await asyncio.to_thread(doctor)


async def _healthy(_: Request) -> Response:
    return JSONResponse(True)


@asynccontextmanager
async def _everything(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    store = LedgerStore(lambda: open_ledger(load_settings()))
    prefect = Starlette(routes=[Route("/api/health", _healthy)])
    monkeypatch.setattr(remote, "_differences", lambda _: [])
    with listening() as (gateway_at, gateway_url), listening() as (prefect_at, prefect_url):
        monkeypatch.setenv("TRADEWIND_GATEWAY_PORT", gateway_url.rpartition(":")[2])
        monkeypatch.setenv("PREFECT_API_URL", f"{prefect_url}/api")
        async with serving(create_app(store), gateway_at), serving(prefect, prefect_at), sandbox() as world:
            accounts = connections_of(world.describe(), NOW)
            with ledger.write() as conn:
                for account in accounts:
                    connections.put(conn, ledger.keys, account)
            for account in accounts:
                async with client_of(account) as client:
                    await check_subscriptions(ledger, account, client, load_settings())
            yield Shop(ledger, accounts)
    store.close()


async def test_all_is_well(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _everything(ledger, monkeypatch) as shop:
        verdict = await shop.doctor()
    assert verdict.exit_code == 0, verdict.text
    assert "✗" not in verdict.text
    assert verdict.has("✓ gateway", "is ready")
    assert verdict.has("✓ prefect's content", "as the project says")
    for account in shop.accounts:
        assert verdict.has(f"✓ {account.key}", "live")
        assert verdict.has(f"✓ {account.key}", "answers; its clock is")
        assert not any(secret in verdict.text for secret in account.secrets.values())


async def test_one_fault_at_a_time_at_the_providers(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _everything(ledger, monkeypatch) as shop:
        for key, damage, expected in _FAULTS:
            before = _connection(ledger, key)
            damage(ledger, before)
            verdict = await shop.doctor()
            assert verdict.exit_code == 1, expected
            assert verdict.has(f"✗ {key}", *expected), f"{expected} is not in:\n{verdict.text}"
            with ledger.write() as conn:
                connections.put(conn, ledger.keys, before.model_copy(update={"revision": before.revision + 9}))
                connections.set_state(conn, key, ConnectionState.LIVE)


def _connection(ledger: Ledger, key: str) -> Connection:
    with ledger.read() as conn:
        return connections.get(conn, ledger.keys, key)


def _pause(ledger: Ledger, known: Connection) -> None:
    with ledger.write() as conn:
        connections.set_state(conn, known.key, ConnectionState.PAUSED, reason="app uninstalled")


def _with(part: str, **changes: str) -> Callable[[Ledger, Connection], None]:
    def damage(ledger: Ledger, known: Connection) -> None:
        change: Any = connections.update_secrets if part == "secrets" else connections.update_settings
        with ledger.write() as conn:
            change(conn, ledger.keys, known.key, changes)

    return damage


def _without_keys(ledger: Ledger, known: Connection) -> None:
    kept = {name: value for name, value in known.settings.items() if name != "jwks"}
    with ledger.write() as conn:
        changed = known.model_copy(update={"settings": kept, "revision": known.revision + 1})
        connections.put(conn, ledger.keys, changed)


_FAULTS: list[tuple[str, Callable[[Ledger, Connection], None], tuple[str, ...]]] = [
    ("shopify:north", _pause, ("paused: app uninstalled", "tradewind resume shopify:north")),
    ("stripe:main", _with("secrets", secret_key="sk_test_wrong"), ("refused", "tradewind connect")),
    ("stripe:main", _with("settings", base_url="http://127.0.0.1:1"), ("see that this machine reaches",)),
    ("shipstation:main", _without_keys, ("signing keys have not been fetched", "503")),
]


async def test_subscriptions_that_lead_elsewhere(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _everything(ledger, monkeypatch) as shop:
        monkeypatch.setenv("TRADEWIND_PUBLIC_URL", "http://127.0.0.1:1")
        verdict = await shop.doctor()
    assert verdict.has("✗ public address", "public_url", "does not answer")
    for account in shop.accounts:
        subscribed = account.key.provider != "backoffice"
        assert verdict.has(f"✗ {account.key}", "no webhook subscription to http://127.0.0.1:1/hooks/") is subscribed


async def test_a_gateway_that_is_not_ready_and_prefect_that_differs(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LedgerStore, "probe", _fails)
    async with _everything(ledger, monkeypatch) as shop:
        monkeypatch.setattr(remote, "_differences", lambda _: ["deployment order-sync", "limit on stripe"])
        with ledger.write() as conn:
            conn.execute(tables.connection.delete())
        verdict = await shop.doctor()
    assert verdict.has("✗ gateway", "not ready", "503")
    assert verdict.has("✗ prefect's content", "2 things differ: deployment order-sync", "tradewind deploy")


def _fails(_: object) -> None:
    raise StoreUnavailable("the disk is full")


async def test_remote_providers_need_a_public_address(ledger: Ledger) -> None:
    account = Connection.model_validate(
        {
            "key": {"provider": "stripe", "account": "main"},
            "role": "payment_processor",
            "settings": {"base_url": "https://api.invalid"},
        }
    )
    checks = await remote.gateway_checks(load_settings(), [account])
    (address,) = [check for check in checks if check.subject == "public address"]
    assert address.wrong
    assert "stripe:main cannot deliver" in address.found


@pytest.mark.parametrize(("skew_s", "wrong"), [(59.0, False), (-61.0, True), (3600.0, True)])
def test_a_clock_that_is_off_is_a_fault(skew_s: float, wrong: bool) -> None:
    checks = list(remote._health("stripe:main", Health(account_name="Main", clock_skew_s=skew_s)))
    assert [check.wrong for check in checks] == [wrong]
    assert ("timedatectl" in (checks[0].advice or "")) is wrong


def test_missing_scopes_are_named() -> None:
    checks = list(remote._health("shopify:north", Health(account_name="North", missing_scopes=("read_orders",))))
    assert [(check.wrong, "read_orders" in check.found) for check in checks] == [(False, False), (True, True)]
