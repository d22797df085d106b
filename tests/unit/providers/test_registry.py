from datetime import UTC, datetime

import pytest

from tests.unit.providers.wire import connection
from tradewind.domain.connections import Role
from tradewind.domain.roles import Carrier, Journal, PaymentProcessor, Storefront
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.providers.registry import PROVIDERS, check_mode, connect, provider_of

LIVE_FROM = datetime(2026, 11, 1, tzinfo=UTC)
ROLES = {
    "shopify": (Role.STOREFRONT, Storefront, {"client_id": "i", "client_secret": "s"}),
    "stripe": (Role.PAYMENT_PROCESSOR, PaymentProcessor, {"secret_key": "sk_test_1"}),
    "shipstation": (Role.CARRIER, Carrier, {"api_key": "k"}),
    "backoffice": (Role.JOURNAL, Journal, {"secret": "s"}),
}


def test_every_provider_is_listed_under_its_name():
    assert set(PROVIDERS) == set(ROLES)
    assert all(name == provider.name for name, provider in PROVIDERS.items())


@pytest.mark.parametrize("name", ROLES)
async def test_a_connection_becomes_a_client_of_its_role(name):
    role, protocol, secrets = ROLES[name]
    settings = {"base_url": "http://127.0.0.1:9", "shop_domain": "north.myshopify.com"}
    made = connection(f"{name}:main", role, settings=settings, secrets=secrets)
    assert provider_of(f"{name}:main").role is role
    assert provider_of(f"{name}:main").budget(made).per_second > 0
    client = connect(made, Governor())
    assert isinstance(client, protocol)
    await client.aclose()


def test_a_provider_that_is_not_listed_names_those_that_are():
    with pytest.raises(ConfigurationError, match="stripe"):
        provider_of("paypal:main")


def stripe(key, live_from=None):
    made = connection("stripe:main", Role.PAYMENT_PROCESSOR, secrets={"secret_key": key})
    return made.model_copy(update={"live_from": live_from})


@pytest.mark.parametrize(
    ("before", "after"), [("sk_live_1", "sk_test_2"), ("rk_live_1", "rk_test_2"), ("sk_test_1", "sk_live_2")]
)
def test_credentials_of_the_other_mode_are_another_account(before, after):
    check_mode(stripe(before), stripe(after))  # it has not been live
    with pytest.raises(ConfigurationError, match=r"stripe:main.*another account"):
        check_mode(stripe(before, LIVE_FROM), stripe(after))


@pytest.mark.parametrize(
    ("before", "after"), [("sk_live_1", "rk_live_2"), ("sk_test_1", "sk_test_2"), ("sk_org_1", "sk_live_2")]
)
def test_credentials_of_the_same_mode_may_be_replaced(before, after):
    check_mode(stripe(before, LIVE_FROM), stripe(after))


def test_a_provider_whose_credentials_tell_no_mode_takes_any():
    made = connection("backoffice:main", Role.JOURNAL, secrets={"secret": "s"})
    check_mode(made.model_copy(update={"live_from": LIVE_FROM}), made)
