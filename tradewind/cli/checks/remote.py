"""Findings beyond this process: the gateway, Prefect's server, and every connected provider."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence

import httpx

from tradewind.cli.checks.check import Check, of_error
from tradewind.domain.connections import Connection, ConnectionState, Role
from tradewind.domain.roles import Client, Health, PublishesKeys
from tradewind.errors import ConfigurationError, RequestRejected, TradewindError, TransientError
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings
from tradewind.stack.environment import prefect_api_url
from tradewind.stack.prefect_api import PrefectApi
from tradewind.sync.connect import client_of
from tradewind.sync.subscriptions import hook_url
from tradewind.transport.public_address import probe_gateway

PROVIDER_TIMEOUT_S = 20.0
MOST_SKEW_S = 60.0
CLOCK_ADVICE = "set this machine's clock (`timedatectl set-ntp true`): signatures and cursors depend on it"


async def gateway_checks(settings: Settings, connected: Sequence[Connection]) -> list[Check]:
    """Whether it is ready here, and answers at its public address."""
    here = f"http://{settings.gateway_host}:{settings.gateway_port}"
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.get(f"{here}/readyz")
            report = answer.json()
    except (httpx.HTTPError, ValueError):
        checks = [Check("gateway", f"{here} does not answer", "start `tradewind up`, or `tradewind gateway`")]
    else:
        checks = [_ready(here, answer.is_success, report.get("fault"))]
    return [*checks, *await _public_address(settings, here, connected)]


def _ready(here: str, ready: bool, fault: str | None) -> Check:
    if ready:
        return Check("gateway", f"{here} is ready")
    return Check("gateway", f"{here} is not ready: {fault}", "it answers 503 to every provider until this is mended")


async def _public_address(settings: Settings, here: str, connected: Sequence[Connection]) -> list[Check]:
    remote = [str(each.key) for each in connected if each.settings.get("base_url", "").startswith("https://")]
    if settings.public_url is None:
        if not remote:
            return []
        advice = "set TRADEWIND_PUBLIC_URL to the https:// address that leads to the gateway"
        return [Check("public address", f"none, so {', '.join(remote)} cannot deliver", advice)]
    try:
        await probe_gateway(settings.public_url, source="settings", gateway=here)
    except ConfigurationError as error:
        return [of_error("public address", error, "")]
    return [Check("public address", f"{settings.public_url} leads to the gateway")]


def prefect_checks(settings: Settings, ledger: Ledger | None) -> Iterator[Check]:
    """Whether the server answers, and has what the project wants it to have."""
    url = os.environ.get("PREFECT_API_URL") or prefect_api_url(settings)
    with PrefectApi(url) as api:
        if not api.healthy():
            advice = (
                "start `tradewind up`, or set PREFECT_API_URL; meanwhile the gateway receives, and nothing is applied"
            )
            yield Check("prefect", f"{url} does not answer", advice)
            return
    yield Check("prefect", f"{url} answers")
    if ledger is not None:
        os.environ.setdefault("PREFECT_API_URL", url)
        yield _content(_differences(ledger))


def _content(differing: Sequence[str]) -> Check:
    if not differing:
        return Check("prefect's content", "as the project says")
    found = f"{differing[0]} differs" if len(differing) == 1 else f"{len(differing)} things differ: {differing[0]}, …"
    return Check("prefect's content", found, "`tradewind deploy` makes it so; `tradewind deploy --check` lists what")


def _differences(ledger: Ledger) -> list[str]:
    from deployments import apply

    try:
        return asyncio.run(apply.differences(ledger))
    except Exception as error:  # whatever goes wrong at Prefect is a finding
        return [f"cannot be compared ({type(error).__name__}: {error})"]


async def provider_checks(settings: Settings, connected: Sequence[Connection]) -> list[Check]:
    """Every connection's findings, asked at the same time."""
    if not connected:
        return [Check("connections", "none", "`tradewind connect shopify`, or try everything with `tradewind demo`")]
    found = await asyncio.gather(*(_connection_checks(settings, each) for each in connected))
    return [check for checks in found for check in checks]


async def _connection_checks(settings: Settings, connection: Connection) -> list[Check]:
    key = str(connection.key)
    checks = [_state(connection)]
    try:
        async with asyncio.timeout(PROVIDER_TIMEOUT_S), client_of(connection) as client:
            checks += _health(key, await client.health())
            checks += await _deliveries(settings, connection, client)
    except TimeoutError:
        checks.append(Check(key, f"no answer within {PROVIDER_TIMEOUT_S:.0f} s", _unreachable(connection)))
    except TransientError as error:
        checks.append(Check(key, str(error), _unreachable(connection)))
    except RequestRejected as error:
        advice = (
            "credentials or rights are not good (any more): see them at the provider, then `tradewind connect` again"
        )
        checks.append(Check(key, f"refused ({error.code or error.status}): {error}", advice))
    except TradewindError as error:
        checks.append(of_error(key, error, "the provider's API may have changed: see docs/design.md, and upgrade"))
    return checks


def _unreachable(connection: Connection) -> str:
    where = connection.settings.get("base_url", "the provider")
    return f"see that this machine reaches {where}, and the provider's status page; what is to be sent waits"


def _state(connection: Connection) -> Check:
    key = str(connection.key)
    if connection.state is ConnectionState.PAUSED:
        reason = connection.paused_reason or "by hand"
        return Check(key, f"paused: {reason}", f"`tradewind resume {key}` sends what waits")
    if connection.state is ConnectionState.READ_ONLY:
        return Check(key, f"read-only: nothing is written until `tradewind go-live {key}`")
    return Check(key, "live")


def _health(key: str, health: Health) -> Iterator[Check]:
    skew_s = health.clock_skew_s
    yield Check(key, f"{health.account_name} answers; its clock is {skew_s:+.0f} s from ours", _skewed(skew_s))
    if health.missing_scopes:
        advice = "grant them to the app at the provider, then approve the update in the store"
        yield Check(key, f"lacks scopes: {', '.join(health.missing_scopes)}", advice)


def _skewed(skew_s: float) -> str | None:
    return CLOCK_ADVICE if abs(skew_s) > MOST_SKEW_S else None


async def _deliveries(settings: Settings, connection: Connection, client: Client) -> list[Check]:
    """Whether webhooks are subscribed to and can be verified. A journal does not list its one subscription."""
    key = str(connection.key)
    checks = []
    if isinstance(client, PublishesKeys) and "jwks" not in connection.settings:
        advice = "the order sync fetches them each window: see that it runs; until then deliveries are answered 503"
        checks.append(Check(key, "its signing keys have not been fetched", advice))
    if connection.role is not Role.JOURNAL:
        wanted = hook_url(settings, connection)
        if not any(each.url == wanted for each in await client.subscriptions()):
            advice = "the order sync subscribes each window: see that it runs, and that public_url is right"
            checks.append(Check(key, f"no webhook subscription to {wanted}", advice))
    return checks
