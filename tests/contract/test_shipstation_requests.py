"""What the ShipStation client sends and reads, judged by ShipEngine's OpenAPI document."""

import re
from datetime import UTC, datetime

import httpx
import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from tests.contracts import contract
from tests.unit.providers.labels import COMMAND, DETAILS, NAME, SETTINGS, label_object
from tests.unit.providers.wire import Wire, connection, pages
from tradewind.domain.commands import VoidLabel
from tradewind.domain.connections import Role
from tradewind.domain.events import Resource
from tradewind.providers.shipstation.client import ShipStationClient
from tradewind.providers.shipstation.mapping import (
    _LABEL_STATUS,
    _RETURNED,
    _STATUS,
    CarrierList,
    LabelObject,
    LabelPage,
    ScanObject,
    ShipmentObject,
    TrackObject,
    VoidAnswer,
    WebhookObject,
)
from tradewind.providers.shipstation.operations import V1, Operation

DOCUMENT = "shipstation/openapi.yaml.gz"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TAKEN = httpx.Response(409, json={"request_id": "r", "errors": [{"error_code": "identifier_conflict"}]})
WEBHOOK = {"webhook_id": "se-1", "url": "https://shop/hooks", "event": "batch"}
PAGE = {"labels": [label_object()], "page": 1, "pages": 1, "total": 1, "links": {}}


def resolved(schema):
    """Without `$ref` and `allOf`: `additionalProperties: false` beside `allOf`, taken literally, allows nothing."""
    if isinstance(schema, list):
        return [resolved(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = contract(DOCUMENT)
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return resolved(target)
    merged = {name: resolved(value) for name, value in schema.items() if name not in ("allOf", "example")}
    for part in (resolved(part) for part in schema.get("allOf", ())):
        for name, value in part.items():
            if name == "properties":
                merged["properties"] = {**value, **merged.get("properties", {})}
            elif name == "required":
                merged["required"] = [*value, *merged.get("required", [])]
            else:
                merged.setdefault(name, value)
    return merged


def faults(schema, value):
    validator = OAS30Validator(resolved(schema), format_checker=oas30_format_checker)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]


def documented(request):
    """(operation, parameters) of a request, by method and path."""
    paths = contract(DOCUMENT)["paths"]
    for path in sorted(paths, key=lambda path: path.count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in paths[path]:
            operation = paths[path][request.method.lower()]
            return operation, [*operation.get("parameters", []), *paths[path].get("parameters", [])]
    return None, []


CALLS = {
    "health": (lambda c: c.health(), [{"carriers": [{"carrier_id": SETTINGS["carrier_id"]}]}]),
    "fetch": (lambda c: c.fetch(Resource(connection=NAME, kind="label", external_id="se-77")), [label_object()]),
    "fetch_unscanned": (
        lambda c: c.fetch(Resource(connection=NAME, kind="label", external_id="se-77")),
        [label_object(tracking_status="unknown"), {"tracking_number": "9400111", "events": []}],
    ),
    "fetch_list": (lambda c: c.fetch(Resource(connection=NAME, kind="label", external_id="batch_id=se-9")), [PAGE]),
    "labels": (lambda c: pages(c.labels(NOW, NOW)), [PAGE]),
    "find_label": (lambda c: c.find_label(COMMAND), [label_object()]),
    "buy_label": (lambda c: c.buy_label(COMMAND, DETAILS), [label_object()]),
    "buy_for_shipment": (
        lambda c: c.buy_label(COMMAND, DETAILS),
        [TAKEN, 404, {"shipment_id": "se-5"}, label_object()],
    ),
    "void_label": (
        lambda c: c.void_label(VoidLabel(connection=NAME, order_id="o", label="se-77")),
        [{"approved": True, "message": ""}, label_object(voided=True)],
    ),
    "subscriptions": (lambda c: c.subscriptions(), [[WEBHOOK]]),
    "subscribe": (lambda c: c.subscribe("https://shop/hooks"), [[], WEBHOOK]),
    "unsubscribe": (lambda c: c.unsubscribe("se-1"), [204]),
}


@pytest.mark.parametrize("method", CALLS)
async def test_every_request_is_documented_and_valid(method):
    call, answers = CALLS[method]
    wire = Wire(*answers)
    settings = {"base_url": "http://provider", "prefix": "v1", **SETTINGS}
    made = connection(NAME, Role.CARRIER, settings=settings, secrets={"api_key": "k"})
    await wire.clock.run(call(ShipStationClient(made, wire.governor, client=wire.client())))
    for request in wire.requests:
        operation, parameters = documented(request)
        assert operation is not None, f"{request.method} {request.url.path} is not documented"
        described = {item["name"]: item["schema"] for item in map(resolved, parameters) if item["in"] == "query"}
        for name, value in request.url.params.items():
            assert name in described, f"{request.url.path} has no parameter {name}"
            assert faults(described[name], int(value) if described[name].get("type") == "integer" else value) == []
        if request.content:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert faults(schema, httpx.Response(200, content=request.content).json()) == []


def test_every_operation_of_the_table_is_documented():
    paths = contract(DOCUMENT)["paths"]
    for field in V1.__dataclass_fields__:
        operation = getattr(V1, field)
        if isinstance(operation, Operation):
            assert operation.method.lower() in paths[operation.path], operation
    assert V1.track_event in resolved({"$ref": "#/components/schemas/webhook_event"})["enum"]
    assert V1.host == contract(DOCUMENT)["servers"][0]["url"]


@pytest.mark.parametrize(
    ("model", "schema"),
    [
        (LabelObject, "label"),
        (LabelPage, "list_labels_response_body"),
        (VoidAnswer, "void_label_response_body"),
        (ShipmentObject, "get_shipment_by_external_id_response_body"),
        (CarrierList, "list_carriers_response_body"),
        (WebhookObject, "webhook"),
        (TrackObject, "tracking_information"),
        (ScanObject, "track_event"),
    ],
)
def test_what_is_read_of_an_answer_is_in_the_document(model, schema):
    described = resolved({"$ref": f"#/components/schemas/{schema}"})["properties"]
    assert set(model.model_fields) <= set(described)


def test_every_tracking_status_has_a_word():
    assert set(_STATUS) == set(resolved({"$ref": "#/components/schemas/status_code"})["enum"])
    assert set(_LABEL_STATUS) == set(resolved({"$ref": "#/components/schemas/tracking_status"})["enum"])
    assert set(_RETURNED) <= set(resolved({"$ref": "#/components/schemas/status_detail_code"})["enum"])


def test_a_package_keeps_the_id_that_it_was_asked_for_with():
    asked = resolved({"$ref": "#/components/schemas/package"})["properties"]
    answered = resolved({"$ref": "#/components/schemas/label_package"})["properties"]
    assert "external_package_id" in asked.keys() & answered.keys()
