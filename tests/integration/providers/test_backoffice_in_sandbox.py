from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.providers.served import receiver, sandbox
from tests.unit.providers.wire import connection, pages
from tradewind.domain.connections import Role
from tradewind.errors import RequestRejected
from tradewind.governor import Governor
from tradewind.providers.backoffice import authenticate, events, identify
from tradewind.providers.backoffice.client import BackOfficeClient

NAME = "backoffice:main"
DOCUMENT = {
    "document": "C576340",
    "kind": "credit",
    "reason": "no sale of this file matches",
    "occurred_at": "2011-11-14T09:30:00+00:00",
    "currency": "GBP",
    "total": "-12.50",
    "lines": [{"sku": "22423", "description": "REGENCY CAKESTAND", "quantity": -1, "unit_price": "12.50"}],
}


@pytest.fixture
async def office():
    async with sandbox() as made:
        yield made.backoffice["main"]


def connected(office, **secrets):
    described = office.describe()
    settings = {"base_url": described["base_url"]}
    made = connection(NAME, Role.JOURNAL, settings=settings, secrets={"secret": described["secret"], **secrets})
    return BackOfficeClient(made, Governor())


@pytest.fixture
async def client(office):
    made = connected(office)
    yield made
    await made.aclose()


async def test_a_document_arrives_signed_and_is_listed_alike(office, client):
    async with receiver() as hooks:
        await client.subscribe(hooks.url)
        office.post_document(DOCUMENT)
        (hook,) = await hooks.wait_for(1)
    authenticate(hook, {"secret": office.secret}, datetime.now(UTC))
    (sent,) = events(identify(hook).topic, hook.body, connection=NAME, received_at=datetime.now(UTC))
    now = datetime.now(UTC)
    assert await pages(client.documents(now - timedelta(days=1), now)) == [[sent]]  # by when it was booked


async def test_another_secret_is_refused(office, client):
    assert (await client.health()).account_name == NAME
    other = connected(office, secret="other")
    with pytest.raises(RequestRejected):
        await other.health()
    await other.aclose()
