from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.providers.served import receiver, sandbox
from tests.unit.providers.labels import COMMAND, DETAILS, NAME
from tests.unit.providers.wire import connection, pages
from tradewind.domain.commands import VoidLabel
from tradewind.domain.connections import Role
from tradewind.domain.events import Resource, TrackingScanned
from tradewind.domain.order import LabelState
from tradewind.errors import RequestRejected, SignatureInvalid
from tradewind.governor import Governor
from tradewind.providers.hooks import HookRequest, KeyUnknown
from tradewind.providers.shipstation import authenticate, events, identify
from tradewind.providers.shipstation.client import ShipStationClient


@pytest.fixture
async def world():
    async with sandbox() as made:
        yield made


@pytest.fixture
async def account(world):
    return world.shipstation["main"]


def connected(account, **changes):
    settings = {**account.describe(), "calls_per_minute": "6000", **changes}
    secrets = {"api_key": settings.pop("api_key")}
    return ShipStationClient(connection(NAME, Role.CARRIER, settings=settings, secrets=secrets), Governor())


@pytest.fixture(params=["v2", "v1"])
async def client(account, request):
    made = connected(account, prefix=request.param)
    yield made
    await made.aclose()


async def bought(client):
    (event,) = await client.buy_label(COMMAND, DETAILS)
    return event.label


async def test_a_label_is_bought_found_and_read_alike(client):
    assert await client.find_label(COMMAND) == ()
    label = await bought(client)
    assert label.state is LabelState.PURCHASED
    assert label.tracking_number
    assert label.cost.currency == "GBP"
    (found,) = await client.find_label(COMMAND)
    (read,) = await client.fetch(Resource(connection=NAME, kind="label", external_id=label.external_id))
    assert found.label == read.label == label
    assert label.fulfillment_order_id == COMMAND.fulfillment_order


async def test_buying_again_gives_the_label_bought_before(world, client):
    first, second = await bought(client), await bought(client)
    assert first == second
    assert len(world.truth.of("label_requested")) == 1


async def test_a_label_is_voided_once_and_stays_void(client):
    label = await bought(client)
    command = VoidLabel(connection=NAME, order_id="o", label=label.external_id)
    for _ in range(2):
        (event,) = await client.void_label(command)
        assert event.label.state is LabelState.VOIDED


async def test_a_label_that_the_carrier_has_scanned_cannot_be_voided(account, client):
    label = await bought(client)
    account.shipping.scan(label.external_id, "AC")
    with pytest.raises(RequestRejected) as rejected:
        await client.void_label(VoidLabel(connection=NAME, order_id="o", label=label.external_id))
    assert rejected.value.code == "label_already_used"


async def test_labels_of_a_range_are_listed(client):
    label = await bought(client)
    now = datetime.now(UTC)
    found = await pages(client.labels(now - timedelta(hours=1), now + timedelta(hours=1)))
    assert [[event.label for event in page] for page in found] == [[label]]
    assert await pages(client.labels(now - timedelta(hours=3), now - timedelta(hours=2))) == [[]]


async def test_an_unknown_label_is_no_event(client):
    assert await client.fetch(Resource(connection=NAME, kind="label", external_id="se-1")) == ()


async def test_a_bad_address_is_refused_with_its_code(client):
    details = DETAILS.model_copy(update={"ship_to": DETAILS.ship_to.model_copy(update={"line1": None})})
    with pytest.raises(RequestRejected) as rejected:
        await client.buy_label(COMMAND, details)
    assert rejected.value.code == "field_value_required"


async def test_health_names_the_carrier(account, client):
    assert (await client.health()).account_name == "Royal Mail (sandbox)"
    other = connected(account, api_key="TEST_other")
    with pytest.raises(RequestRejected) as rejected:
        await other.health()
    assert rejected.value.status == 401
    await other.aclose()


async def test_scans_are_signed_as_we_check_and_read_as_facts(account, client):
    async with receiver() as hooks:
        (made,) = await client.subscribe(hooks.url)
        assert await client.subscribe(hooks.url) == ()
        label = await bought(client)
        account.shipping.scan(label.external_id, "AC")
        (hook, *_) = await hooks.wait_for(1)
        secrets = {"jwks": await client.signing_keys()}
        authenticate(hook, secrets, datetime.now(UTC))
        with pytest.raises(KeyUnknown):
            authenticate(hook, {}, datetime.now(UTC))
        with pytest.raises(SignatureInvalid):
            authenticate(HookRequest(hook.headers, hook.body + b" ", hook.url), secrets, datetime.now(UTC))
        topic = identify(hook).topic
        (scan,) = events(topic, hook.body, connection=NAME, received_at=datetime.now(UTC))
        assert isinstance(scan, TrackingScanned)
        assert (scan.tracking_number, scan.status) == (label.tracking_number, "accepted")
        await client.unsubscribe(made.external_id)
        assert await client.subscriptions() == []
