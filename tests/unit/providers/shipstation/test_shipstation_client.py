from datetime import UTC, datetime

import httpx
import pytest

from tests.unit.providers.labels import COMMAND, DETAILS, NAME, SETTINGS, label_object
from tests.unit.providers.wire import Wire, connection, pages
from tradewind.domain.commands import VoidLabel
from tradewind.domain.connections import Role
from tradewind.domain.events import Resource
from tradewind.domain.order import LabelState, TrackingStatus
from tradewind.domain.roles import Carrier
from tradewind.errors import ConfigurationError, OutcomeUnknown, RequestRejected, SchemaMismatch
from tradewind.providers.shipstation.client import ShipStationClient
from tradewind.providers.shipstation.operations import V1, V2, Operation

VOID = VoidLabel(connection=NAME, order_id="o", label="se-77")


def shipstation(wire, **settings):
    made = connection(
        NAME,
        Role.CARRIER,
        settings={"base_url": "http://provider/ss", **SETTINGS, **settings},
        secrets={"api_key": "key"},
    )
    return ShipStationClient(made, wire.governor, client=wire.client())


def refusal(code, status=400):
    error = {"error_source": "shipengine", "error_type": "validation", "error_code": code, "message": "no"}
    return httpx.Response(status, json={"request_id": "r", "errors": [error]})


async def test_a_label_is_bought_with_our_id():
    wire = Wire(label_object())
    client = shipstation(wire)
    assert isinstance(client, Carrier)
    (event,) = await wire.clock.run(client.buy_label(COMMAND, DETAILS))
    assert wire.asked == ["POST /ss/v2/labels"]
    assert wire.requests[0].headers["API-Key"] == "key"
    assert wire.json()["shipment"]["external_shipment_id"] == COMMAND.external_shipment_id
    assert "test_label" not in wire.json()
    assert event.label.fulfillment_order_id == COMMAND.fulfillment_order
    assert event.label.tracking_number == "9400111"


async def test_the_same_call_goes_to_shipengine_under_its_prefix():
    wire = Wire(label_object())
    await wire.clock.run(shipstation(wire, prefix="v1", test_label="true").buy_label(COMMAND, DETAILS))
    assert wire.asked == ["POST /ss/v1/labels"]
    assert wire.json()["test_label"] is True


@pytest.mark.parametrize("failure", [502, httpx.ReadTimeout("slow"), httpx.ReadError("gone")])
async def test_a_label_without_answer_is_never_asked_for_again_by_itself(failure):
    wire = Wire(failure)
    with pytest.raises(OutcomeUnknown):
        await wire.clock.run(shipstation(wire).buy_label(COMMAND, DETAILS))
    assert len(wire.requests) == 1


async def test_an_id_that_is_taken_gives_the_label_bought_before():
    wire = Wire(refusal("identifier_conflict", 409), label_object())
    (event,) = await wire.clock.run(shipstation(wire).buy_label(COMMAND, DETAILS))
    assert event.label.external_id == "se-77"
    assert wire.asked[1] == f"GET /ss/v2/labels/external_shipment_id/{COMMAND.external_shipment_id}"


async def test_a_shipment_that_was_left_without_label_gets_one():
    wire = Wire(refusal("identifier_conflict", 409), 404, {"shipment_id": "se-5"}, label_object())
    (event,) = await wire.clock.run(shipstation(wire).buy_label(COMMAND, DETAILS))
    assert event.label.external_id == "se-77"
    assert wire.asked[2:] == [
        f"GET /ss/v2/shipments/external_shipment_id/{COMMAND.external_shipment_id}",
        "POST /ss/v2/labels/shipment/se-5",
    ]


async def test_a_refused_label_names_the_providers_code():
    wire = Wire(refusal("invalid_address"))
    with pytest.raises(RequestRejected) as rejected:
        await wire.clock.run(shipstation(wire).buy_label(COMMAND, DETAILS))
    assert (rejected.value.status, rejected.value.code) == (400, "invalid_address")


async def test_a_label_is_found_by_our_id_or_not_at_all():
    wire = Wire(label_object(), refusal("invalid_identifier", 404), label_object(status="error"))
    client = shipstation(wire)
    (event,) = await wire.clock.run(client.find_label(COMMAND))
    assert event.label.external_id == "se-77"
    assert await wire.clock.run(client.find_label(COMMAND)) == ()
    assert await wire.clock.run(client.find_label(COMMAND)) == ()  # one that was never made


async def test_a_failed_search_is_not_taken_for_an_empty_one():
    wire = Wire(refusal("unauthorized", 401))
    with pytest.raises(RequestRejected):
        await wire.clock.run(shipstation(wire).find_label(COMMAND))


async def test_a_void_gives_the_label_as_it_is_then():
    wire = Wire({"approved": True, "message": "ok"}, label_object(voided=True, status="voided"))
    (event,) = await wire.clock.run(shipstation(wire).void_label(VOID))
    assert event.label.state is LabelState.VOIDED
    assert wire.asked == ["PUT /ss/v2/labels/se-77/void", "GET /ss/v2/labels/se-77"]


@pytest.mark.parametrize("answer", [{"approved": False, "message": "done"}, refusal("invalid_status")])
async def test_voiding_a_void_label_is_a_success(answer):
    wire = Wire(answer, label_object(voided=True))
    (event,) = await wire.clock.run(shipstation(wire).void_label(VOID))
    assert event.label.state is LabelState.VOIDED


async def test_a_void_that_the_carrier_does_not_approve_is_a_refusal():
    wire = Wire({"approved": False, "message": "no", "reason_code": "label_already_used"}, label_object())
    with pytest.raises(RequestRejected) as rejected:
        await wire.clock.run(shipstation(wire).void_label(VOID))
    assert rejected.value.code == "label_already_used"


async def test_a_void_may_be_sent_again():
    wire = Wire(502, {"approved": True, "message": ""}, label_object(voided=True))
    await wire.clock.run(shipstation(wire).void_label(VOID))
    assert wire.asked[:2] == ["PUT /ss/v2/labels/se-77/void"] * 2


def resource(external_id, kind="label"):
    return Resource(connection=NAME, kind=kind, external_id=external_id)


async def test_a_hint_of_one_label_or_of_a_list_is_fetched():
    page = {"labels": [label_object(), label_object(label_id="se-78")], "page": 1, "pages": 1, "total": 2, "links": {}}
    wire = Wire(label_object(), page)
    client = shipstation(wire)
    (event,) = await wire.clock.run(client.fetch(resource("se-77")))
    assert event.label.external_id == "se-77"
    both = await wire.clock.run(client.fetch(resource("batch_id=se-9")))
    assert [event.label.external_id for event in both] == ["se-77", "se-78"]
    assert wire.requests[1].url.params["batch_id"] == "se-9"
    assert await wire.clock.run(client.fetch(resource("x", kind="order"))) == ()


async def test_a_label_that_tells_nothing_of_its_parcel_is_read_with_its_scans():
    scan = {"occurred_at": "2026-11-01T12:00:00Z", "status_code": "AC"}
    wire = Wire(label_object(tracking_status="unknown"), {"tracking_number": "9400111", "events": [scan]})
    label, scanned = await wire.clock.run(shipstation(wire).fetch(resource("se-77")))
    assert (label.label.external_id, scanned.status) == ("se-77", TrackingStatus.ACCEPTED)
    assert wire.asked == ["GET /ss/v2/labels/se-77", "GET /ss/v2/labels/se-77/track"]


@pytest.mark.parametrize(
    "answer", [refusal("tracking_not_found", 404), {"tracking_number": "9400111", "status_code": "IT"}]
)
async def test_a_parcel_without_scans_gives_the_label_alone(answer):
    wire = Wire(label_object(tracking_status="unknown"), answer)
    assert len(await wire.clock.run(shipstation(wire).fetch(resource("se-77")))) == 1


async def test_a_void_label_has_no_parcel_to_look_for():
    wire = Wire(label_object(tracking_status="unknown", voided=True))
    assert len(await wire.clock.run(shipstation(wire).fetch(resource("se-77")))) == 1
    assert len(wire.requests) == 1


async def test_labels_of_a_range_are_paged_to_the_end():
    def page(number, *labels):
        return {"labels": list(labels), "page": number, "pages": 2, "total": 3, "links": {}}

    wire = Wire(
        page(1, label_object(), label_object(label_id="se-78", status="error")), page(2, label_object(label_id="se-79"))
    )
    since, until = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    found = await wire.clock.run(pages(shipstation(wire).labels(since, until)))
    assert [[event.label.external_id for event in page] for page in found] == [["se-77"], ["se-79"]]
    params = wire.requests[0].url.params
    assert params["created_at_start"] == "2026-11-01T00:00:00.000000Z"
    assert params["sort_dir"] == "asc"
    assert [request.url.params["page"] for request in wire.requests] == ["1", "2"]


async def test_tracking_is_subscribed_to_once():
    known = {"webhook_id": "se-1", "url": "https://shop/hooks", "event": "track"}
    wire = Wire([], known, [known])
    client = shipstation(wire)
    (made,) = await wire.clock.run(client.subscribe("https://shop/hooks"))
    assert (made.external_id, made.topic) == ("se-1", "track")
    assert wire.json(1) == {"event": "track", "url": "https://shop/hooks"}
    assert await wire.clock.run(client.subscribe("https://shop/hooks")) == ()


async def test_unsubscribing_twice_is_a_success():
    wire = Wire(204, refusal("invalid_identifier", 404))
    client = shipstation(wire)
    await wire.clock.run(client.unsubscribe("se-1"))
    await wire.clock.run(client.unsubscribe("se-1"))


async def test_health_names_the_carrier_and_misses_another():
    carriers = {"carriers": [{"carrier_id": "se-123", "nickname": "Depot", "friendly_name": "USPS"}]}
    wire = Wire(carriers)
    assert (await wire.clock.run(shipstation(wire).health())).account_name == "Depot"
    with pytest.raises(RequestRejected) as rejected:
        await wire.clock.run(shipstation(wire, carrier_id="se-0").health())
    assert rejected.value.code == "carrier_not_connected"


async def test_signing_keys_are_fetched_without_the_api_key():
    wire = Wire({"keys": []}, {})
    client = shipstation(wire, jwks_url="http://keys/jwks")
    assert await wire.clock.run(client.signing_keys()) == '{"keys": []}'
    assert str(wire.requests[0].url) == "http://keys/jwks"
    assert "API-Key" not in wire.requests[0].headers
    with pytest.raises(SchemaMismatch):
        await wire.clock.run(client.signing_keys())


async def test_two_hundred_calls_a_minute_are_never_exceeded():
    wire = Wire(label_object())
    client = shipstation(wire)

    async def work():
        for _ in range(400):
            await client.find_label(COMMAND)
            times.append(wire.clock.elapsed_s)

    times = []
    await wire.clock.run(work())
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[200:], strict=False))


def test_the_table_names_every_operation_for_both_prefixes():
    for field in V2.__dataclass_fields__:
        two, one = getattr(V2, field), getattr(V1, field)
        if isinstance(two, Operation):
            assert two.path.startswith("/v2/")
            assert one == Operation(two.name, two.method, two.path.replace("/v2/", "/v1/"), two.idempotent)


@pytest.mark.parametrize(("settings", "setting"), [({"prefix": "v3"}, "prefix"), ({}, "api_key")])
def test_a_wrong_connection_names_the_setting(settings, setting):
    with pytest.raises(ConfigurationError) as wrong:
        ShipStationClient(connection(NAME, Role.CARRIER, settings=settings), Wire(200).governor)
    assert wrong.value.setting == setting
