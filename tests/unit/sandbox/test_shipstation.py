"""The simulated ShipStation from inside."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.inside import Inside, inside
from tests.unit.sandbox.waiting import settle
from tradewind.sandbox.shipstation.hooks import RETRY_AFTER_S
from tradewind.sandbox.shipstation.shipping import SCANNED_AFTER_S

SHIP_TO = {
    "name": "Ada Buyer",
    "address_line1": "5 High Street",
    "city_locality": "Leeds",
    "state_province": "",
    "postal_code": "LS1 1AA",
    "country_code": "GB",
}


def shipment(stage: Inside, external_id: str | None = "ship-1", **fields: Any) -> dict[str, Any]:
    described = stage.sandbox.shipstation["main"].describe()
    return {
        **{name: described[name] for name in ("carrier_id", "service_code", "warehouse_id")},
        "external_shipment_id": external_id,
        "external_order_id": "gid://shopify/Order/1",
        "ship_to": SHIP_TO,
        "packages": [{"weight": {"value": 500, "unit": "gram"}}, {"weight": {"value": 250, "unit": "gram"}}],
        **fields,
    }


async def call(
    stage: Inside, method: str, path: str, body: Any = None, version: str = "v2", **query: str
) -> httpx.Response:
    headers = {"API-Key": stage.sandbox.shipstation["main"].api_key}
    return await stage.http.request(
        method, f"/shipstation/main/{version}{path}", json=body, params=query, headers=headers
    )


async def buy(stage: Inside, external_id: str = "ship-1") -> dict[str, Any]:
    answer = await call(stage, "POST", "/labels", {"shipment": shipment(stage, external_id)})
    assert answer.status_code == 200, answer.text
    bought: dict[str, Any] = answer.json()
    return bought


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["error_code"]


async def test_a_label_is_bought_and_found_again_by_every_name() -> None:
    async with inside() as stage:
        label = await buy(stage)
        assert label["shipment"]["total_weight"] == {"value": 750, "unit": "gram"}
        for version in ("v1", "v2"):
            by_id = await call(stage, "GET", f"/labels/{label['label_id']}", version=version)
            by_external = await call(stage, "GET", "/labels/external_shipment_id/ship-1", version=version)
            assert by_id.json() == by_external.json() == label
        for name in ("tracking_number", "batch_id", "shipment_id", "external_shipment_id"):
            assert (await call(stage, "GET", "/labels", **{name: label[name]})).json()["total"] == 1
        assert (await call(stage, "GET", "/labels", label_status="voided")).json()["total"] == 0
        fact = stage.sandbox.truth.of("label_requested")[0]
        assert (fact["external_shipment_id"], fact["external_order_id"]) == ("ship-1", "gid://shopify/Order/1")


async def test_what_is_the_clients_own_on_a_package_comes_back() -> None:
    async with inside() as stage:
        package = {"weight": {"value": 5, "unit": "gram"}, "external_package_id": "p-1", "content_description": "tea"}
        label = (await call(stage, "POST", "/labels", {"shipment": shipment(stage, packages=[package])})).json()
        for of in (label, label["shipment"]):
            assert {name: of["packages"][0][name] for name in package} == package


async def test_an_external_shipment_id_is_taken_for_ever() -> None:
    async with inside() as stage:
        label = await buy(stage)
        again = {"shipment": shipment(stage)}
        assert code(await call(stage, "POST", "/labels", again)) == (400, "identifier_conflict")
        await call(stage, "PUT", f"/labels/{label['label_id']}/void")
        assert code(await call(stage, "POST", "/labels", again)) == (400, "identifier_conflict")
        assert code(await call(stage, "POST", "/shipments", {"shipments": [shipment(stage)]})) == (
            400,
            "identifier_conflict",
        )
        assert len(stage.sandbox.truth.of("label_requested")) == 1
        assert len(stage.sandbox.truth.of("shipment_refused")) == 3


async def test_shipments_without_an_external_id_get_their_own() -> None:
    async with inside() as stage:
        for _ in range(2):
            body = {"shipments": [shipment(stage, None)]}
            stored = (await call(stage, "POST", "/shipments", body)).json()["shipments"][0]
            assert stored["external_shipment_id"] == stored["shipment_id"]


async def test_a_shipment_has_one_label_that_counts() -> None:
    async with inside() as stage:
        label = await buy(stage)
        path = f"/labels/shipment/{label['shipment_id']}"
        assert code(await call(stage, "POST", path, {})) == (400, "invalid_status")
        voided = (await call(stage, "PUT", f"/labels/{label['label_id']}/void")).json()
        assert voided["approved"] is True
        second = (await call(stage, "POST", path, {})).json()
        assert second["label_id"] != label["label_id"]
        first = (await call(stage, "GET", "/labels/external_shipment_id/ship-1")).json()
        assert (first["label_id"], first["voided"]) == (label["label_id"], True)


async def test_a_cancelled_shipment_gets_no_label() -> None:
    async with inside() as stage:
        body = {"shipments": [shipment(stage)]}
        shipment_id = (await call(stage, "POST", "/shipments", body)).json()["shipments"][0]["shipment_id"]
        assert (await call(stage, "PUT", f"/shipments/{shipment_id}/cancel")).status_code == 204
        assert code(await call(stage, "POST", f"/labels/shipment/{shipment_id}", {})) == (400, "invalid_status")
        assert code(await call(stage, "PUT", f"/shipments/{shipment_id}/cancel")) == (400, "invalid_status")
        found = (await call(stage, "GET", "/shipments/external_shipment_id/ship-1")).json()
        assert found["shipment_status"] == "cancelled"


async def test_the_carrier_scans_a_parcel_and_a_scanned_label_is_not_voided() -> None:
    async with inside() as stage:
        await call(stage, "POST", "/environment/webhooks", {"event": "track", "url": "http://shop/track"})
        label = await buy(stage)
        voided = await buy(stage, "ship-2")
        await call(stage, "PUT", f"/labels/{voided['label_id']}/void")
        statuses = []
        for at_s in (SCANNED_AFTER_S["AC"], SCANNED_AFTER_S["IT"], SCANNED_AFTER_S["DE"]):
            stage.clock.advance(at_s - stage.clock.monotonic())
            stage.sandbox.agenda.run_due()
            tracked = (await call(stage, "GET", f"/labels/{label['label_id']}/track")).json()
            statuses.append((tracked["status_code"], len(tracked["events"])))
        assert statuses == [("AC", 1), ("IT", 2), ("DE", 3)]
        await settle(lambda: len(stage.received) == 3)
        assert {json.loads(request.content)["resource_type"] for request in stage.received} == {"TRACK_EVENT_V2"}
        refused = (await call(stage, "PUT", f"/labels/{label['label_id']}/void")).json()
        assert (refused["approved"], refused["reason_code"]) == (False, "label_already_used")
        assert (await call(stage, "GET", f"/labels/{voided['label_id']}/track")).json()["status_code"] == "NY"


@pytest.mark.parametrize(
    ("journey", "statuses", "last"),
    [
        ("second_attempt", ["AC", "IT", "AT", "DE"], ("DELIVERED", "delivered")),
        ("delayed", ["AC", "IT", "EX", "DE"], ("DELIVERED", "delivered")),
        ("undeliverable", ["AC", "IT", "AT", "EX"], ("RETURN_TO_SENDER", "error")),
    ],
)
async def test_a_parcel_may_travel_otherwise(journey: str, statuses: list[str], last: tuple[str, str]) -> None:
    async with inside() as stage:
        shipping = stage.sandbox.shipstation["main"].shipping
        shipping.journey_of = lambda shipment: journey
        label_id = (await buy(stage))["label_id"]
        stage.clock.advance(240)
        stage.sandbox.agenda.run_due()
        tracked = (await call(stage, "GET", f"/labels/{label_id}/track")).json()
        assert [event["status_code"] for event in reversed(tracked["events"])] == statuses
        assert (tracked["status_detail_code"], shipping.labels[label_id]["tracking_status"]) == last
        assert ("actual_delivery_date" in tracked) == (statuses[-1] == "DE")
        assert ("exception_description" in tracked) == (statuses[-1] == "EX")
        assert len(stage.sandbox.truth.of("parcel_scanned")) == 4


async def test_a_webhook_made_under_v1_speaks_v1() -> None:
    async with inside() as stage:
        hook = {"event": "track", "url": "http://shop/v1", "headers": [{"key": "X-Shop", "value": "1"}]}
        await call(stage, "POST", "/environment/webhooks", hook, version="v1")
        label = await buy(stage)
        stage.sandbox.shipstation["main"].shipping.scan(label["label_id"], "AC")
        await settle(lambda: stage.received)
        message = json.loads(stage.received[0].content)
        assert message["resource_type"] == "API_TRACK"
        assert message["resource_url"].endswith(f"/v1/labels/{label['label_id']}/track")
        assert stage.received[0].headers["X-Shop"] == "1"


async def test_each_attempt_is_signed_with_its_own_time() -> None:
    async with inside() as stage:
        await call(stage, "POST", "/environment/webhooks", {"event": "label_created_v2", "url": "http://shop/l"})
        stage.answers = [503]
        await buy(stage)
        await settle(lambda: stage.sandbox.sender.idle)
        stage.clock.advance(RETRY_AFTER_S[0])
        await settle(lambda: len(stage.received) == 2)
        names = ("x-shipengine-timestamp", "x-shipengine-rsa-sha256-signature")
        assert all(stage.received[0].headers[name] != stage.received[1].headers[name] for name in names)


async def test_webhooks_are_kept_changed_and_removed() -> None:
    async with inside() as stage:
        asked = {"event": "label_created_v2", "url": "http://shop/a"}
        made = (await call(stage, "POST", "/environment/webhooks", asked)).json()
        path = f"/environment/webhooks/{made['webhook_id']}"
        assert code(await call(stage, "POST", "/environment/webhooks", asked)) == (409, "webhook_event_type_conflict")
        assert (await call(stage, "PUT", path, {"url": "http://shop/b"})).status_code == 204
        assert (await call(stage, "GET", path)).json() == {**made, "url": "http://shop/b"}
        assert (await call(stage, "DELETE", path)).status_code == 204
        assert (await call(stage, "GET", "/environment/webhooks")).json() == []
        assert code(await call(stage, "GET", path)) == (404, "invalid_identifier")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"carrier_id": None}, "field_value_required"),
        ({"carrier_id": "se-1"}, "invalid_identifier"),
        ({"service_code": "teleport"}, "invalid_field_value"),
        ({"warehouse_id": None}, "field_value_required"),
        ({"ship_to": {**SHIP_TO, "postal_code": ""}}, "field_value_required"),
        ({"ship_to": {**SHIP_TO, "state_province": None}}, "field_value_required"),
        ({"packages": []}, "field_value_required"),
        ({"packages": [{"weight": {"value": 0, "unit": "gram"}}]}, "invalid_field_value"),
    ],
)
async def test_an_incomplete_shipment_is_refused_and_nothing_is_stored(change: dict[str, Any], expected: str) -> None:
    async with inside() as stage:
        answer = await call(stage, "POST", "/labels", {"shipment": shipment(stage, **change)})
        assert answer.json()["errors"][0]["error_code"] == expected
        assert stage.sandbox.shipstation["main"].shipping.shipments == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/labels", {}, (400, "field_value_required")),
        ("POST", "/labels", [], (400, "field_value_required")),
        ("POST", "/labels", ["x"], (400, "field_value_required")),
        ("POST", "/shipments", {}, (400, "field_value_required")),
        ("POST", "/rates", {}, (400, "field_value_required")),
        ("POST", "/environment/webhooks", {"event": "tea", "url": "http://x"}, (400, "invalid_field_value")),
        ("POST", "/environment/webhooks", {"event": "track"}, (400, "field_value_required")),
        ("GET", "/shipments/se-1", None, (404, "invalid_identifier")),
        ("GET", "/shipments/external_shipment_id/x", None, (404, "invalid_identifier")),
        ("GET", "/labels/external_shipment_id/x", None, (404, "invalid_identifier")),
        ("GET", "/carriers/se-1", None, (404, "invalid_identifier")),
        ("GET", "/warehouses/se-1", None, (404, "invalid_identifier")),
        ("GET", "/tracking?tracking_number=x", None, (404, "invalid_identifier")),
        ("GET", "/labels?created_at_start=soon", None, (400, "invalid_field_value")),
        ("GET", "/labels?page=zero", None, (400, "invalid_field_value")),
    ],
)
async def test_a_wrong_request_names_its_fault(method: str, path: str, body: Any, expected: tuple[int, str]) -> None:
    async with inside() as stage:
        path, _, query = path.partition("?")
        assert code(await call(stage, method, path, body, **dict(httpx.QueryParams(query)))) == expected


async def test_a_wrong_key_is_401() -> None:
    async with inside() as stage:
        assert code(await stage.http.get("/shipstation/main/v2/labels")) == (401, "unauthorized")


async def test_lists_are_paged_newest_first_and_filtered_by_time() -> None:
    async with inside() as stage:
        for number in range(5):
            stage.clock.advance(10)
            await buy(stage, f"ship-{number}")
        first = (await call(stage, "GET", "/labels", page_size="2")).json()
        assert [label["external_shipment_id"] for label in first["labels"]] == ["ship-4", "ship-3"]
        assert (first["total"], first["pages"], first["links"]["prev"]) == (5, 3, {})
        headers = {"API-Key": stage.sandbox.shipstation["main"].api_key}
        second = (await stage.http.get(first["links"]["next"]["href"], headers=headers)).json()
        assert [label["external_shipment_id"] for label in second["labels"]] == ["ship-2", "ship-1"]
        third_at = second["labels"][0]["created_at"]
        since = (await call(stage, "GET", "/labels", created_at_start=third_at, sort_dir="asc")).json()["labels"]
        assert [label["external_shipment_id"] for label in since] == ["ship-2", "ship-3", "ship-4"]
        until = await call(stage, "GET", "/shipments", modified_at_end=third_at.removesuffix("Z"))
        assert until.json()["total"] == 3


async def test_rates_are_quoted_for_a_stored_shipment_and_for_a_described_one() -> None:
    async with inside() as stage:
        body = {"shipments": [shipment(stage)]}
        stored = (await call(stage, "POST", "/shipments", body)).json()["shipments"][0]
        quoted = (await call(stage, "POST", "/rates", {"shipment_id": stored["shipment_id"]})).json()
        described = (await call(stage, "POST", "/rates", {"shipment": shipment(stage, None)})).json()
        amounts = [
            [rate["shipping_amount"]["amount"] for rate in answer["rate_response"]["rates"]]
            for answer in (quoted, described)
        ]
        assert amounts[0] == amounts[1]


async def test_a_labels_file_can_be_downloaded() -> None:
    async with inside() as stage:
        label = await buy(stage)
        assert (await stage.http.get(label["label_download"]["pdf"])).content.startswith(b"%PDF")
        assert (await stage.http.get("/shipstation/main/downloads/se-1/label.pdf")).status_code == 404


async def test_the_201st_request_in_a_minute_is_refused_with_the_time_to_wait() -> None:
    async with inside() as stage:
        for _ in range(200):
            assert (await call(stage, "GET", "/warehouses")).status_code == 200
        stage.clock.advance(18)
        refused = await call(stage, "GET", "/warehouses")
        assert code(refused) == (429, "rate_limit_exceeded")
        assert refused.headers["Retry-After"] == "42"
        assert len(stage.sandbox.truth.of("throttled")) == 1
        stage.clock.advance(42)
        assert (await call(stage, "GET", "/warehouses")).status_code == 200
