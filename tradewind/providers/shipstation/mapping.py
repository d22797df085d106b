"""ShipStation's objects ⇄ the domain. Times without offset are UTC; amounts are decimals of the stated currency.

A label's fulfillment order and order travel with it: the package's `external_package_id` and `external_order_id`, so
that a label can be understood from the provider alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel

from tradewind.domain.commands import BuyLabel
from tradewind.domain.events import Event, Ignored, LabelObserved, Resource, ResourceChanged, TrackingScanned
from tradewind.domain.money import Money
from tradewind.domain.order import Address, Label, LabelState, TrackingStatus
from tradewind.domain.roles import ShippingDetails
from tradewind.errors import ConfigurationError, SchemaMismatch
from tradewind.transport import parsed

LABEL_FILTERS = ("batch_id", "shipment_id", "tracking_number", "rate_id")
"""By which a list of labels may be named in a hint, as `name=value`."""

_TRACK = ("TRACK_EVENT_V2", "API_TRACK")
_LABELS = ("LABEL_CREATED_V2",)
# Source: ShipEngine OpenAPI, status_code. UN (unknown) and NY (not yet in the system) tell of no parcel. One at
# a collection point (SP) waits for its recipient there.
_STATUS = {
    "UN": TrackingStatus.UNKNOWN,
    "NY": TrackingStatus.UNKNOWN,
    "AC": TrackingStatus.ACCEPTED,
    "IT": TrackingStatus.IN_TRANSIT,
    "SP": TrackingStatus.IN_TRANSIT,
    "AT": TrackingStatus.FAILED_ATTEMPT,
    "EX": TrackingStatus.EXCEPTION,
    "DE": TrackingStatus.DELIVERED,
}
# The finer word of an exception, where it makes a difference. Source: status_detail_code.
_RETURNED = ("RETURN_TO_SENDER", "UNDELIVERABLE_RETURNED_TO_SENDER")
# A label's own, coarser word. Source: tracking_status.
_LABEL_STATUS = {
    "unknown": TrackingStatus.UNKNOWN,
    "in_transit": TrackingStatus.IN_TRANSIT,
    "error": TrackingStatus.EXCEPTION,
    "delivered": TrackingStatus.DELIVERED,
}


class AmountObject(BaseModel):
    amount: Decimal
    currency: str


class PackageObject(BaseModel):
    external_package_id: str | None = None


class LabelObject(BaseModel):
    label_id: str
    status: str
    created_at: datetime
    external_shipment_id: str | None = None
    voided: bool = False
    tracking_number: str | None = None
    tracking_url: str | None = None
    tracking_status: str | None = None
    carrier_code: str | None = None
    shipment_cost: AmountObject | None = None
    packages: list[PackageObject] = []


class LabelPage(BaseModel):
    labels: list[LabelObject]
    page: int
    pages: int


class VoidAnswer(BaseModel):
    approved: bool
    message: str = ""
    reason_code: str | None = None


class ShipmentObject(BaseModel):
    shipment_id: str


class CarrierObject(BaseModel):
    carrier_id: str
    friendly_name: str | None = None
    nickname: str | None = None


class CarrierList(BaseModel):
    carriers: list[CarrierObject]


class WebhookObject(BaseModel):
    webhook_id: str
    url: str
    event: str


class ScanObject(BaseModel):
    occurred_at: datetime
    status_code: str | None = None
    status_detail_code: str | None = None
    description: str | None = None
    status_description: str | None = None


class TrackObject(BaseModel):
    tracking_number: str
    status_code: str | None = None
    status_detail_code: str | None = None
    status_description: str | None = None
    actual_delivery_date: datetime | None = None
    events: list[ScanObject] | None = None


def events(topic: str, body: bytes, *, connection: str, received_at: datetime) -> Sequence[Event]:
    """The scans of a track event, or the hint of a label event. Raises SchemaMismatch."""
    envelope = _envelope(topic, body)
    if topic in _TRACK:
        return _track_events(topic, parsed(TrackObject, envelope.get("data"), topic), connection, received_at)
    if topic in _LABELS:
        return (_hint(topic, str(envelope.get("resource_url")), connection),)
    return (Ignored(connection=connection, reason=f"{topic} changes nothing here"),)


def label_observed(
    label: LabelObject, *, connection: str, version: datetime, fulfillment_order: str | None = None
) -> LabelObserved:
    """fulfillment_order: the command's when there is one, otherwise as the package names it; '' for a foreign label."""
    named = next((package.external_package_id for package in label.packages if package.external_package_id), "")
    cost = label.shipment_cost
    return LabelObserved(
        version=version,
        label=Label(
            connection=connection,
            external_id=label.label_id,
            external_shipment_id=label.external_shipment_id or "",
            fulfillment_order_id=fulfillment_order or named,
            state=LabelState.VOIDED if label.voided or label.status == "voided" else LabelState.PURCHASED,
            tracking_number=label.tracking_number or None,
            tracking_url=label.tracking_url,
            carrier=label.carrier_code,
            cost=Money.rounded(cost.amount, cost.currency.upper()) if cost else None,
            created_at=utc(label.created_at),
            tracking_status=_LABEL_STATUS.get(label.tracking_status or "unknown", TrackingStatus.UNKNOWN),
        ),
    )


def shipment(command: BuyLabel, details: ShippingDetails, settings: Mapping[str, str]) -> dict[str, Any]:
    """The `shipment` of a label request. Source: labels.create.

    settings: carrier_id, service_code, warehouse_id, and package_weight_g (500 unless set).
    Raises ConfigurationError when one is missing.
    """
    return {
        "carrier_id": _required(settings, "carrier_id"),
        "service_code": _required(settings, "service_code"),
        "warehouse_id": _required(settings, "warehouse_id"),
        "external_shipment_id": command.external_shipment_id,
        "external_order_id": command.order,
        "shipment_number": details.order_name[:50],
        "ship_to": _ship_to(details.ship_to, details.email),
        "items": [
            {"sku": sku, "name": title, "quantity": quantity, "external_order_id": command.order}
            for sku, title, quantity, _ in command.items
        ],
        "packages": [
            {
                "weight": {"value": int(settings.get("package_weight_g", "500")), "unit": "gram"},
                "external_package_id": command.fulfillment_order,
                "products": [_product(*item) for item in command.items],
            }
        ],
    }


def utc(at: datetime) -> datetime:
    """Raises SchemaMismatch for a time that UTC cannot express."""
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:
        raise SchemaMismatch(f"{at.isoformat()} is out of range") from None


def _required(settings: Mapping[str, str], name: str) -> str:
    value = settings.get(name)
    if not value:
        raise ConfigurationError(name, "the ShipStation connection", "set it: a label cannot be bought without it")
    return value


def _ship_to(address: Address, email: str | None) -> dict[str, Any]:
    """A region is required, also where the country has none: then the town stands in for it."""
    parts = {
        "name": address.name or address.company,
        "company_name": address.company,
        "phone": address.phone,
        "email": email,
        "address_line1": address.line1,
        "address_line2": address.line2,
        "city_locality": address.city,
        "state_province": address.region or address.city,
        "postal_code": address.postal_code,
        "country_code": address.country,
    }
    return {name: value for name, value in parts.items() if value}


def _product(sku: str, title: str, quantity: int, unit_price: Money) -> dict[str, Any]:
    """For the customs form. The wire wants a JSON number for the amount; no sum is made of it."""
    return {
        "sku": sku,
        "description": title[:100],
        "quantity": quantity,
        "value": {"amount": float(unit_price.decimal), "currency": unit_price.currency.lower()},
    }


def _envelope(topic: str, body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SchemaMismatch(f"{topic}: not JSON") from error
    if not isinstance(value, dict) or not isinstance(value.get("resource_url"), str):
        raise SchemaMismatch(f"{topic}: not an envelope with resource_url")
    return value


def _track_events(topic: str, track: TrackObject, connection: str, received_at: datetime) -> Sequence[Event]:
    """Every scan that the event lists; the event's own status when it lists none."""
    if track.events:
        found = scans(track, connection)
    else:
        own = ScanObject(
            occurred_at=track.actual_delivery_date or received_at,
            status_code=track.status_code,
            status_detail_code=track.status_detail_code,
            description=track.status_description,
        )
        found = scans(track.model_copy(update={"events": [own]}), connection)
    return found or (Ignored(connection=connection, reason=f"{topic}: the carrier has not seen the parcel yet"),)


def scans(track: TrackObject, connection: str) -> tuple[TrackingScanned, ...]:
    """The scans of a parcel, oldest first; none for what tells nothing of it."""
    told = [(utc(scan.occurred_at), status_of(scan), scan) for scan in track.events or ()]
    return tuple(
        TrackingScanned(
            connection=connection,
            tracking_number=track.tracking_number,
            status=status,
            occurred_at=at,
            description=scan.description or scan.status_description,
        )
        for at, status, scan in sorted(told, key=lambda one: one[0])
        if status is not TrackingStatus.UNKNOWN
    )


def status_of(scan: ScanObject) -> TrackingStatus:
    """A code of the future is UNKNOWN."""
    if scan.status_detail_code in _RETURNED:
        return TrackingStatus.RETURNED_TO_SENDER
    return _STATUS.get(scan.status_code or "UN", TrackingStatus.UNKNOWN)


def _hint(topic: str, resource_url: str, connection: str) -> ResourceChanged | Ignored:
    """A label's address, or a filtered list of labels: `/v2/labels/se-1`, `/v2/labels?batch_id=se-1`."""
    address = urlsplit(resource_url)
    query = dict(parse_qsl(address.query))
    named = next((f"{name}={query[name]}" for name in LABEL_FILTERS if query.get(name)), None)
    _, _, label_id = address.path.partition("/labels/")
    external_id = named or label_id.partition("/")[0]
    if not external_id:
        return Ignored(connection=connection, reason=f"{topic}: its address names no label")
    return ResourceChanged(resource=Resource(connection=connection, kind="label", external_id=external_id))
