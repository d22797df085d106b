"""Subscriptions: what is missing is created, and what the provider reveals is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.domain.orders import AT, PROCESSOR, STORE, after
from tests.unit.sync.desk import connect_all, connection
from tradewind.domain.connections import Connection
from tradewind.domain.roles import PublishesKeys, Subscription
from tradewind.errors import ProviderUnavailable
from tradewind.ledger import connections, cursors, inbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings
from tradewind.sync.subscriptions import check_subscriptions, hook_url
from tradewind.sync.sweep import CURSOR


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, public_url="https://hooks.example.com/")


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = open_ledger(settings, migrate=True)
    connect_all(opened)
    yield opened
    opened.close()


class Provider:
    """Creates what it is told to, once."""

    def __init__(self, *created: Subscription) -> None:
        self.created = list(created)
        self.urls: list[str] = []

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        self.urls.append(url)
        created, self.created = self.created, []
        return created


class Publisher(Provider):
    async def signing_keys(self) -> str:
        return '{"keys": []}'


def subscription(secret: str | None = None) -> Subscription:
    return Subscription(external_id="1", topic="orders/create", url="https://hooks.example.com", secret=secret)


def known(ledger: Ledger, key: str = PROCESSOR) -> Connection:
    with ledger.read() as database:
        return connections.get(database, ledger.keys, key)


def test_deliveries_come_to_the_public_address(settings: Settings) -> None:
    assert hook_url(settings, connection(STORE)) == "https://hooks.example.com/hooks/shopify/north"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_without_one_a_provider_on_this_machine_delivers_to_the_gateway_itself(tmp_path: Path, host: str) -> None:
    settings = Settings(state_dir=tmp_path, gateway_port=8701)
    local = connection(PROCESSOR, settings={"base_url": f"http://{host}:4000/stripe/main"})
    assert hook_url(settings, local) == "http://127.0.0.1:8701/hooks/stripe/main"


@pytest.mark.parametrize("address", [{}, {"base_url": "https://api.stripe.com"}])
async def test_one_that_could_not_reach_us_is_asked_for_nothing(
    ledger: Ledger, tmp_path: Path, address: dict[str, str]
) -> None:
    provider = Publisher(subscription("whsec_1"))
    away = connection(PROCESSOR, settings=address)
    created = await check_subscriptions(ledger, away, provider, Settings(state_dir=tmp_path))  # type: ignore[arg-type]
    assert (created, provider.urls, known(ledger).secrets) == (0, [], {})


async def test_what_is_missing_is_created_once(ledger: Ledger, settings: Settings) -> None:
    provider = Provider(subscription(), subscription())
    assert await check_subscriptions(ledger, known(ledger), provider, settings) == 2  # type: ignore[arg-type]
    assert await check_subscriptions(ledger, known(ledger), provider, settings) == 0  # type: ignore[arg-type]
    assert set(provider.urls) == {"https://hooks.example.com/hooks/stripe/main"}


async def test_a_revealed_secret_is_kept_beside_the_one_before(ledger: Ledger, settings: Settings) -> None:
    for secret in ("whsec_1", "whsec_2"):
        provider = Provider(subscription(), subscription(secret))
        await check_subscriptions(ledger, known(ledger), provider, settings)  # type: ignore[arg-type]
    secrets = known(ledger).secrets
    assert (secrets["webhook_secret"], secrets["webhook_secret_previous"]) == ("whsec_2", "whsec_1")
    until = datetime.fromisoformat(secrets["webhook_secret_previous_until"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)


async def test_published_keys_reach_the_gateway_through_the_ledger(ledger: Ledger, settings: Settings) -> None:
    assert isinstance(Publisher(), PublishesKeys)
    await check_subscriptions(ledger, known(ledger), Publisher(), settings)  # type: ignore[arg-type]
    assert known(ledger).settings["jwks"] == '{"keys": []}'


async def test_a_providers_error_changes_nothing(ledger: Ledger, settings: Settings) -> None:
    class Away(Publisher):
        async def subscribe(self, url: str) -> Sequence[Subscription]:
            raise ProviderUnavailable("away")

    with pytest.raises(ProviderUnavailable):
        await check_subscriptions(ledger, known(ledger), Away(), settings)  # type: ignore[arg-type]
    assert known(ledger).secrets == {}
    assert "jwks" not in known(ledger).settings


def gap(ledger: Ledger, key: str = PROCESSOR) -> datetime | None:
    """From when the next sweep reads."""
    with ledger.read() as database:
        cursor = cursors.get(database, f"{key}/{CURSOR}")
    return cursor.updated_at if cursor else None


def swept_until(ledger: Ledger, at: datetime) -> None:
    with ledger.write() as database:
        cursors.set(database, f"{PROCESSOR}/{CURSOR}", cursors.Cursor(at))


def heard(ledger: Ledger, at: datetime) -> None:
    told = inbox.Delivery(
        connection=PROCESSOR, source="webhook", delivery_key="evt_1", topic="charge.refunded", body=b"{}", format="raw",
        headers={}, occurred_at=at, received_at=at,
    )  # fmt: skip
    with ledger.write() as database:
        inbox.store(database, ledger.keys, [told])


async def check(ledger: Ledger, settings: Settings, provider: Provider, at: datetime) -> None:
    await check_subscriptions(ledger, known(ledger), provider, settings, now=at)  # type: ignore[arg-type]


async def test_when_subscriptions_are_gone_the_sweep_reads_again_from_when_they_were_last_seen(
    ledger: Ledger, settings: Settings
) -> None:
    await check(ledger, settings, Provider(), AT)
    swept_until(ledger, after(600))
    await check(ledger, settings, Provider(subscription()), after(700))
    assert gap(ledger) == AT


async def test_a_webhook_before_that_is_the_last_thing_that_is_certain(ledger: Ledger, settings: Settings) -> None:
    heard(ledger, after(-60))
    await check(ledger, settings, Provider(), AT)
    swept_until(ledger, after(600))
    await check(ledger, settings, Provider(subscription()), after(700))
    assert gap(ledger) == after(-60)


async def test_while_they_are_there_nothing_is_read_again(ledger: Ledger, settings: Settings) -> None:
    await check(ledger, settings, Provider(), AT)
    swept_until(ledger, after(600))
    await check(ledger, settings, Provider(), after(700))
    assert gap(ledger) == after(600)


async def test_a_first_subscription_leaves_no_gap(ledger: Ledger, settings: Settings) -> None:
    swept_until(ledger, after(600))
    await check(ledger, settings, Provider(subscription()), after(700))
    assert gap(ledger) == after(600)


async def test_a_sweep_that_has_not_come_so_far_is_left_where_it_is(ledger: Ledger, settings: Settings) -> None:
    await check(ledger, settings, Provider(), AT)
    swept_until(ledger, after(-600))
    await check(ledger, settings, Provider(subscription()), after(700))
    assert gap(ledger) == after(-600)
