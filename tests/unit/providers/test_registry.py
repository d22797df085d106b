import pytest

from tests.unit.providers.wire import connection
from tradewind.domain.connections import Role
from tradewind.domain.roles import Carrier, Journal, PaymentProcessor, Storefront
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.providers.registry import PROVIDERS, connect, provider_of

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
