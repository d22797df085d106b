"""What is shown of a delivery when nobody asked to see personal data."""

import gzip
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.contracts import contracts_dir
from tradewind.ledger.masking import MASK, masked_body, masked_headers, revealed_body

PERSONAL = [
    "first_name",
    "last_name",
    "name",
    "email",
    "contact_email",
    "phone",
    "address1",
    "address2",
    "city",
    "zip",
    "company",
    "province",
    "note",
    "browser_ip",
    "ip_address",
    "latitude",
    "longitude",
    "birth_date",
    "street",
    "tax_id",
    "tax_exemption_name",
    "multipass_identifier",
    "description",
    "statement_descriptor",
    "something_that_a_provider_adds_tomorrow",
]


@given(
    field=st.sampled_from(PERSONAL),
    above=st.lists(st.sampled_from(["data", "object", "order", "orders", "placed", "payload"]), max_size=3),
    in_list=st.booleans(),
)
def test_a_person_is_masked_wherever_it_stands(field: str, above: list[str], in_list: bool) -> None:
    value: Any = {field: "Ada Lovelace"}
    for name in above:
        value = {name: [value] if in_list else value}
    assert "Ada" not in masked_body(json.dumps(value).encode())


@given(st.sampled_from(["customer", "shipping_address", "billing_details", "ship_to", "card", "personal"]))
def test_of_a_person_only_ids_are_shown(part: str) -> None:
    person = {"id": 17, "latitude": 51.5, "zip": 90210, "currency": "GBP", "created_at": "2026-11-01", "verified": True}
    shown = json.loads(masked_body(json.dumps({part: person}).encode()))[part]
    assert shown == {**dict.fromkeys(person, MASK), "id": 17, "verified": True}


def test_what_operations_look_for_is_shown() -> None:
    order = {
        "id": 1,
        "admin_graphql_api_id": "gid://shopify/Order/1",
        "created_at": "2026-11-01T00:00:00Z",
        "financial_status": "paid",
        "total_price": "10.00",
        "currency": "GBP",
        "payment_gateway_names": ["stripe"],
        "line_items": [{"sku": "A-1", "quantity": 2, "price": "5.00"}],
        "cancel_reason": None,
    }
    assert json.loads(masked_body(json.dumps(order).encode())) == order


def test_shopifys_own_examples_show_nobody() -> None:
    with gzip.open(contracts_dir() / "shopify" / "webhook-samples-2026-07.json.gz") as file:
        samples = json.load(file)
    people = ("Steve", "Shipper", "Bob", "Norman", "jon@", "@example.com", "123 ", "555-", "Beverly", "K2P0V6")
    for topic in ("orders/create", "orders/updated", "orders/cancelled", "fulfillments/create", "customers/create"):
        if topic not in samples:
            continue
        response = samples[topic]["response"]
        shown = masked_body((response if isinstance(response, str) else json.dumps(response)).encode())
        assert not [word for word in people if word in shown], topic


def test_a_body_that_is_no_json_shows_only_its_size() -> None:
    assert masked_body(b"Ada, London") == "11 bytes that are no JSON"
    assert "Ada" not in masked_body(b'{"name": "Ada"')
    assert "no JSON" in masked_body(b"[" * 100_000)


def test_headers_that_authenticate_or_tell_who_called_are_masked() -> None:
    headers = {"x-shopify-topic": "orders/create", "stripe-signature": "t=1,v1=a", "x-forwarded-for": "203.0.113.9"}
    shown = masked_headers(headers)
    assert shown == {"x-shopify-topic": "orders/create", "stripe-signature": MASK, "x-forwarded-for": MASK}


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: json.dumps(text, ensure_ascii=False).encode()))
def test_nothing_revealed_moves_the_cursor(body: bytes) -> None:
    shown = revealed_body(body)
    assert all(each.isprintable() or each in "\n\t" for each in shown)


def test_revealed_json_is_whole() -> None:
    assert json.loads(revealed_body(b'{"name": "Ad\xc3\xa9"}')) == {"name": "Adé"}
