import hashlib
import hmac
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.providers.wire import Wire, connection, pages
from tradewind.domain.connections import Role
from tradewind.domain.events import Resource
from tradewind.domain.roles import Journal
from tradewind.errors import ConfigurationError, SchemaMismatch, SignatureInvalid
from tradewind.providers.backoffice import authenticate, events, identify
from tradewind.providers.backoffice.client import BackOfficeClient
from tradewind.providers.hooks import HookRequest

NAME = "backoffice:main"
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DOCUMENT = {
    "document": "C576340",
    "kind": "credit",
    "reason": "no sale of this file matches",
    "occurred_at": "2011-11-14T09:30:00",
    "currency": "GBP",
    "total": "-12.50",
    "lines": [{"sku": "22423", "description": None, "quantity": -1, "unit_price": "12.50"}],
}
BODY = json.dumps(DOCUMENT).encode()


def signed(body=BODY, *, secret="s", at=NOW):
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"x-backoffice-timestamp": timestamp, "x-backoffice-signature": signature, "x-backoffice-id": "doc-1"}
    return HookRequest(headers, body, "")


def test_a_document_signed_with_the_secret_is_accepted():
    authenticate(signed(), {"secret": "s"}, NOW)
    authenticate(signed(), {"secret": "new", "secret_previous": "s"}, NOW)


@pytest.mark.parametrize(
    ("request_", "secrets"),
    [
        (signed(at=NOW - timedelta(seconds=301)), {"secret": "s"}),
        (signed(at=NOW + timedelta(seconds=301)), {"secret": "s"}),
        (signed(secret="other"), {"secret": "s"}),
        (signed(), {}),
        (HookRequest(signed().headers, BODY + b" ", ""), {"secret": "s"}),
        (HookRequest({}, BODY, ""), {"secret": "s"}),
        (HookRequest({**signed().headers, "x-backoffice-signature": "é"}, BODY, ""), {"secret": "s"}),
    ],
)
def test_anything_else_is_refused(request_, secrets):
    with pytest.raises(SignatureInvalid):
        authenticate(request_, secrets, NOW)


def test_a_delivery_is_named_by_the_back_offices_id():
    identity = identify(signed())
    assert (identity.delivery_key, identity.correlation) == ("doc-1", "C576340")
    assert identity.occurred_at == datetime(2011, 11, 14, 9, 30, tzinfo=UTC)


@given(st.binary(max_size=100))
def test_identify_never_raises(body):
    assert identify(HookRequest({}, body, "")).delivery_key.startswith("sha256:")


def read(**changes):
    body = json.dumps({**DOCUMENT, **changes}).encode()
    return events("document", body, connection=NAME, received_at=NOW)


def test_a_document_is_a_fact_of_its_day():
    (event,) = read()
    assert (event.document, event.kind) == ("C576340", "credit")
    assert event.total.minor == -1250
    assert event.business_day == date(2011, 11, 14)
    assert (event.lines[0].quantity, event.lines[0].description) == (-1, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"total": "12.505"},
        {"total": "lots"},
        {"total": "NaN"},
        {"kind": "gift"},
        {"document": ""},
        {"currency": "pounds"},
    ],
)
def test_a_document_of_another_shape_is_a_schema_mismatch(changes):
    with pytest.raises(SchemaMismatch):
        read(**changes)


def test_a_body_that_is_no_json_is_a_schema_mismatch():
    with pytest.raises(SchemaMismatch):
        events("document", b"<xml/>", connection=NAME, received_at=NOW)


def backoffice(wire):
    made = connection(
        NAME, Role.JOURNAL, settings={"base_url": "http://provider/backoffice/main"}, secrets={"secret": "s"}
    )
    return BackOfficeClient(made, wire.governor, client=wire.client())


async def test_documents_booked_since_a_time_are_listed_whenever_they_occurred():
    early = {**DOCUMENT, "document": "C2", "occurred_at": "2010-11-16T00:00:00Z"}
    wire = Wire({"documents": [DOCUMENT, early]})
    client = backoffice(wire)
    assert isinstance(client, Journal)
    since, until = datetime(2011, 11, 14, tzinfo=UTC), datetime(2011, 11, 15, tzinfo=UTC)
    found = await wire.clock.run(pages(client.documents(since, until)))
    assert [[event.document for event in page] for page in found] == [["C576340", "C2"]]
    assert wire.requests[0].url.params["since"] == "2011-11-14T00:00:00+00:00"
    assert wire.requests[0].headers["Authorization"] == "Bearer s"


async def test_one_address_is_subscribed():
    wire = Wire({})
    client = backoffice(wire)
    (made,) = await wire.clock.run(client.subscribe("https://shop/hooks"))
    assert made.url == "https://shop/hooks"
    assert wire.asked == ["POST /backoffice/main/subscription"]
    assert wire.json() == {"url": "https://shop/hooks"}
    assert await client.subscriptions() == ()
    assert await client.fetch(Resource(connection=NAME, kind="order", external_id="x")) == ()
    await client.unsubscribe("document")
    await client.aclose()


async def test_health_reads_with_the_secret():
    wire = Wire({"documents": []})
    assert (await wire.clock.run(backoffice(wire).health())).account_name == NAME


def test_a_connection_without_secret_is_a_configuration_error():
    with pytest.raises(ConfigurationError):
        BackOfficeClient(connection(NAME, Role.JOURNAL), Wire(200).governor)
