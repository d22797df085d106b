"""The simulated ShipStation, judged by its OpenAPI document and by the official `shipengine` client."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from shipengine import ShipEngine
from shipengine.errors import ShipEngineError

from tests.contracts import contract
from tests.sandboxes import in_loop, running_receiver, running_sandbox
from tradewind.sandbox import Sandbox
from tradewind.sandbox.limits import SlidingWindow
from tradewind.sandbox.shipstation.hooks import EVENTS
from tradewind.sandbox.shipstation.operations import OPERATIONS

DOCUMENT = "shipstation/openapi.yaml.gz"

SHIP_TO = {
    "name": "Ada Buyer",
    "address_line1": "5 High Street",
    "city_locality": "Leeds",
    "state_province": "West Yorkshire",
    "postal_code": "LS1 1AA",
    "country_code": "GB",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    described = sandbox.shipstation["main"].describe()
    with httpx.Client(
        base_url=described["base_url"], headers={"API-Key": described["api_key"]}, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def official(sandbox: Sandbox) -> ShipEngine:
    described = sandbox.shipstation["main"].describe()
    return ShipEngine({"api_key": described["api_key"], "base_uri": f"{described['base_url']}/", "retries": 0})


def shipment(sandbox: Sandbox, external_id: str | None = None, **fields: Any) -> dict[str, Any]:
    described = sandbox.shipstation["main"].describe()
    return {
        **{name: described[name] for name in ("carrier_id", "service_code", "warehouse_id")},
        "external_shipment_id": external_id,
        "external_order_id": "order-1",
        "ship_to": SHIP_TO,
        "packages": [{"weight": {"value": 500, "unit": "gram"}}],
        **fields,
    }


def test_the_official_client_buys_tracks_and_voids_a_label(official: ShipEngine, sandbox: Sandbox) -> None:
    label = official.create_label_from_shipment({"shipment": shipment(sandbox, "official-1")})
    assert (label["status"], label["external_shipment_id"]) == ("completed", "official-1")
    assert official.track_package_by_label_id(label["label_id"])["status_code"] == "NY"
    tracked = official.track_package_by_carrier_code_and_tracking_number(
        label["carrier_code"], label["tracking_number"]
    )
    assert tracked["tracking_number"] == label["tracking_number"]
    assert official.void_label_by_label_id(label["label_id"], {})["approved"] is True
    assert official.void_label_by_label_id(label["label_id"], {})["approved"] is False


def test_the_official_client_lists_carriers_and_rates(official: ShipEngine, sandbox: Sandbox) -> None:
    carrier_id = sandbox.shipstation["main"].carrier_id
    assert [carrier["carrier_id"] for carrier in official.list_carriers()["carriers"]] == [carrier_id]
    rated = official.get_rates_from_shipment(
        {"rate_options": {"carrier_ids": [carrier_id]}, "shipment": shipment(sandbox, "official-2")}
    )
    assert len(rated["rate_response"]["rates"]) == 2


def test_the_official_client_reads_a_taken_external_id_as_an_error(official: ShipEngine, sandbox: Sandbox) -> None:
    official.create_label_from_shipment({"shipment": shipment(sandbox, "official-3")})
    with pytest.raises(ShipEngineError) as taken:
        official.create_label_from_shipment({"shipment": shipment(sandbox, "official-3")})
    assert taken.value.error_code == "identifier_conflict"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_answer_validates_against_the_openapi_document(
    http: httpx.Client, sandbox: Sandbox, version: str
) -> None:
    called = _call_everything(http, sandbox, version)
    problems = [
        f"{method} {path}: {problem}" for method, path, answer in called for problem in _problems(method, path, answer)
    ]
    assert problems == []
    assert {(method, path) for method, path, _ in called} == {(op.method, op.path) for op in OPERATIONS}


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (401, ("GET", "/labels", {"headers": {"API-Key": "wrong"}})),
        (404, ("GET", "/labels/se-1", {})),
        (400, ("POST", "/labels", {"json": {}})),
        (400, ("GET", "/labels", {"params": {"page": "0"}})),
        (400, ("POST", "/shipments", {"content": b"{"})),
    ],
)
def test_every_error_validates_against_the_openapi_document(
    http: httpx.Client, status: int, request_: tuple[str, str, dict[str, Any]]
) -> None:
    method, path, given = request_
    answer = http.request(method, f"/v2{path}", **given)
    assert answer.status_code == status
    _validator({"$ref": "#/components/schemas/error_response_body"}).validate(answer.json())


def test_the_limit_is_answered_with_a_wait(
    http: httpx.Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.shipstation["main"], "limit", SlidingWindow(sandbox.clock, limit=1, window_s=60.0))
    assert http.get("/v2/carriers").status_code == 200
    refused = http.get("/v2/carriers")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    _validator({"$ref": "#/components/schemas/error_response_body"}).validate(refused.json())


def test_webhooks_carry_the_documented_shapes_and_verify_with_the_published_key(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    shapes = contract("shipstation/webhook-shapes.json")
    with running_receiver() as receiver:
        ids = [
            http.post("/v2/environment/webhooks", json={"event": event, "url": receiver.url}).json()["webhook_id"]
            for event in ("label_created_v2", "track")
        ]
        label = http.post("/v2/labels", json={"shipment": shipment(sandbox, "hooked-1")}).json()
        receiver.wait_for(1)
        in_loop(sandbox, lambda: sandbox.shipstation["main"].shipping.scan(label["label_id"], "AC"))
        deliveries = receiver.wait_for(2)
        for webhook_id in ids:
            http.delete(f"/v2/environment/webhooks/{webhook_id}")
    created, tracked = (json.loads(delivery.body) for delivery in deliveries)
    assert created["resource_type"] == shapes["resource_types_v2"]["label_created_v2"].split()[0]
    assert [found["label_id"] for found in http.get(created["resource_url"]).json()["labels"]] == [label["label_id"]]
    assert tracked["resource_type"] == shapes["resource_types_v2"]["track"]
    assert set(tracked["data"]) <= set(shapes["track_data_keys"])
    assert set(tracked["data"]["events"][0]) <= set(shapes["track_event_keys"])
    keys = {key["kid"]: key for key in http.get("/jwks").json()["keys"]}
    for delivery in deliveries:
        assert delivery.headers["user-agent"] == shapes["user_agent"]
        _verify(keys[delivery.headers["x-shipengine-rsa-sha256-key-id"]], delivery.headers, delivery.body)


def test_version_one_offers_the_documented_events() -> None:
    schema = contract(DOCUMENT)["components"]["schemas"]["webhook_event"]
    assert set(EVENTS["v1"]) == set(schema["enum"])
    assert EVENTS["v1"]["track"] == contract("shipstation/webhook-shapes.json")["resource_types_shipengine_v1"]["track"]


def _call_everything(http: httpx.Client, sandbox: Sandbox, version: str) -> list[tuple[str, str, httpx.Response]]:
    """Each operation once, as (method, template, answer)."""
    ids: dict[str, str] = {
        "carrier_id": sandbox.shipstation["main"].carrier_id,
        "warehouse_id": sandbox.shipstation["main"].warehouse_id,
        "external_shipment_id": f"every-{version}",
    }
    called = []

    def call(method: str, path: str, json: Any = None, params: dict[str, str] | None = None) -> Any:
        answer = http.request(method, f"/{version}{path.format(**ids)}", json=json, params=params)
        called.append((method, path, answer))
        return answer.json() if answer.content else None

    label = call("POST", "/labels", {"shipment": shipment(sandbox, f"every-{version}")})
    ids.update(label_id=label["label_id"], shipment_id=label["shipment_id"])
    for path in ("/labels/{label_id}", "/labels/external_shipment_id/{external_shipment_id}"):
        call("GET", path)
    for step in ("AC", "IT", "AT", "EX", "RS", "DE"):
        sandbox.shipstation["main"].shipping.scan(label["label_id"], step)
        call("GET", "/labels/{label_id}/track")
    call("GET", "/shipments/{shipment_id}")
    call("GET", "/tracking", params={"tracking_number": label["tracking_number"], "carrier_code": "royal_mail"})
    call("GET", "/shipments/external_shipment_id/{external_shipment_id}")
    call("GET", "/labels", params={"page_size": "1"})
    stored = call("POST", "/shipments", {"shipments": [shipment(sandbox), shipment(sandbox)]})["shipments"]
    ids["shipment_id"] = stored[0]["shipment_id"]
    ids["label_id"] = call("POST", "/labels/shipment/{shipment_id}", {})["label_id"]
    call("PUT", "/labels/{label_id}/void")
    ids["shipment_id"] = stored[1]["shipment_id"]
    call("POST", "/rates", {"shipment_id": ids["shipment_id"], "rate_options": {"carrier_ids": [ids["carrier_id"]]}})
    call("PUT", "/shipments/{shipment_id}/cancel")
    call("GET", "/shipments", params={"page_size": "1", "page": "2"})
    for path in ("/carriers", "/carriers/{carrier_id}", "/carriers/{carrier_id}/services"):
        call("GET", path)
    for path in ("/warehouses", "/warehouses/{warehouse_id}"):
        call("GET", path)
    hook = call("POST", "/environment/webhooks", {"event": "batch", "url": "https://example.com/hook"})
    ids["webhook_id"] = hook["webhook_id"]
    call("GET", "/environment/webhooks")
    call("GET", "/environment/webhooks/{webhook_id}")
    call("PUT", "/environment/webhooks/{webhook_id}", {"url": "https://example.com/other"})
    call("DELETE", "/environment/webhooks/{webhook_id}")
    return called


def _problems(method: str, path: str, answer: httpx.Response) -> list[str]:
    """What the document has against an answer."""
    responses = contract(DOCUMENT)["paths"][f"/v1{path}"][method.lower()]["responses"]
    if str(answer.status_code) not in responses:
        return [f"status {answer.status_code} is not documented: {answer.text}"]
    if answer.status_code == 204:
        return []
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    found = _validator(schema).iter_errors(answer.json())
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in found if not _is_the_documents_mistake(e)]


def _is_the_documents_mistake(error: Any) -> bool:
    """Two fields have the pattern of an identifier (`se-…`), unlike the document's own examples of them."""
    misdescribed = (["services", "carrier_code"], ["rate_response", "created_at"])
    return error.validator == "pattern" and [p for p in error.absolute_path if isinstance(p, str)][-2:] in misdescribed


def _validator(schema: Mapping[str, Any]) -> OAS30Validator:
    return OAS30Validator(_merged(schema), format_checker=oas30_format_checker)


def _merged(schema: Any) -> Any:
    """The schema without `$ref` and `allOf`.

    The document writes `additionalProperties: false` beside `allOf`, which taken literally allows no property at all
    (its own examples fail): so the parts are merged into one schema first.
    """
    if isinstance(schema, list):
        return [_merged(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target: Any = contract(DOCUMENT)
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _merged(target)
    merged = {key: _merged(value) for key, value in schema.items() if key not in ("allOf", "example", "properties")}
    merged["properties"] = {name: _merged(value) for name, value in schema.get("properties", {}).items()}
    for part in map(_merged, schema.get("allOf", [])):
        merged["properties"] = {**part.get("properties", {}), **merged["properties"]}
        merged["required"] = sorted({*part.get("required", []), *merged.get("required", [])})
        merged = {**{key: value for key, value in part.items() if key not in merged}, **merged}
    return {key: value for key, value in merged.items() if value or key not in ("properties", "required")}


def _verify(jwk: dict[str, str], headers: dict[str, str], body: bytes) -> None:
    """Raises InvalidSignature unless the key signed `{timestamp}.{body}`."""
    numbers = {name: int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "==="), "big") for name in ("n", "e")}
    signed = headers["x-shipengine-timestamp"].encode() + b"." + body
    rsa.RSAPublicNumbers(**numbers).public_key().verify(
        base64.b64decode(headers["x-shipengine-rsa-sha256-signature"]), signed, padding.PKCS1v15(), hashes.SHA256()
    )
