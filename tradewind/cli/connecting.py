"""The steps of `tradewind connect`, each with a line that says what was found."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from tradewind.cli.operator import operator
from tradewind.domain.connections import Connection, ConnectionKey
from tradewind.domain.roles import Client, Health
from tradewind.errors import ConfigurationError, RequestRejected, TransientError
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.providers.registry import provider_of
from tradewind.settings import ENV_PREFIX, Settings, config_file, load_settings
from tradewind.sync.backfill import backfill_connection
from tradewind.sync.connect import client_of, store_connection
from tradewind.sync.subscriptions import check_subscriptions, hook_url
from tradewind.transport.public_address import check_public_url, probe_gateway

MOST_SKEW_S = 60.0
DEFAULT_BACKFILL_DAYS = 60

_console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Answers:
    """What the command line did not give is asked for, unless `yes`."""

    yes: bool

    def text(self, given: str | None, prompt: str, option: str, *, hidden: bool = False) -> str:
        if given is not None and given.strip():
            return given.strip()
        if self.yes:
            raise typer.BadParameter("is needed with --yes", param_hint=option)
        return str(typer.prompt(prompt, hide_input=hidden)).strip()

    def number(self, given: int | None, prompt: str, *, default: int) -> int:
        if given is not None or self.yes:
            return given or 0
        return max(0, int(typer.prompt(prompt, default=default, type=int)))


async def connect_store(
    key: str,
    settings: dict[str, str],
    secrets: dict[str, str],
    *,
    public_url: str | None,
    backfill_days: int | None,
    probe: bool,
    ask: Answers,
) -> None:
    """Check the account, then the gateway's address; store the connection, subscribe, and read the past if wanted.

    Raises typer.Exit (1) with advice when the account or its scopes will not do, ConfigurationError for a setting.
    """
    of_tradewind = load_settings()
    account = _connection(key, settings, secrets)
    async with client_of(account) as client:
        await _check_account(account, client)
        of_tradewind = await _public_address(of_tradewind, account, public_url, probe=probe, ask=ask)
        ledger = open_ledger(of_tradewind, migrate=True)
        try:
            stored = store_connection(ledger, account, actor=operator(), now=datetime.now(UTC))
            _say(f"{key} is connected and {stored.state.value.replace('_', '-')}.")
            await _subscribe(ledger, stored, client, of_tradewind)
            await _backfill(ledger, key, client, backfill_days, ask)
        finally:
            ledger.close()
    _next_steps(stored)


def _connection(key: str, settings: dict[str, str], secrets: dict[str, str]) -> Connection:
    try:
        name = ConnectionKey.parse(key)
    except ValidationError:
        advice = "lower-case letters, digits, - and _, starting with a letter or digit"
        raise ConfigurationError("account", "the command line", advice) from None
    return Connection(key=name, role=provider_of(key).role, settings=settings, secrets=secrets)


async def _check_account(account: Connection, client: Client) -> None:
    try:
        with _console.status("Checking the credentials …"):
            health = await client.health()
    except RequestRejected as error:
        _refuse(
            f"The provider refused the credentials ({error.code or error.status}).",
            "Check client id and client secret on the app's Settings page, that the app is installed in this store, "
            "and that app and store belong to the same organisation.",
        )
    except TransientError as error:
        _refuse(
            f"{account.settings['base_url']} cannot be reached ({error}).", "Check the store's domain, then try again."
        )
    _check_health(health)
    _say(f"{health.account_name} answers, every scope is granted.")


def _check_health(health: Health) -> None:
    if health.missing_scopes:
        _refuse(
            f"{health.account_name} answers, but the app lacks scopes: {', '.join(health.missing_scopes)}.",
            "Add them to the app's version in the Dev Dashboard, release it, and approve the update in the store.",
        )
    if abs(health.clock_skew_s) > MOST_SKEW_S:
        _refuse(
            f"This machine's clock is {abs(health.clock_skew_s):.0f} s off the provider's.",
            "Set it right (for example with `timedatectl set-ntp true`): signatures and cursors depend on it.",
        )


async def _public_address(
    settings: Settings, account: Connection, given: str | None, *, probe: bool, ask: Answers
) -> Settings:
    """The settings with the address that providers deliver to: seen to answer, and kept where the others read it."""
    gateway = f"http://{settings.gateway_host}:{settings.gateway_port}"
    source = "--public-url" if given else "settings"
    if settings.public_url and given and given.rstrip("/") != settings.public_url:
        advice = f"the setting public_url says {settings.public_url}; change it there, or leave the option out"
        raise ConfigurationError("public_url", source, advice)
    if not given and not settings.public_url:
        _console.print(
            "Providers deliver webhooks to a public https:// address that leads to the gateway "
            f"({gateway}, started by `tradewind up`). To try it out: `cloudflared tunnel --url {gateway}`."
        )
    chosen = ask.text(given or settings.public_url, "Public address of the gateway", "--public-url")
    chosen = check_public_url(chosen, source=source, provider_url=account.settings["base_url"], gateway=gateway)
    if probe:
        with _console.status(f"Looking for the gateway at {chosen} …"):
            await probe_gateway(chosen, source=source, gateway=gateway)
        _say(f"The gateway answers at {chosen}.")
    if settings.public_url is None:
        _keep_public_url(chosen)
    return settings.model_copy(update={"public_url": chosen})


def _keep_public_url(public_url: str) -> None:
    path = config_file()
    before = path.read_text() if path.exists() else ""
    # At the top: what follows the first table of a TOML file belongs to a table.
    after = f'public_url = "{public_url}"\n{before}'
    tomllib.loads(after)
    path.write_text(after)
    _say(f"public_url is kept in {path} ({ENV_PREFIX}PUBLIC_URL would go before it).")


async def _subscribe(ledger: Ledger, connection: Connection, client: Client, settings: Settings) -> None:
    with _console.status("Subscribing to webhooks …"):
        created = await check_subscriptions(ledger, connection, client, settings)
    _say(f"Webhooks go to {hook_url(settings, connection)} ({created} subscriptions created).")


async def _backfill(ledger: Ledger, key: str, client: Client, days: int | None, ask: Answers) -> None:
    prompt = "Days of past orders to read now (they are recorded, never commanded; 0 for none)"
    days = ask.number(days, prompt, default=DEFAULT_BACKFILL_DAYS)
    if not days:
        return
    until = datetime.now(UTC)
    with _console.status(f"Reading the orders of {days} days …"):
        done = await backfill_connection(ledger, key, client, until - timedelta(days=days), until)
    _say(f"{done.listed} orders read, {done.new} of them new; `tradewind up` records them.")


def _next_steps(connection: Connection) -> None:
    key = str(connection.key)
    if connection.live_from is None:
        _console.print(f"Nothing is written to the store until you say so: `tradewind go-live {key}`.")


def _say(text: str) -> None:
    _console.print(f"[green]✓[/green] {escape(text)}")


def _refuse(fault: str, advice: str) -> NoReturn:
    _console.print(f"[red]✗[/red] {escape(fault)}\n  {escape(advice)}")
    raise typer.Exit(1)
