import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookRequest
from tradewind.providers.shopify.webhooks import authenticate, identify

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECRETS = {"client_id": "app", "client_secret": "hush"}
BODY = b'{"id": 1}'


def sign(body=BODY, secret="hush"):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def request(body=BODY, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(headers=named, body=body, url="/hooks/shopify/north")


@pytest.mark.parametrize("name", ["x_shopify_hmac_sha256", "shopify_hmac_sha256"])
def test_a_body_signed_with_the_client_secret_is_authentic(name):
    authenticate(request(**{name: sign()}), SECRETS, NOW)


@pytest.mark.parametrize("name", ["client_secret_previous", "webhook_secret", "webhook_secret_previous"])
def test_every_live_secret_is_accepted(name):
    authenticate(request(x_shopify_hmac_sha256=sign(secret="old")), {**SECRETS, name: "old"}, NOW)


def test_a_replaced_secret_is_good_until_its_time():
    old = request(x_shopify_hmac_sha256=sign(secret="old"))
    secrets = {**SECRETS, "client_secret_previous": "old", "client_secret_previous_until": NOW.isoformat()}
    authenticate(old, secrets, NOW - timedelta(seconds=1))
    with pytest.raises(SignatureInvalid):
        authenticate(old, secrets, NOW)


@pytest.mark.parametrize(
    "signature", ["", "%%%", "Zm9v", "ünlautbar", sign(secret="guess"), sign(b'{"id": 2}'), sign()[:-4]]
)
def test_another_signature_is_refused(signature):
    with pytest.raises(SignatureInvalid):
        authenticate(request(x_shopify_hmac_sha256=signature), SECRETS, NOW)


def test_a_missing_signature_or_secret_is_refused():
    with pytest.raises(SignatureInvalid):
        authenticate(request(), SECRETS, NOW)
    for secrets in ({}, {"client_secret": ""}, {"client_id": "hush"}):
        with pytest.raises(SignatureInvalid):
            authenticate(request(x_shopify_hmac_sha256=sign(secret="")), secrets, NOW)


def test_the_webhook_id_names_the_delivery_and_the_event_id_correlates():
    seen = identify(
        request(
            x_shopify_webhook_id="w-1",
            x_shopify_event_id="e-1",
            x_shopify_topic="orders/create",
            x_shopify_triggered_at="2026-10-31T18:00:27.877041743Z",
            x_shopify_api_version="2026-10",
        )
    )
    assert (seen.delivery_key, seen.topic, seen.correlation, seen.api_version) == (
        "w-1", "orders/create", "e-1", "2026-10",
    )  # fmt: skip
    assert seen.occurred_at == datetime(2026, 10, 31, 18, 0, 27, 877041, tzinfo=UTC)


def test_the_newer_header_names_are_read():
    seen = identify(request(shopify_webhook_id="w-1", shopify_topic="orders/paid"))
    assert (seen.delivery_key, seen.topic) == ("w-1", "orders/paid")


def test_a_delivery_without_id_is_named_by_topic_and_body():
    first, again = (identify(request(x_shopify_topic="orders/paid")) for _ in range(2))
    assert first == again
    assert first.delivery_key != identify(request(x_shopify_topic="orders/create")).delivery_key
    assert first.delivery_key != identify(request(b"{}", x_shopify_topic="orders/paid")).delivery_key


@given(st.binary(max_size=50), st.text(max_size=30), st.text(max_size=30))
def test_identify_never_raises(body, triggered_at, topic):
    seen = identify(request(body, x_shopify_triggered_at=triggered_at, x_shopify_topic=topic))
    assert seen.delivery_key
