import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookRequest
from tradewind.providers.stripe import authenticate, identify

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BODY = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1793534400,
        "api_version": "2026-07-29.dahlia",
        "request": {"id": "req_1", "idempotency_key": "k"},
        "data": {"object": {"object": "payment_intent", "id": "pi_1"}},
    }
).encode()


def signed(body=BODY, *, secret="whsec_a", at=NOW, header=None):
    timestamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return HookRequest({"stripe-signature": header or f"t={timestamp},v1={mac},v0=ignored"}, body, "http://x")


def test_a_body_signed_with_the_secret_is_accepted():
    authenticate(signed(), {"webhook_secret": "whsec_a"}, NOW)


def test_both_secrets_are_live_while_one_is_rolled():
    secrets = {"webhook_secret": "whsec_b", "webhook_secret_previous": "whsec_a"}
    authenticate(signed(), secrets, NOW)
    authenticate(signed(secret="whsec_b"), secrets, NOW)


def test_one_of_several_signatures_suffices():
    header = signed().headers["stripe-signature"].replace("v1=", f"v1={'0' * 64},v1=")
    authenticate(signed(header=header), {"webhook_secret": "whsec_a"}, NOW)


@pytest.mark.parametrize("age_s", [0, 299, 300, -30])
def test_a_signature_of_the_last_five_minutes_holds(age_s):
    authenticate(signed(at=NOW - timedelta(seconds=age_s)), {"webhook_secret": "whsec_a"}, NOW)


@pytest.mark.parametrize(
    ("request_", "secrets"),
    [
        (signed(at=NOW - timedelta(seconds=301)), {"webhook_secret": "whsec_a"}),
        (signed(secret="whsec_other"), {"webhook_secret": "whsec_a"}),
        (signed(), {}),
        (signed(), {"webhook_secret": ""}),
        (HookRequest(signed().headers, BODY + b" ", "http://x"), {"webhook_secret": "whsec_a"}),
        (HookRequest({}, BODY, "http://x"), {"webhook_secret": "whsec_a"}),
        (signed(header="t=,v1=00"), {"webhook_secret": "whsec_a"}),
        (signed(header="t=12"), {"webhook_secret": "whsec_a"}),
        (signed(header="v1=00"), {"webhook_secret": "whsec_a"}),
        (signed(header="t=²,v1=é"), {"webhook_secret": "whsec_a"}),
    ],
)
def test_anything_else_is_refused(request_, secrets):
    with pytest.raises(SignatureInvalid):
        authenticate(request_, secrets, NOW)


def of_mode(livemode, **metadata):
    event = {**json.loads(BODY), "livemode": livemode, "data": {"object": {"id": "pi_1", "metadata": metadata}}}
    return signed(json.dumps(event).encode())


@pytest.mark.parametrize(
    ("key", "livemode"), [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False), ("sk_org_1", False)]
)
def test_an_event_in_the_mode_of_the_key_is_accepted(key, livemode):
    authenticate(of_mode(livemode), {"webhook_secret": "whsec_a", "secret_key": key}, NOW)


@pytest.mark.parametrize(
    ("key", "livemode"), [("sk_live_1", False), ("rk_live_1", False), ("sk_test_1", True), ("rk_test_1", True)]
)
def test_an_event_of_the_other_mode_than_the_key_is_refused(key, livemode):
    with pytest.raises(SignatureInvalid, match="mode"):
        authenticate(of_mode(livemode), {"webhook_secret": "whsec_a", "secret_key": key}, NOW)


def test_metadata_cannot_pretend_a_mode():
    body = json.dumps({"data": {"object": {"metadata": {"livemode": 'true, "livemode": true'}}}, "livemode": False})
    authenticate(signed(body.encode()), {"webhook_secret": "whsec_a", "secret_key": "sk_test_1"}, NOW)


def test_a_delivery_is_named_by_its_event_id():
    identity = identify(signed())
    assert identity.delivery_key == "evt_1"
    assert identity.topic == "payment_intent.succeeded"
    assert identity.occurred_at == datetime.fromtimestamp(1793534400, UTC)
    assert identity.correlation == "req_1"
    assert identity.api_version == "2026-07-29.dahlia"


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "type", "created", "request", "data", "api_version"]), inner, max_size=6),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_identify_never_raises_and_repeats_itself(body):
    first, second = identify(HookRequest({}, body, "")), identify(HookRequest({}, body, ""))
    assert first == second
    assert first.delivery_key
    assert first.topic
