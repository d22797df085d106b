"""What the Stripe client sends, judged by Stripe's list of operations and by its official library."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
import stripe as official

from tests.contracts import contract
from tests.unit.providers.wire import Wire, connection, pages
from tradewind.domain.commands import CancelPayment, CapturePayment, RefundPayment
from tradewind.domain.connections import Role
from tradewind.domain.events import Ignored, Resource, ResourceChanged
from tradewind.domain.money import Money
from tradewind.domain.order import DisputeStatus
from tradewind.providers.hooks import HookRequest
from tradewind.providers.stripe import authenticate, events, identify
from tradewind.providers.stripe.api import API_VERSION
from tradewind.providers.stripe.client import StripeClient
from tradewind.providers.stripe.endpoints import EndpointObject
from tradewind.providers.stripe.mapping import (
    DisputeObject,
    PaymentIntentObject,
    RefundObject,
    dispute_observed,
    payment_observed,
)
from tradewind.providers.stripe.webhooks import TOPICS, WANTED_EVENTS

NAME = "stripe:main"
AMOUNT = Money(minor=1000, currency="GBP")
NOW = datetime(2026, 11, 1, tzinfo=UTC)

# Every operation takes these; the list leaves them out.
UNIVERSAL = ("expand", "metadata")


def intent():
    """Stripe's own example, expanded as the client asks for it."""
    resources = contract("stripe/fixtures3.json")["resources"]
    charge = {**resources["charge"], "refunds": {**resources["charge"]["refunds"], "data": [resources["refund"]]}}
    return {**resources["payment_intent"], "status": "succeeded", "amount_received": 1099, "latest_charge": charge}


def listed(*objects, more=False):
    return {"object": "list", "data": list(objects), "has_more": more, "url": "/v1/x"}


async def everything_the_client_sends():
    """Every method once, with whatever answers make it call as much as it can."""
    resources = contract("stripe/fixtures3.json")["resources"]
    more = {
        **intent(),
        "latest_charge": {**intent()["latest_charge"], "refunds": listed(resources["refund"], more=True)},
    }
    endpoint = {**resources["webhook_endpoint"], "url": "https://shop/hooks"}
    refund = resources["refund"]
    payment = {"connection": NAME, "order_id": "o", "payment": "pi_1"}
    resource = Resource(connection=NAME, kind="payment", external_id="pi_1")
    event = resources["event"]
    calls = [
        (lambda c: c.health(), [listed()]),
        (lambda c: pages(c.deliveries(NOW, NOW)), [listed(event), listed(event, more=True), listed(event)]),
        (lambda c: pages(c.deliveries(NOW, NOW)), [listed(), listed(event, more=True), listed(event)]),
        (lambda c: c.fetch(resource), [more, listed(refund, more=True), listed(refund)]),
        (lambda c: c.fetch(Resource(connection=NAME, kind="dispute", external_id="dp_1")), [resources["dispute"]]),
        (lambda c: pages(c.payments(NOW, NOW)), [listed(intent(), more=True), listed(intent())]),
        (lambda c: c.capture(CapturePayment(**payment, amount=AMOUNT), "k"), [intent()]),
        (lambda c: c.cancel(CancelPayment(**payment), "k"), [{**intent(), "status": "canceled"}]),
        (lambda c: c.refund(RefundPayment(**payment, amount=AMOUNT, reference="r"), "k"), [refund, intent()]),
        (lambda c: c.find_effect(CapturePayment(**payment, amount=AMOUNT)), [intent()]),
        (lambda c: c.find_effect(RefundPayment(**payment, amount=AMOUNT, reference="r")), [listed(refund)]),
        (lambda c: c.subscriptions(), [listed(endpoint)]),
        (lambda c: c.subscribe("https://shop/hooks"), [listed(endpoint), endpoint, {}]),
        (lambda c: c.unsubscribe("we_1"), [{}]),
    ]  # fmt: skip
    requests = []
    for call, answers in calls:
        wire = Wire(*answers)
        made = connection(NAME, Role.PAYMENT_PROCESSOR, settings={"base_url": "http://p"}, secrets={"secret_key": "sk"})
        await wire.clock.run(call(StripeClient(made, wire.governor, client=wire.client())))
        requests += wire.requests
    return requests


def operation_of(request):
    for operation in contract("stripe/operations-2026-07-29.json.gz")["operations"].values():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", operation["path"])
        if operation["method"] == request.method and re.fullmatch(pattern, request.url.path):
            return operation
    return None


def parameters_of(request):
    sent = parse_qsl(request.url.query.decode()) + parse_qsl(request.content.decode())
    return [(re.sub(r"\[(\w+)\]", r".\1", name).removesuffix("[]"), value) for name, value in sent]


def fault_of(name, value, operation):
    if name.split(".")[0] in UNIVERSAL:
        return None
    # A range may be asked for of every parameter that takes a time.
    base = name.rpartition(".")[0] if name.endswith((".gte", ".lt", ".lte")) else name
    described = operation["params"].get(base)
    if described is None:
        return f"{operation['path']} has no parameter {name}"
    if described["type"] == "integer" and not re.fullmatch(r"-?\d+", value):
        return f"{name}={value} is no integer"
    if "enum" in described and value not in described["enum"]:
        return f"{name}={value} is none of the documented values"
    return None


async def test_every_request_is_a_documented_operation_with_documented_parameters():
    requests = await everything_the_client_sends()
    called = set()
    for request in requests:
        operation = operation_of(request)
        assert operation is not None, f"{request.method} {request.url.path} is not documented"
        called.add(operation["path"])
        sent = parameters_of(request)
        assert [fault for name, value in sent if (fault := fault_of(name, value, operation))] == []
        required = {name for name, described in operation["params"].items() if described.get("required")}
        assert required <= {name for name, _ in sent}
        assert request.headers["Stripe-Version"] == API_VERSION
        if request.method == "POST":
            assert request.headers["Idempotency-Key"]
            assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert called == {
        "/v1/payment_intents",
        "/v1/payment_intents/{intent}",
        "/v1/payment_intents/{intent}/capture",
        "/v1/payment_intents/{intent}/cancel",
        "/v1/disputes/{dispute}",
        "/v1/events",
        "/v1/refunds",
        "/v1/webhook_endpoints",
        "/v1/webhook_endpoints/{webhook_endpoint}",
    }


def test_the_pinned_version_and_the_wanted_events_are_published():
    assert contract("stripe/operations-2026-07-29.json.gz")["stripe_api_version"].startswith(API_VERSION[:10])
    types = contract("stripe/webhook-event-types-2026-10-28.json")
    published = str(types)
    assert all(f"'{event}'" in published for event in WANTED_EVENTS)


def test_stripes_own_examples_can_be_read():
    resources = contract("stripe/fixtures3.json")["resources"]
    EndpointObject.model_validate(resources["webhook_endpoint"])
    refund = RefundObject.model_validate(resources["refund"])
    read = PaymentIntentObject.model_validate(intent())
    event = payment_observed(read, [refund], connection=NAME, version=NOW)
    assert event.payment.captured == Money(minor=1099, currency="USD")
    assert event.refunds[0].amount == Money(minor=100, currency="USD")
    PaymentIntentObject.model_validate(resources["payment_intent"])  # one without a charge


def test_stripes_example_of_a_dispute_can_be_read():
    example = contract("stripe/fixtures3.json")["resources"]["dispute"]
    assert isinstance(read_dispute(example), Ignored)  # of a charge without payment intent
    told = read_dispute({**example, "payment_intent": "pi_1"}).dispute
    assert (told.external_id, told.charge_id) == (example["id"], example["charge"])
    assert told.status is DisputeStatus.NEEDS_RESPONSE
    assert told.amount == Money(minor=example["amount"], currency="USD")


def read_dispute(value):
    return dispute_observed(DisputeObject.model_validate(value), connection=NAME, version=NOW)


# Stripe's examples name no payment intent.
OBJECTS = {
    "payment_intent": {},
    "charge": {"payment_intent": "pi_1"},
    "refund": {"payment_intent": "pi_1"},
    "dispute": {"payment_intent": "pi_1"},
}


@pytest.mark.parametrize("topic", TOPICS)
def test_an_event_of_every_topic_with_stripes_own_object_is_what_the_topic_says(topic):
    resources = contract("stripe/fixtures3.json")["resources"]
    kind = topic.rpartition(".")[0].rpartition(".")[2]
    event = {**resources["event"], "type": topic, "data": {"object": {**resources[kind], **OBJECTS[kind]}}}
    body = json.dumps(event).encode()
    assert identify(HookRequest({}, body, "")).topic == topic
    (read,) = events(topic, body, connection=NAME, received_at=NOW)
    assert isinstance(read, {"hint": ResourceChanged}[TOPICS[topic]])
    assert read.resource.kind == ("dispute" if kind == "dispute" else "payment")


def test_every_object_of_stripe_passes_through_the_mapping():
    """Subscribing to everything in the dashboard must not make dead letters."""
    resources = contract("stripe/fixtures3.json")["resources"]
    for name, value in resources.items():
        if isinstance(value.get("id"), str) and "object" in value:
            event = {**resources["event"], "type": "x", "data": {"object": value}}
            (read,) = events("x", json.dumps(event).encode(), connection=NAME, received_at=NOW)
            assert isinstance(read, ResourceChanged if name == "payment_intent" else Ignored | ResourceChanged)


@pytest.mark.parametrize("body", ["{}", '{"id": "evt_1", "é": "€"}'])
def test_we_accept_what_the_official_library_signs_and_it_what_we_accept(body):
    timestamp = int(NOW.timestamp())
    signature = official.WebhookSignature._compute_signature(f"{timestamp}.{body}", "whsec_1")
    header = f"t={timestamp},v1={signature}"
    authenticate(HookRequest({"stripe-signature": header}, body.encode(), ""), {"webhook_secret": "whsec_1"}, NOW)
    assert official.WebhookSignature.verify_header(body, header, "whsec_1")
