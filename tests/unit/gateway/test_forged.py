"""Whatever a stranger sends is refused by its signature, and by nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.integration.gateway import signing
from tradewind.domain.connections import Connection
from tradewind.errors import SignatureInvalid
from tradewind.providers.hooks import HookRequest, KeyUnknown
from tradewind.providers.registry import provider_of

HEADERS = [
    "x-shopify-hmac-sha256",
    "stripe-signature",
    "x-shipengine-rsa-sha256-key-id",
    "x-shipengine-rsa-sha256-signature",
    "x-shipengine-timestamp",
    "x-backoffice-timestamp",
    "x-backoffice-signature",
]
NOW = datetime.now(UTC).isoformat()
TELLING = ["t=1,v1=a", f"t={'9' * 25},v1=a", "key-1", "9" * 400, "9" * 5000, "-1", "AAAA", NOW, "¹²"]
VALUES = st.sampled_from(TELLING) | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)


@pytest.mark.parametrize("connection", signing.connections(), ids=lambda each: str(each.key))
@given(headers=st.dictionaries(st.sampled_from(HEADERS), VALUES), body=st.binary(max_size=20))
@example(headers={}, body=b"")
@example(headers=dict.fromkeys(HEADERS, "9" * 400), body=b"")
@example(headers=dict.fromkeys(HEADERS, f"t={'9' * 400},v1=é"), body=b"")
@example(headers=dict.fromkeys(HEADERS, f"t={'9' * 5000},v1=é"), body=b"")
@example(headers=dict.fromkeys(HEADERS, "9" * 5000), body=b"")
@example(headers=dict.fromkeys(HEADERS, "0001-01-01T00:00:00+23:59"), body=b"")
def test_a_forged_delivery_is_refused_by_its_signature(
    connection: Connection, headers: dict[str, str], body: bytes
) -> None:
    provider = provider_of(str(connection.key))
    request = HookRequest(headers, body, "https://hooks.example.com/")
    with pytest.raises((SignatureInvalid, KeyUnknown)):
        provider.authenticate(request, {**connection.settings, **connection.secrets}, datetime.now(UTC))


@pytest.mark.parametrize("connection", signing.connections(), ids=lambda each: str(each.key))
def test_nothing_is_authentic_for_a_connection_without_secrets(connection: Connection) -> None:
    headers = {name.lower(): value for name, value in signing.SIGN[str(connection.key)](b"{}").items()}
    request = HookRequest(headers, b"{}", "https://hooks.example.com/")
    with pytest.raises((SignatureInvalid, KeyUnknown)):
        provider_of(str(connection.key)).authenticate(request, {}, datetime.now(UTC))
