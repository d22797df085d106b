import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.providers.served import receiver, sandbox
from tests.unit.providers.wire import connection, pages
from tradewind.domain.commands import CancelPayment, CapturePayment, RefundPayment
from tradewind.domain.connections import Role
from tradewind.domain.events import Resource, ResourceChanged
from tradewind.domain.money import Money
from tradewind.domain.order import PaymentState
from tradewind.errors import RequestRejected
from tradewind.governor import Governor
from tradewind.providers.stripe import authenticate, events, identify
from tradewind.providers.stripe.client import StripeClient

NAME = "stripe:main"


@pytest.fixture
async def world():
    async with sandbox() as made:
        yield made


@pytest.fixture
async def account(world):
    return world.stripe["main"]


def connected(account, **secrets):
    described = account.describe()
    return StripeClient(
        connection(
            NAME,
            Role.PAYMENT_PROCESSOR,
            settings={"base_url": described["base_url"]},
            secrets={"secret_key": described["secret_key"], **secrets},
        ),
        Governor(),
    )


@pytest.fixture
async def client(account):
    made = connected(account)
    yield made
    await made.aclose()


def gbp(minor):
    return Money(minor=minor, currency="GBP")


def capture(intent, minor):
    return CapturePayment(connection=NAME, order_id="o", payment=intent, amount=gbp(minor))


async def test_a_payment_is_observed_captured_and_refunded(account, client):
    intent = account.authorise(1000, "GBP", {"payment_id": "chk_1"})
    (seen,) = await client.fetch(Resource(connection=NAME, kind="payment", external_id=intent))
    assert (seen.payment.state, seen.payment.authorized) == (PaymentState.AUTHORIZED, gbp(1000))
    assert seen.payment.payment_id == "chk_1"

    (captured,) = await client.capture(capture(intent, 1000), "key-1")
    assert (captured.payment.state, captured.payment.captured) == (PaymentState.CAPTURED, gbp(1000))
    assert captured.version > seen.version

    command = RefundPayment(connection=NAME, order_id="o", payment=intent, amount=gbp(250), reference="r1")
    (refunded,) = await client.refund(command, "key-2")
    assert refunded.payment.refunded == gbp(250)
    assert [refund.amount for refund in refunded.refunds] == [gbp(250)]


async def test_the_same_key_has_one_effect(account, client):
    intent = account.authorise(1000, "GBP", {})
    await client.capture(capture(intent, 1000), "key-1")
    await client.capture(capture(intent, 1000), "key-1")
    command = RefundPayment(connection=NAME, order_id="o", payment=intent, amount=gbp(250), reference="r1")
    for _ in range(3):
        (event,) = await client.refund(command, "key-2")
    assert event.payment.refunded == gbp(250)


async def test_another_key_finds_the_capture_done(account, client):
    intent = account.authorise(1000, "GBP", {})
    await client.capture(capture(intent, 1000), "key-1")
    (event,) = await client.capture(capture(intent, 1000), "key-2")
    assert event.payment.captured == gbp(1000)


async def test_a_partial_capture_is_no_refund(account, client):
    intent = account.authorise(1000, "GBP", {})
    (event,) = await client.capture(capture(intent, 600), "key-1")
    assert (event.payment.captured, event.payment.refunded) == (gbp(600), gbp(0))


async def test_an_authorisation_is_released_and_cannot_be_captured(account, client):
    intent = account.authorise(1000, "GBP", {})
    command = CancelPayment(connection=NAME, order_id="o", payment=intent)
    (event,) = await client.cancel(command, "key-1")
    assert event.payment.state is PaymentState.CANCELLED
    assert event.payment.refunded == gbp(0)
    with pytest.raises(RequestRejected) as rejected:
        await client.capture(capture(intent, 1000), "key-2")
    assert rejected.value.code == "payment_intent_unexpected_state"


async def test_a_refund_beyond_what_was_captured_is_refused(account, client):
    intent = account.authorise(1000, "GBP", {})
    await client.capture(capture(intent, 1000), "key-1")
    command = RefundPayment(connection=NAME, order_id="o", payment=intent, amount=gbp(1001), reference="r1")
    with pytest.raises(RequestRejected):
        await client.refund(command, "key-2")


async def test_an_unknown_payment_is_no_event(client):
    assert await client.fetch(Resource(connection=NAME, kind="payment", external_id="pi_unknown")) == ()


async def test_every_payment_of_a_range_is_listed(account, client):
    intents = {account.authorise(100 + number, "GBP", {}) for number in range(105)}
    now = datetime.now(UTC)
    found = await pages(client.payments(now - timedelta(hours=1), now + timedelta(hours=1)))
    assert {event.payment.external_id for page in found for event in page} == intents
    assert [len(page) for page in found] == [100, 5]
    assert await pages(client.payments(now - timedelta(hours=3), now - timedelta(hours=2))) == [[]]


async def test_health_reads_with_the_key_and_refuses_another(account, client):
    assert abs((await client.health()).clock_skew_s) < 2  # the server renews its `Date` once a second
    other = connected(account, secret_key="sk_test_other")
    with pytest.raises(RequestRejected) as rejected:
        await other.health()
    assert rejected.value.status == 401
    await other.aclose()


async def test_webhooks_are_signed_as_we_check_and_hint_at_the_payment(account, client):
    async with receiver() as hooks:
        (made,) = await client.subscribe(hooks.url)
        assert made.secret
        intent = account.authorise(1000, "GBP", {})
        (first, *_) = await hooks.wait_for(1)
        authenticate(first, {"webhook_secret": made.secret}, datetime.now(UTC))
        identity = identify(first)
        assert identity.delivery_key.startswith("evt_")
        assert identity.api_version == "2026-07-29.dahlia"
        (event,) = events(identity.topic, first.body, connection=NAME, received_at=datetime.now(UTC))
        assert isinstance(event, ResourceChanged)
        assert event.resource.external_id == intent


async def test_a_known_endpoint_is_kept_and_one_with_a_lost_secret_replaced(account, client):
    url = "http://127.0.0.1:9/hooks"
    (made,) = await client.subscribe(url)
    knowing = connected(account, webhook_secret=made.secret)
    assert await knowing.subscribe(url) == ()
    losing = connected(account)
    (again,) = await losing.subscribe(url)
    assert again.secret != made.secret
    assert [endpoint.external_id for endpoint in await client.subscriptions()] == [again.external_id]
    await client.unsubscribe(again.external_id)
    assert await client.subscriptions() == []
    await knowing.aclose()
    await losing.aclose()


async def test_a_burst_stays_below_the_published_limit(world, account, client):
    started = time.monotonic()
    for _ in range(60):
        await client.health()
    assert time.monotonic() - started > 2
    assert world.truth.of("throttled") == []
