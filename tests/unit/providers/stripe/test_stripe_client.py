from datetime import UTC, datetime

import httpx
import pytest

from tests.unit.providers.wire import Wire, connection, pages
from tradewind.domain.commands import CancelPayment, CapturePayment, RefundPayment
from tradewind.domain.connections import Role
from tradewind.domain.events import Resource
from tradewind.domain.money import Money
from tradewind.domain.order import PaymentState
from tradewind.domain.roles import PaymentProcessor
from tradewind.errors import ConfigurationError, KeySpent, OutcomeUnknown, RequestRejected, SchemaMismatch
from tradewind.providers.stripe.api import API_VERSION, WRONG_MODE
from tradewind.providers.stripe.client import StripeClient
from tradewind.providers.stripe.webhooks import WANTED_EVENTS
from tradewind.transport import STANDARD_RETRY

NAME = "stripe:main"
GBP10 = Money(minor=1000, currency="GBP")


def stripe(wire, **secrets):
    made = connection(
        NAME,
        Role.PAYMENT_PROCESSOR,
        settings={"base_url": "http://provider/stripe/main"},
        secrets={"secret_key": "sk_test_1", **secrets},
    )
    return StripeClient(made, wire.governor, client=wire.client())


def refund_object(refund_id="re_1", reference="r1", amount=300):
    return {
        "id": refund_id, "amount": amount, "currency": "gbp", "created": 2, "status": "succeeded",
        "metadata": {"reference": reference},
    }  # fmt: skip


def intent(status="requires_capture", *, payment="pi_1", refunds=(), more=False):
    return {
        "id": payment,
        "object": "payment_intent",
        "amount": 1000,
        "amount_capturable": 1000 if status == "requires_capture" else 0,
        "amount_received": 1000 if status == "succeeded" else 0,
        "currency": "gbp",
        "created": 1793534400,
        "status": status,
        "metadata": {},
        "last_payment_error": None,
        "latest_charge": {
            "id": "ch_1", "status": "succeeded", "refunds": {"data": list(refunds), "has_more": more},
        },
    }  # fmt: skip


def refusal(code, status=400):
    return httpx.Response(status, json={"error": {"code": code, "type": "invalid_request_error"}})


def capture():
    return CapturePayment(connection=NAME, order_id="o", payment="pi_1", amount=GBP10)


async def test_a_capture_carries_version_key_and_amount():
    wire = Wire(intent("succeeded"))
    client = stripe(wire)
    assert isinstance(client, PaymentProcessor)
    (event,) = await wire.clock.run(client.capture(capture(), "key-1"))
    assert wire.asked == ["POST /stripe/main/v1/payment_intents/pi_1/capture"]
    headers = wire.requests[0].headers
    assert headers["Idempotency-Key"] == "key-1"
    assert headers["Stripe-Version"] == API_VERSION
    assert headers["Authorization"] == "Bearer sk_test_1"
    assert wire.form() == {"amount_to_capture": "1000", "expand[]": "latest_charge.refunds"}
    assert event.payment.state is PaymentState.CAPTURED
    assert event.payment.captured == GBP10


async def test_a_capture_without_answer_is_sent_again_under_its_key():
    wire = Wire(httpx.ReadTimeout("slow"), intent("succeeded"))
    await wire.clock.run(stripe(wire).capture(capture(), "key-1"))
    assert [request.headers["Idempotency-Key"] for request in wire.requests] == ["key-1", "key-1"]


async def test_a_key_in_use_is_no_failure():
    wire = Wire(refusal("idempotency_key_in_use", 409), intent("succeeded"))
    (event,) = await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert event.payment.state is PaymentState.CAPTURED


async def test_a_capture_refused_because_it_is_done_is_a_success():
    wire = Wire(refusal("payment_intent_unexpected_state"), intent("succeeded"))
    (event,) = await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert event.payment.state is PaymentState.CAPTURED
    assert wire.asked[-1] == "GET /stripe/main/v1/payment_intents/pi_1"


async def test_a_refused_capture_names_stripes_code():
    wire = Wire(refusal("payment_intent_unexpected_state"), intent("canceled"))
    with pytest.raises(RequestRejected) as rejected:
        await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert rejected.value.code == "payment_intent_unexpected_state"
    assert rejected.value.status == 400


def stored_failure():
    return httpx.Response(500, headers={"Idempotent-Replayed": "true"}, json={"error": {"type": "api_error"}})


async def test_a_failure_stored_under_the_key_is_looked_up_and_asks_for_another_key():
    wire = Wire(stored_failure(), intent("requires_capture"))
    with pytest.raises(KeySpent):
        await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert [request.headers.get("Idempotency-Key") for request in wire.requests] == ["k", None]


async def test_a_failure_stored_under_the_key_asks_for_another_key_also_when_nobody_can_look():
    away = [httpx.Response(503) for _ in range(STANDARD_RETRY.tries)]
    wire = Wire(stored_failure(), *away)
    with pytest.raises(KeySpent):
        await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert [request.headers.get("Idempotency-Key") for request in wire.requests].count("k") == 1


async def test_a_failure_that_is_not_stored_yet_leaves_the_outcome_unknown():
    wire = Wire(httpx.Response(500, headers={"Stripe-Should-Retry": "false"}, json={"error": {"type": "api_error"}}))
    with pytest.raises(OutcomeUnknown):
        await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert len(wire.requests) == 1


async def test_a_replayed_answer_is_old_so_the_payment_is_read_again():
    refunded = intent("succeeded", refunds=[refund_object(amount=1000)])
    wire = Wire(httpx.Response(200, headers={"Idempotent-Replayed": "true"}, json=intent("succeeded")), refunded)
    (event,) = await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert event.payment.refunded == GBP10


async def test_a_stored_failure_whose_effect_is_there_is_a_success():
    wire = Wire(stored_failure(), intent("succeeded"))
    (event,) = await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert event.payment.state is PaymentState.CAPTURED


async def test_no_answer_at_all_is_an_unknown_outcome():
    wire = Wire(httpx.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown):
        await wire.clock.run(stripe(wire).capture(capture(), "k"))


async def test_an_authorisation_is_released():
    wire = Wire(intent("canceled"))
    command = CancelPayment(connection=NAME, order_id="o", payment="pi_1")
    (event,) = await wire.clock.run(stripe(wire).cancel(command, "k"))
    assert event.payment.state is PaymentState.CANCELLED
    assert wire.form()["cancellation_reason"] == "requested_by_customer"


def refund_command():
    amount = Money(minor=300, currency="GBP")
    return RefundPayment(connection=NAME, order_id="o", payment="pi_1", amount=amount, reference="r1")


async def test_a_refund_carries_its_reference_and_shows_in_the_payment():
    wire = Wire(refund_object(), intent("succeeded", refunds=[refund_object()]))
    (event,) = await wire.clock.run(stripe(wire).refund(refund_command(), "k"))
    assert wire.form(0) == {"payment_intent": "pi_1", "amount": "300", "metadata[reference]": "r1"}
    assert wire.requests[0].headers["Idempotency-Key"] == "k"
    assert [refund.external_id for refund in event.refunds] == ["re_1"]
    assert event.payment.refunded.minor == 300


async def test_a_refused_refund_that_was_made_before_is_a_success():
    listed = {"data": [refund_object()], "has_more": False}
    wire = Wire(refusal("charge_already_refunded"), listed, intent("succeeded", refunds=[refund_object()]))
    (event,) = await wire.clock.run(stripe(wire).refund(refund_command(), "k"))
    assert event.payment.refunded.minor == 300


async def test_a_refused_refund_that_nobody_made_is_refused():
    wire = Wire(refusal("charge_already_refunded"), {"data": [refund_object(reference="other")], "has_more": False})
    with pytest.raises(RequestRejected):
        await wire.clock.run(stripe(wire).refund(refund_command(), "k"))


class SlowWire(Wire):
    """Writes are answered half a minute late."""

    def __call__(self, request):
        self.clock.elapsed_s += 30.0 if request.method == "POST" else 0.0
        return super().__call__(request)


async def test_an_answer_that_was_slow_is_old_so_the_payment_is_read_again():
    wire = SlowWire(intent("succeeded"), intent("succeeded", refunds=[refund_object(amount=1000)]))
    (event,) = await wire.clock.run(stripe(wire).capture(capture(), "k"))
    assert event.payment.refunded == GBP10


@pytest.mark.parametrize(
    ("command", "answers", "found"),
    [
        (capture(), [intent("succeeded")], 1),
        (capture(), [intent("requires_capture")], 0),
        (capture(), [intent("canceled")], 0),
        (CancelPayment(connection=NAME, order_id="o", payment="pi_1"), [intent("canceled")], 1),
        (CancelPayment(connection=NAME, order_id="o", payment="pi_1"), [intent("succeeded")], 0),
        (refund_command(), [{"data": [refund_object()], "has_more": False}, intent("succeeded")], 1),
        (refund_command(), [{"data": [refund_object(reference="other")], "has_more": False}], 0),
        (refund_command(), [{"data": [{**refund_object(), "status": "failed"}], "has_more": False}], 0),
        (refund_command(), [{"data": [{**refund_object(), "metadata": None}], "has_more": False}], 0),
    ],
)
async def test_an_effect_is_found_by_what_it_left_behind(command, answers, found):
    wire = Wire(*answers)
    assert len(await wire.clock.run(stripe(wire).find_effect(command))) == found
    assert {request.method for request in wire.requests} == {"GET"}


@pytest.mark.parametrize(("key", "livemode"), [("rk_live_1", False), ("sk_test_1", True)])
async def test_an_answer_in_the_other_mode_than_the_key_is_refused(key, livemode):
    listed = {"data": [{**intent(), "livemode": livemode}], "has_more": False}
    wire = Wire(listed)
    with pytest.raises(RequestRejected) as refused:
        await wire.clock.run(stripe(wire, secret_key=key).health())
    assert refused.value.code == WRONG_MODE
    wire = Wire({**intent(), "livemode": livemode})
    with pytest.raises(RequestRejected):
        await wire.clock.run(
            stripe(wire, secret_key=key).fetch(Resource(connection=NAME, kind="payment", external_id="p"))
        )
    wire = Wire({**intent(), "livemode": not livemode})
    fetched = stripe(wire, secret_key=key).fetch(Resource(connection=NAME, kind="payment", external_id="p"))
    assert len(await wire.clock.run(fetched)) == 1


async def test_a_payment_that_stripe_does_not_know_is_no_event():
    wire = Wire(refusal("resource_missing", 404))
    resource = Resource(connection=NAME, kind="payment", external_id="pi_x")
    assert await wire.clock.run(stripe(wire).fetch(resource)) == ()
    other = Resource(connection=NAME, kind="order", external_id="x")
    assert await wire.clock.run(stripe(wire).fetch(other)) == ()
    assert len(wire.requests) == 1


async def test_a_dispute_is_read_by_its_id():
    told = {
        "id": "dp_1", "amount": 1000, "currency": "gbp", "charge": "ch_1", "payment_intent": "pi_1", "created": 2,
        "reason": "general", "status": "lost", "evidence_details": {}, "livemode": False,
    }  # fmt: skip
    wire = Wire(told, refusal("resource_missing", 404))
    resource = Resource(connection=NAME, kind="dispute", external_id="dp_1")
    (event,) = await wire.clock.run(stripe(wire).fetch(resource))
    assert (event.dispute.external_id, event.dispute.payment) == ("dp_1", "pi_1")
    assert wire.asked == ["GET /stripe/main/v1/disputes/dp_1"]
    assert await wire.clock.run(stripe(wire).fetch(resource)) == ()


async def test_more_refunds_than_fit_in_a_charge_are_listed():
    first = [refund_object(f"re_{number}", amount=10) for number in range(2)]
    second = [refund_object("re_9", amount=10)]
    wire = Wire(
        intent("succeeded", refunds=first, more=True),
        {"data": first, "has_more": True},
        {"data": second, "has_more": False},
    )
    resource = Resource(connection=NAME, kind="payment", external_id="pi_1")
    (event,) = await wire.clock.run(stripe(wire).fetch(resource))
    assert [refund.external_id for refund in event.refunds] == ["re_0", "re_1", "re_9"]
    assert wire.requests[-1].url.params["starting_after"] == "re_1"


async def test_payments_of_a_range_are_paged_to_the_end():
    wire = Wire(
        {"data": [intent(payment="pi_3"), intent(payment="pi_2")], "has_more": True},
        {"data": [intent(payment="pi_1")], "has_more": False},
    )
    since, until = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    found = await wire.clock.run(pages(stripe(wire).payments(since, until)))
    assert [[event.payment.external_id for event in page] for page in found] == [["pi_3", "pi_2"], ["pi_1"]]
    params = wire.requests[0].url.params
    assert params["created[gte]"] == str(int(since.timestamp()))
    assert params["created[lte]"] == str(int(until.timestamp()))
    assert wire.requests[1].url.params["starting_after"] == "pi_2"


async def test_an_answer_of_another_shape_is_a_schema_mismatch():
    wire = Wire({"id": "pi_1"})
    with pytest.raises(SchemaMismatch):
        await wire.clock.run(stripe(wire).capture(capture(), "k"))


def endpoint(endpoint_id="we_1", **changes):
    return {
        "id": endpoint_id, "url": "https://shop/hooks", "status": "enabled", "enabled_events": list(WANTED_EVENTS),
        "api_version": API_VERSION, **changes,
    }  # fmt: skip


async def test_an_endpoint_is_created_with_the_pinned_version_and_gives_its_secret():
    wire = Wire({"data": [], "has_more": False}, endpoint(secret="whsec_1"))
    (made,) = await wire.clock.run(stripe(wire).subscribe("https://shop/hooks"))
    assert made.secret == "whsec_1"
    body = wire.requests[1].content.decode()
    assert f"api_version={API_VERSION}" in body
    assert body.count("enabled_events%5B%5D=") == len(WANTED_EVENTS)


async def test_an_endpoint_that_is_as_wanted_is_left_alone():
    wire = Wire({"data": [endpoint()], "has_more": False})
    assert await wire.clock.run(stripe(wire, webhook_secret="whsec_1").subscribe("https://shop/hooks")) == ()


async def test_an_endpoint_that_was_just_made_is_not_made_again():
    made = endpoint(secret="whsec_1")
    wire = Wire({"data": [], "has_more": False}, made, {"data": [endpoint()], "has_more": False})
    client = stripe(wire)
    await wire.clock.run(client.subscribe("https://shop/hooks"))
    assert await wire.clock.run(client.subscribe("https://shop/hooks")) == ()


@pytest.mark.parametrize(
    ("changes", "secrets"),
    [
        ({"api_version": "2020-08-27"}, {"webhook_secret": "whsec_1"}),
        ({"status": "disabled"}, {"webhook_secret": "whsec_1"}),
        ({"enabled_events": ["charge.failed"]}, {"webhook_secret": "whsec_1"}),
        ({}, {}),
    ],
)
async def test_an_endpoint_that_is_not_as_wanted_or_has_a_lost_secret_is_replaced(changes, secrets):
    wire = Wire({"data": [endpoint(**changes)], "has_more": False}, endpoint("we_2", secret="whsec_2"), {})
    (made,) = await wire.clock.run(stripe(wire, **secrets).subscribe("https://shop/hooks"))
    assert made.external_id == "we_2"
    assert wire.asked[1:] == ["POST /stripe/main/v1/webhook_endpoints", "DELETE /stripe/main/v1/webhook_endpoints/we_1"]


async def test_unsubscribing_twice_is_a_success():
    wire = Wire(refusal("resource_missing", 404))
    await wire.clock.run(stripe(wire).unsubscribe("we_1"))


async def test_health_reads_with_the_key():
    wire = Wire({"data": [], "has_more": False})
    health = await wire.clock.run(stripe(wire).health())
    assert health.account_name == NAME
    wire = Wire(401)
    with pytest.raises(RequestRejected) as rejected:
        await wire.clock.run(stripe(wire).health())
    assert rejected.value.status == 401


def test_a_connection_without_key_is_a_configuration_error():
    wire = Wire(200)
    with pytest.raises(ConfigurationError):
        StripeClient(connection(NAME, Role.PAYMENT_PROCESSOR), wire.governor)
