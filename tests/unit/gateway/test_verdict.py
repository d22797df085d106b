"""How a signature held is told by each provider, and kept with the headers."""

from datetime import UTC, datetime

import pytest

from tests.integration.gateway import signing
from tests.integration.gateway.signing import SIGN
from tradewind.gateway.verdict import NAME, verdict_of, with_verdict
from tradewind.providers.hooks import HookRequest, Verdict
from tradewind.providers.registry import provider_of

NAMED = {
    "shopify:north": "client_secret",
    "stripe:main": "webhook_secret",
    "shipstation:main": "public key key-1",
    "backoffice:main": "secret",
}


@pytest.mark.parametrize("connection", SIGN)
def test_each_provider_names_the_secret_that_signed(connection: str) -> None:
    body = b"{}"
    headers = {name.lower(): value for name, value in SIGN[connection](body).items()}
    account = next(one for one in signing.connections() if str(one.key) == connection)
    now = datetime.now(UTC)
    secrets = {**account.settings, **account.secrets}
    verdict = provider_of(connection).authenticate(HookRequest(headers, body, ""), secrets, now)
    assert verdict is not None
    assert verdict.secret == NAMED[connection]
    assert signing.SECRET not in str(verdict)
    if connection == "shopify:north":
        assert verdict.signed_at is None
    else:
        assert verdict.signed_at is not None
        assert abs((now - verdict.signed_at).total_seconds()) < 60


def test_the_older_of_two_secrets_is_told_apart() -> None:
    headers = {name.lower(): value for name, value in signing.stripe(b"{}", "older").items()}
    secrets = {"webhook_secret": "newer", "webhook_secret_previous": "older"}
    verdict = provider_of("stripe:main").authenticate(HookRequest(headers, b"{}", ""), secrets, datetime.now(UTC))
    assert verdict is not None
    assert verdict.secret == "webhook_secret_previous"


@pytest.mark.parametrize("signed_at", [None, datetime(2026, 11, 25, 8, tzinfo=UTC)])
def test_what_was_kept_is_read_again_and_the_headers_are_as_sent(signed_at: datetime | None) -> None:
    sent, verdict = {"x-topic": "orders/create"}, Verdict("HMAC-SHA256 of the body", "client_secret", signed_at)
    stored = with_verdict(sent, verdict)
    assert NAME in stored
    assert verdict_of(stored) == (verdict, sent)
    assert verdict_of(with_verdict(sent, None)) == (None, sent)
