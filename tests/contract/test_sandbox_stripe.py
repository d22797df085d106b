"""The simulated Stripe, judged by Stripe's own client, its published examples and its list of operations."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from tests.contracts import contract
from tests.sandboxes import Receiver, eventually, in_loop, running_receiver, running_sandbox
from tradewind.sandbox import Sandbox
from tradewind.sandbox.limits import SlidingWindow
from tradewind.sandbox.stripe.objects import API_VERSION
from tradewind.sandbox.stripe.operations import OPERATIONS

CARD = {"confirm": "true", "payment_method": "pm_card_visa"}
HELD = {"amount": 1250, "currency": "gbp", "capture_method": "manual", **CARD}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        account = running.stripe["main"]
        account.limit = SlidingWindow(running.clock, limit=1000, window_s=1.0)
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    described = sandbox.stripe["main"].describe()
    return stripe.StripeClient(
        described["secret_key"], base_addresses={"api": described["base_url"]}, stripe_version=API_VERSION
    )


def test_the_official_client_authorises_captures_and_refunds(client: stripe.StripeClient) -> None:
    held = client.v1.payment_intents.create(
        {
            "amount": 1250,
            "currency": "gbp",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"order": "#1"},
        }
    )
    assert (held.status, held.amount_capturable, held.metadata["order"]) == ("requires_capture", 1250, "#1")

    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1000, "expand": ["latest_charge"]})
    assert (taken.status, taken.amount_received) == ("succeeded", 1000)
    assert isinstance(taken.latest_charge, stripe.Charge)
    assert taken.latest_charge.captured

    refund = client.v1.refunds.create({"payment_intent": held.id, "amount": 400})
    assert refund.status == "succeeded"
    charge = client.v1.charges.retrieve(str(refund.charge))
    assert (charge.amount_refunded, charge.refunded) == (400, False)
    moved = [client.v1.balance_transactions.retrieve(str(of.balance_transaction)) for of in (charge, refund)]
    assert [(txn.type, txn.amount, txn.net) for txn in moved] == [("charge", 1000, 965), ("refund", -400, -400)]


def test_the_official_client_pages_through_a_list(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    made = [sandbox.stripe["main"].authorise(100 + n, "GBP", {"page": "yes"}) for n in range(7)]
    listed = client.v1.payment_intents.list({"limit": 3}).auto_paging_iter()
    assert [intent.id for intent in listed if "page" in intent.metadata] == made[::-1]


def test_the_official_client_reads_errors_as_its_own_classes(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.retrieve("pi_nothing")
    assert (missing.value.code, missing.value.http_status) == ("resource_missing", 404)
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.create(
            {"amount": 500, "currency": "gbp", "confirm": True, "payment_method": "pm_card_chargeDeclined"}
        )
    assert declined.value.code == "card_declined"
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_test_wrong", base_addresses={"api": _base_url(client)}).v1.charges.list()


def test_the_official_client_meets_the_idempotency_that_stripe_documents(client: stripe.StripeClient) -> None:
    params: Any = {"amount": 900, "currency": "gbp"}
    first = client.v1.payment_intents.create(params, {"idempotency_key": "order-1"})
    again = client.v1.payment_intents.create(params, {"idempotency_key": "order-1"})
    assert again.id == first.id
    assert again.last_response is not None
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.create({**params, "amount": 901}, {"idempotency_key": "order-1"})


def test_the_official_client_sees_a_dispute_through(client: stripe.StripeClient) -> None:
    card: Any = {"amount": 1200, "currency": "gbp", "confirm": True, "payment_method": "pm_card_createDispute"}
    intent = client.v1.payment_intents.create(card)
    listed: Any = {"payment_intent": intent.id}
    eventually(lambda: client.v1.disputes.list(listed).data)
    [dispute] = client.v1.disputes.list(listed).data
    assert (dispute.status, dispute.amount, dispute.reason) == ("needs_response", 1200, "fraudulent")
    [withdrawn] = dispute.balance_transactions
    assert (withdrawn.type, withdrawn.reporting_category, withdrawn.net) == ("adjustment", "dispute", -3200)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    answered = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (answered.status, answered.evidence_details.submission_count) == ("under_review", 1)
    eventually(lambda: client.v1.disputes.retrieve(dispute.id).status == "won")
    assert [txn.net for txn in client.v1.disputes.retrieve(dispute.id).balance_transactions] == [-3200, 3200]


def test_the_official_client_accepts_a_dispute(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    account = sandbox.stripe["main"]
    intent = account.authorise(800, "GBP", {})
    in_loop(sandbox, lambda: account.payments.capture(intent))
    dispute_id = in_loop(sandbox, lambda: account.dispute_payment(intent, 300, "product_not_received"))
    assert client.v1.disputes.close(dispute_id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="is lost and cannot be changed"):
        client.v1.disputes.close(dispute_id)
    charge = str(client.v1.disputes.retrieve(dispute_id).charge)
    assert client.v1.charges.retrieve(charge).disputed


def test_the_official_client_verifies_what_an_endpoint_is_sent(
    client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    endpoint = client.v1.webhook_endpoints.create(
        {
            "url": receiver.url,
            "enabled_events": ["payment_intent.amount_capturable_updated"],
            "api_version": API_VERSION,
        }
    )
    assert endpoint.secret is not None
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id)
    held = client.v1.payment_intents.create({**HELD, "confirm": True})  # type: ignore[typeddict-item]
    delivery = receiver.wait_for(1)[0]
    event = stripe.Webhook.construct_event(delivery.body, delivery.headers["stripe-signature"], endpoint.secret)
    assert (event.type, event.data.object["id"]) == ("payment_intent.amount_capturable_updated", held.id)
    assert client.v1.events.retrieve(event.id).id == event.id
    client.v1.webhook_endpoints.delete(endpoint.id)
    assert [endpoint.id for endpoint in client.v1.webhook_endpoints.list().data] == []


def test_the_official_client_walks_through_events_in_the_order_in_which_they_happened(
    client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    account = sandbox.stripe["main"]
    kind = "payment_intent.amount_capturable_updated"
    before = in_loop(sandbox, lambda: account.authorise(100, "GBP", {}))
    anchor = client.v1.events.list({"limit": 1}).data[0].id
    made = [in_loop(sandbox, lambda n=n: account.authorise(200 + n, "GBP", {})) for n in range(7)]
    span: Any = {"ending_before": anchor, "types": [kind], "limit": 3, "created": {"gte": 0}}
    walked = list(client.v1.events.list(span).auto_paging_iter())
    assert [event.data.object["id"] for event in walked] == made
    assert {event.data.object["status"] for event in walked} == {"requires_capture"}
    undelivered = client.v1.events.list({**span, "delivery_success": False})
    assert undelivered.data == []
    assert before not in made


def test_the_official_client_reads_429_as_its_rate_limit_error(
    client: stripe.StripeClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.stripe["main"], "limit", SlidingWindow(sandbox.clock, limit=1, window_s=600.0))
    client.v1.charges.list()
    with pytest.raises(stripe.RateLimitError) as limited:
        client.v1.charges.list()
    assert limited.value.headers["stripe-rate-limited-reason"] == "global-rate"
    assert sandbox.truth.of("throttled")[0]["connection"] == "stripe:main"


@pytest.mark.parametrize(
    "name", ["payment_intent", "charge", "refund", "balance_transaction", "dispute", "webhook_endpoint", "event"]
)
def test_objects_have_the_keys_and_types_of_stripes_own_example(sandbox: Sandbox, name: str) -> None:
    example = contract("stripe/fixtures3.json")["resources"][name]
    served = _served(sandbox)[name]
    assert set(served) == set(example)
    assert _type_differences(example, served, name) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op.method} {op.path}")
def test_operations_and_parameters_are_stripes(operation: Any) -> None:
    published = {
        (op["method"], _shape(op["path"])): op.get("params", {})
        for op in contract("stripe/operations-2026-07-29.json.gz")["operations"].values()
    }
    assert (operation.method, _shape(operation.path)) in published
    params = published[operation.method, _shape(operation.path)]
    # These two stand on every operation and are left out of the list.
    assert set(operation.parameters) - {"expand", "metadata"} <= set(params)
    assert {name for name, param in params.items() if param.get("required")} <= set(operation.parameters)


def test_event_types_are_stripes(sandbox: Sandbox) -> None:
    known = contract("stripe/webhook-event-types-2026-10-28.json")
    text = json.dumps(known)
    emitted = {event["type"] for event in sandbox.stripe["main"].events.newest_first()}
    assert emitted
    assert {kind for kind in emitted if f'"{kind}"' not in text} == set()


def _served(sandbox: Sandbox) -> dict[str, Any]:
    """One of each object, as it goes over the wire."""
    account = sandbox.stripe["main"]
    intent = account.authorise(700, "GBP", {"order": "#7"})
    account.payments.capture(intent)
    account.refund_from_dashboard(intent, 200)
    disputed = account.authorise(900, "GBP", {"order": "#8"})
    account.payments.capture(disputed)
    account.disputes.decide(account.dispute_payment(disputed), won=True)
    described = account.describe()
    headers = {"Authorization": f"Bearer {described['secret_key']}"}
    with httpx.Client(base_url=described["base_url"], headers=headers, trust_env=False) as http:
        made = http.post(
            "/v1/webhook_endpoints", data={"url": "http://127.0.0.1:9/", "enabled_events[]": "ping"}
        ).json()
        served = {"webhook_endpoint": http.get(f"/v1/webhook_endpoints/{made['id']}").json()}
        http.delete(f"/v1/webhook_endpoints/{made['id']}")
        for name in ("payment_intent", "charge", "refund", "balance_transaction", "dispute", "event"):
            served[name] = http.get(f"/v1/{name}s").json()["data"][0]
    return served


def _type_differences(example: Any, served: Any, path: str) -> list[str]:
    """Where a value has another JSON type than the example's. Null may stand for anything on either side."""
    if example is None or served is None:
        return []
    if type(example) is not type(served):
        return [f"{path}: {type(example).__name__} there, {type(served).__name__} here"]
    if isinstance(example, dict) and not path.endswith(("metadata", "data.object")):
        return [
            difference
            for key in set(example) & set(served)
            for difference in _type_differences(example[key], served[key], f"{path}.{key}")
        ]
    return []


def _shape(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _base_url(client: stripe.StripeClient) -> str:
    return str(client._requestor._options.base_addresses["api"])
