import json
from datetime import UTC, datetime

import pytest

from tests.unit.providers.labels import COMMAND, DETAILS, SETTINGS, label_object
from tradewind.domain.events import Ignored, ResourceChanged, TrackingScanned
from tradewind.domain.money import Money
from tradewind.domain.order import Address, LabelState, TrackingStatus
from tradewind.domain.roles import ShippingDetails
from tradewind.errors import ConfigurationError, SchemaMismatch
from tradewind.providers.shipstation import events
from tradewind.providers.shipstation.mapping import LabelObject, label_observed, shipment

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NAME = "shipstation:main"


def read(topic, envelope):
    return events(topic, json.dumps(envelope).encode(), connection=NAME, received_at=NOW)


def track(**data):
    return {
        "resource_url": "https://x/v2/labels/se-1/track",
        "resource_type": "T",
        "data": {"tracking_number": "1Z", **data},
    }


@pytest.mark.parametrize("topic", ["TRACK_EVENT_V2", "API_TRACK"])
def test_every_scan_of_a_track_event_is_a_fact_oldest_first(topic):
    scans = [
        {"occurred_at": "2026-11-01T09:00:00Z", "status_code": "DE", "description": "Delivered"},
        {
            "occurred_at": "2026-10-31T09:00:00",
            "status_code": "IT",
            "description": None,
            "status_description": "On its way",
        },
    ]
    first, second = read(topic, track(events=scans, status_code="DE"))
    assert isinstance(first, TrackingScanned)
    assert (first.tracking_number, first.status, first.description) == ("1Z", "in_transit", "On its way")
    assert first.occurred_at == datetime(2026, 10, 31, 9, 0, tzinfo=UTC)
    assert second.status == "delivered"


def test_a_track_event_without_scans_says_its_own_status():
    (scan,) = read("TRACK_EVENT_V2", track(events=[], status_code="DE", actual_delivery_date="2026-10-31T09:00:00Z"))
    assert (scan.status, scan.occurred_at) == (TrackingStatus.DELIVERED, datetime(2026, 10, 31, 9, 0, tzinfo=UTC))
    (scan,) = read("TRACK_EVENT_V2", track(status_code="IT", actual_delivery_date=None))
    assert (scan.status, scan.occurred_at) == (TrackingStatus.IN_TRANSIT, NOW)


@pytest.mark.parametrize("code", ["NY", "UN", "a code of the future", None])
def test_what_tells_nothing_of_a_parcel_is_no_scan(code):
    (event,) = read("TRACK_EVENT_V2", track(events=[], status_code=code))
    assert isinstance(event, Ignored)
    unseen = {"occurred_at": "2026-11-01T08:00:00Z", "status_code": code}
    seen = {"occurred_at": "2026-11-01T09:00:00Z", "status_code": "AC"}
    (scan,) = read("TRACK_EVENT_V2", track(events=[seen, unseen]))
    assert scan.status is TrackingStatus.ACCEPTED


@pytest.mark.parametrize(
    ("code", "detail", "status"),
    [
        ("AC", "RECEIVED_BY_CARRIER", TrackingStatus.ACCEPTED),
        ("IT", "IN_TRANSIT", TrackingStatus.IN_TRANSIT),
        ("SP", "DELIVERED_TO_PICKUP_POINT", TrackingStatus.IN_TRANSIT),
        ("AT", "ATTEMPTED_DELIVERY", TrackingStatus.FAILED_ATTEMPT),
        ("EX", "CARRIER_DELAYS", TrackingStatus.EXCEPTION),
        ("EX", None, TrackingStatus.EXCEPTION),
        ("EX", "RETURN_TO_SENDER", TrackingStatus.RETURNED_TO_SENDER),
        ("EX", "UNDELIVERABLE_RETURNED_TO_SENDER", TrackingStatus.RETURNED_TO_SENDER),
        ("DE", "DELIVERED", TrackingStatus.DELIVERED),
    ],
)
def test_every_code_of_the_carrier_is_a_status_of_ours(code, detail, status):
    scan = {"occurred_at": "2026-11-01T08:00:00Z", "status_code": code, "status_detail_code": detail}
    (event,) = read("TRACK_EVENT_V2", track(events=[scan]))
    assert event.status is status


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("unknown", TrackingStatus.UNKNOWN),
        (None, TrackingStatus.UNKNOWN),
        ("in_transit", TrackingStatus.IN_TRANSIT),
        ("error", TrackingStatus.EXCEPTION),
        ("delivered", TrackingStatus.DELIVERED),
    ],
)
def test_a_label_says_where_its_parcel_is(told, status):
    assert observed(tracking_status=told).tracking_status is status


@pytest.mark.parametrize(
    ("url", "external_id"),
    [
        ("https://api.shipstation.com/v2/labels/se-7", "se-7"),
        ("http://127.0.0.1:1/shipstation/main/v2/labels/se-7", "se-7"),
        ("https://api.shipstation.com/v2/labels?batch_id=se-9", "batch_id=se-9"),
        ("https://api.shipstation.com/v2/labels?shipment_id=se-9&page=1", "shipment_id=se-9"),
    ],
)
def test_a_label_event_is_a_hint(url, external_id):
    (event,) = read("LABEL_CREATED_V2", {"resource_url": url})
    assert isinstance(event, ResourceChanged)
    assert (event.resource.kind, event.resource.external_id) == ("label", external_id)


@pytest.mark.parametrize(
    ("topic", "url"),
    [("LABEL_CREATED_V2", "https://x/v2/labels"), ("BATCH_PROCESSED_V2", "https://x/v2/batches/se-1")],
)
def test_what_names_no_label_is_ignored_with_a_reason(topic, url):
    (event,) = read(topic, {"resource_url": url})
    assert isinstance(event, Ignored)
    assert topic in event.reason


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"resource_url": "x"}', b'{"resource_url": "x", "data": {"tracking_number": 5}}']
)
def test_a_track_event_without_its_shape_is_a_schema_mismatch(body):
    with pytest.raises(SchemaMismatch):
        events("TRACK_EVENT_V2", body, connection=NAME, received_at=NOW)


def observed(fulfillment_order=None, **changes):
    label = LabelObject.model_validate({**label_object(), **changes})
    return label_observed(label, connection=NAME, version=NOW, fulfillment_order=fulfillment_order).label


def test_a_label_is_understood_from_the_provider_alone():
    label = observed()
    assert label.external_shipment_id == COMMAND.external_shipment_id
    assert label.fulfillment_order_id == COMMAND.fulfillment_order
    assert label.state is LabelState.PURCHASED
    assert label.cost == Money.of("6.35", "GBP")
    assert label.created_at == datetime(2026, 11, 1, 11, 0, tzinfo=UTC)


def test_a_voided_label():
    assert observed(voided=True).state is LabelState.VOIDED
    assert observed(status="voided").state is LabelState.VOIDED


def test_a_foreign_label_belongs_to_no_fulfillment_order():
    assert observed(packages=[], external_shipment_id=None).fulfillment_order_id == ""
    assert observed(packages=[], fulfillment_order="gid://1").fulfillment_order_id == "gid://1"


def test_a_shipment_carries_what_finds_it_again():
    made = shipment(COMMAND, DETAILS, SETTINGS)
    assert made["external_shipment_id"] == COMMAND.external_shipment_id
    assert made["external_order_id"] == COMMAND.order
    assert made["packages"][0]["external_package_id"] == COMMAND.fulfillment_order
    assert made["shipment_number"] == "#1001"
    assert [(item["sku"], item["quantity"]) for item in made["items"]] == [("85123A", 6), ("22423", 1)]
    assert made["packages"][0]["products"][0]["value"] == {"amount": 2.55, "currency": "gbp"}
    assert made["packages"][0]["weight"] == {"value": 500, "unit": "gram"}


def test_a_country_without_regions_sends_the_town():
    address = Address(company="Ada Ltd", line1="1 High St", city="Leeds", postal_code="LS1", country="GB")
    details = ShippingDetails(order_name="#1", ship_to=address, email=None)
    ship_to = shipment(COMMAND, details, SETTINGS)["ship_to"]
    assert ship_to["state_province"] == "Leeds"
    assert ship_to["name"] == "Ada Ltd"
    assert "phone" not in ship_to


@pytest.mark.parametrize("missing", ["carrier_id", "service_code", "warehouse_id"])
def test_a_missing_choice_names_itself(missing):
    settings = {name: value for name, value in SETTINGS.items() if name != missing}
    with pytest.raises(ConfigurationError) as wrong:
        shipment(COMMAND, DETAILS, settings)
    assert wrong.value.setting == missing
