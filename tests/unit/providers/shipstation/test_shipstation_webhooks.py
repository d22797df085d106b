import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookRequest, KeyUnknown
from tradewind.providers.shipstation import authenticate, identify

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
KEY = generate_private_key(public_exponent=65537, key_size=2048)
ENVELOPE = {
    "resource_url": "https://api.shipstation.com/v2/labels/se-1/track",
    "resource_type": "TRACK_EVENT_V2",
    "data": {
        "tracking_number": "1Z",
        "events": [{"occurred_at": "2026-10-31T08:00:00Z"}, {"occurred_at": "2026-11-01T09:00:00"}],
    },
}
BODY = json.dumps(ENVELOPE).encode()
FIELDS = ["resource_type", "resource_url", "data", "events", "occurred_at"]


def number(value):
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def jwks(kid="key-1"):
    public = KEY.public_key().public_numbers()
    good = {"kty": "RSA", "kid": kid, "n": number(public.n), "e": number(public.e), "alg": "RS256", "use": "sig"}
    return json.dumps({"keys": [{"kty": "EC", "kid": "other"}, good]})


def signed(body=BODY, *, at=NOW, kid="key-1", stamp=None, **changes):
    timestamp = stamp or at.strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = KEY.sign(timestamp.encode() + b"." + body, PKCS1v15(), SHA256())
    headers = {
        "x-shipengine-rsa-sha256-key-id": kid,
        "x-shipengine-rsa-sha256-signature": base64.b64encode(signature).decode(),
        "x-shipengine-timestamp": timestamp,
    }
    return HookRequest({**headers, **changes}, body, "http://x")


@pytest.mark.parametrize("age_s", [0, 299, -299])
def test_a_body_signed_within_five_minutes_is_accepted(age_s):
    authenticate(signed(at=NOW - timedelta(seconds=age_s)), {"jwks": jwks()}, NOW)


def test_a_timestamp_in_seconds_is_read_too():
    authenticate(signed(stamp=str(int(NOW.timestamp()))), {"jwks": jwks()}, NOW)


@pytest.mark.parametrize(
    "request_",
    [
        signed(at=NOW - timedelta(seconds=301)),
        signed(at=NOW + timedelta(seconds=301)),
        HookRequest(signed().headers, BODY + b" ", ""),
        HookRequest({}, BODY, ""),
        signed(**{"x-shipengine-rsa-sha256-signature": "not base64!"}),
        signed(**{"x-shipengine-rsa-sha256-signature": "é"}),
        signed(**{"x-shipengine-timestamp": "yesterday"}),
        signed(**{"x-shipengine-timestamp": (NOW + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}),
    ],
)
def test_anything_else_is_refused(request_):
    with pytest.raises(SignatureInvalid):
        authenticate(request_, {"jwks": jwks()}, NOW)


@pytest.mark.parametrize("secrets", [{}, {"jwks": ""}, {"jwks": "nonsense"}, {"jwks": jwks("key-0")}])
def test_a_key_that_is_not_here_yet_asks_for_a_repetition(secrets):
    with pytest.raises(KeyUnknown) as unknown:
        authenticate(signed(), secrets, NOW)
    assert unknown.value.retry_after_s


def test_a_delivery_is_named_by_what_it_says():
    identity = identify(signed())
    assert identity.topic == "TRACK_EVENT_V2"
    assert identity.occurred_at == datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    assert identity.api_version == "v2"
    assert identity.correlation == ENVELOPE["resource_url"]


def test_a_repetition_has_the_same_name_however_it_is_written():
    spaced = json.dumps(dict(reversed(ENVELOPE.items())), indent=2).encode()
    assert identify(signed()).delivery_key == identify(signed(spaced, at=NOW + timedelta(minutes=1))).delivery_key


def test_other_data_has_another_name():
    other = json.dumps({**ENVELOPE, "data": {"tracking_number": "1Z", "events": []}}).encode()
    assert identify(signed()).delivery_key != identify(signed(other)).delivery_key


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_identify_never_raises_and_repeats_itself(body):
    first, second = identify(HookRequest({}, body, "")), identify(HookRequest({}, body, ""))
    assert first == second
    assert first.delivery_key
    assert first.topic
