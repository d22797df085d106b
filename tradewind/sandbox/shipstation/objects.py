"""ShipStation's objects: shipments, labels, tracking. Source: ShipEngine OpenAPI 1.1.202604070904."""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

Json = dict[str, Any]

CARRIER_CODE: Final = "royal_mail"
CARRIER_NUMBER: Final = 3  # carriers have a number in tracking, an "se-…" identifier everywhere else
SERVICES: Final = {"rm_tracked_24": "Tracked 24", "rm_tracked_48": "Tracked 48"}

WAREHOUSE_ADDRESS: Final[Json] = {
    "name": "Tradewind Warehouse",
    "phone": "+44 20 7946 0000",
    "email": None,
    "company_name": "Tradewind Sandbox Ltd",
    "address_line1": "1 Dock Road",
    "address_line2": None,
    "address_line3": None,
    "city_locality": "London",
    "state_province": "London",
    "postal_code": "E16 1AG",
    "country_code": "GB",
    "address_residential_indicator": "no",
}


class Scan(NamedTuple):
    """What the carrier says at one step: status, its finer code, the carrier's own code, and a label's status then."""

    status: str
    detail: str
    carrier_code: str
    description: str
    label_status: str


SCANS: Final = {
    "NY": Scan("NY", "ELEC_ADVICE_RECD_BY_CARRIER", "EVDAV", "Sender despatching item", "unknown"),
    "AC": Scan("AC", "RECEIVED_BY_CARRIER", "EVDAC", "Accepted at delivery centre", "in_transit"),
    "IT": Scan("IT", "IN_TRANSIT", "EVNSR", "Item received at mail centre", "in_transit"),
    "AT": Scan("AT", "ATTEMPTED_DELIVERY", "EVKNA", "Delivery attempted, nobody at home", "in_transit"),
    "EX": Scan("EX", "CARRIER_DELAYS", "EVODL", "Item delayed", "error"),
    "RS": Scan("EX", "RETURN_TO_SENDER", "EVKRT", "Being returned to sender", "error"),
    "DE": Scan("DE", "DELIVERED", "EVKSP", "Delivered", "delivered"),
}

_BY_CARRIER_CODE: Final = {scan.carrier_code: scan for scan in SCANS.values()}

_OPTIONS: Final[Json] = {
    "bill_to_account": None,
    "bill_to_country_code": None,
    "bill_to_postal_code": None,
    "contains_alcohol": False,
    "delivered_duty_paid": False,
    "non_machinable": False,
    "saturday_delivery": False,
    "dry_ice": False,
    "freight_class": None,
    "custom_field1": None,
    "custom_field2": None,
    "custom_field3": None,
}


# What is the client's own on a package, and comes back as it was sent.
_ECHOED: Final = ("external_package_id", "content_description")


def timestamp(at: datetime) -> str:
    """As ShipStation writes times: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(amount: float) -> Json:
    """An amount in the account's currency."""
    return {"currency": "gbp", "amount": round(amount, 2)}


def shipment(shipment_id: str, at: datetime, asked: Json, package_ids: list[str]) -> Json:
    """A shipment as it is stored, from what was asked for."""
    packages = [
        {
            "shipment_package_id": package_id,
            "package_code": package.get("package_code") or "package",
            "weight": package["weight"],
            "dimensions": package.get("dimensions") or {"unit": "centimeter", "length": 0, "width": 0, "height": 0},
            "insured_value": package.get("insured_value") or money(0),
            "label_messages": {f"reference{n}": None for n in (1, 2, 3)} | (package.get("label_messages") or {}),
            **{name: package[name] for name in _ECHOED if package.get(name)},
        }
        for package_id, package in zip(package_ids, asked["packages"], strict=True)
    ]
    return {
        "shipment_id": shipment_id,
        "carrier_id": asked["carrier_id"],
        "service_code": asked["service_code"],
        "external_shipment_id": asked.get("external_shipment_id") or shipment_id,
        "external_order_id": asked.get("external_order_id"),
        "shipment_number": asked.get("shipment_number") or shipment_id,
        "items": asked.get("items") or [],
        "tax_identifiers": asked.get("tax_identifiers"),
        "ship_date": asked.get("ship_date") or f"{at.date().isoformat()}T00:00:00Z",
        "created_at": timestamp(at),
        "modified_at": timestamp(at),
        "shipment_status": "pending",
        "ship_to": _address(asked["ship_to"]),
        "ship_from": _address(asked.get("ship_from") or WAREHOUSE_ADDRESS),
        "warehouse_id": asked.get("warehouse_id"),
        "return_to": _address(asked.get("return_to") or asked.get("ship_from") or WAREHOUSE_ADDRESS),
        "is_return": False,
        "confirmation": asked.get("confirmation") or "none",
        "customs": asked.get("customs"),
        "advanced_options": {**_OPTIONS, **(asked.get("advanced_options") or {})},
        "insurance_provider": asked.get("insurance_provider") or "none",
        "tags": [],
        "packages": packages,
        "total_weight": _total_weight(packages),
    }


def label(label_id: str, batch_id: str, at: datetime, of: Json, asked: Json, tracking_number: str, urls: Json) -> Json:
    """A bought label; `of` is its shipment, `asked` the request."""
    first = of["packages"][0]
    return {
        "label_id": label_id,
        "status": "completed",
        "shipment_id": of["shipment_id"],
        "external_shipment_id": of["external_shipment_id"],
        "external_order_id": of["external_order_id"],
        "shipment": of,
        "ship_date": of["ship_date"],
        "created_at": timestamp(at),
        "shipment_cost": money(price(of)),
        "insurance_cost": money(0),
        "tracking_number": tracking_number,
        "is_return_label": False,
        "rma_number": None,
        "is_international": of["ship_to"]["country_code"] != of["ship_from"]["country_code"],
        "batch_id": batch_id,
        "carrier_id": of["carrier_id"],
        "charge_event": asked.get("charge_event") or "carrier_default",
        "service_code": of["service_code"],
        "test_label": bool(asked.get("test_label", False)),
        "package_code": first["package_code"],
        "voided": False,
        "voided_at": None,
        "label_format": asked.get("label_format") or "pdf",
        "display_scheme": asked.get("display_scheme") or "label",
        "label_layout": asked.get("label_layout") or "4x6",
        "trackable": True,
        "label_image_id": asked.get("label_image_id"),
        "carrier_code": CARRIER_CODE,
        "tracking_status": "unknown",
        "label_download": urls,
        "form_download": None,
        "qr_code_download": None,
        "paperless_download": None,
        "insurance_claim": None,
        "packages": [_label_package(n, package, tracking_number) for n, package in enumerate(of["packages"], 1)],
        "tracking_url": tracking_url(tracking_number),
        "ship_to": of["ship_to"],
    }


def tracking(of: Json, events: list[Json], at: datetime) -> Json:
    """What the carrier has said about a label's parcel."""
    scan = _BY_CARRIER_CODE[events[0]["event_code"]] if events else SCANS["NY"]
    return {
        "tracking_number": of["tracking_number"],
        "tracking_url": of["tracking_url"],
        "status_code": scan.status,
        "status_detail_code": scan.detail,
        "status_detail_description": scan.description,
        "carrier_code": CARRIER_CODE,
        "carrier_id": CARRIER_NUMBER,
        "status_description": scan.description,
        "carrier_status_code": scan.carrier_code,
        "carrier_detail_code": scan.carrier_code,
        "carrier_status_description": scan.description,
        "ship_date": of["created_at"],
        "estimated_delivery_date": timestamp(at),
        **({"actual_delivery_date": events[0]["occurred_at"]} if scan.status == "DE" else {}),
        **({"exception_description": scan.description} if scan.status == "EX" else {}),
        "events": events,
    }


def tracking_event(step: str, at: datetime, place: Json) -> Json:
    """One scan."""
    scan = SCANS[step]
    return {
        "occurred_at": timestamp(at),
        "carrier_occurred_at": timestamp(at),
        "description": scan.description,
        "city_locality": place["city_locality"],
        "state_province": place["state_province"],
        "postal_code": place["postal_code"],
        "country_code": place["country_code"],
        "event_code": scan.carrier_code,
        "carrier_detail_code": scan.carrier_code,
        "status_code": scan.status,
        "status_detail_code": scan.detail,
        "status_description": scan.description,
        "status_detail_description": scan.description,
        "carrier_status_code": scan.carrier_code,
        "carrier_status_description": scan.description,
    }


_WEBHOOK_KEYS: Final = (
    *("tracking_number", "tracking_url", "status_code", "status_detail_code", "status_detail_description"),
    *("status_description", "carrier_code", "carrier_id", "carrier_detail_code", "carrier_status_code"),
    *("carrier_status_description", "ship_date", "estimated_delivery_date", "actual_delivery_date"),
    *("exception_description", "events"),
)
_WEBHOOK_EVENT_KEYS: Final = (
    *("occurred_at", "carrier_occurred_at", "description", "city_locality", "state_province", "postal_code"),
    *("country_code", "company_name", "signer", "event_code", "event_description", "carrier_detail_code"),
    *("status_code", "latitude", "longitude"),
)


def webhook_tracking(of: Json) -> Json:
    """Tracking as a webhook carries it: every documented key, null where nothing is known.

    Source: docs.shipstation.com/apis/docs/guides/webhooks-schemas.
    """
    events = [
        {**dict.fromkeys(_WEBHOOK_EVENT_KEYS), **{key: event[key] for key in _WEBHOOK_EVENT_KEYS if key in event}}
        for event in of["events"]
    ]
    return {**dict.fromkeys(_WEBHOOK_KEYS), **of, "events": events}


def price(of: Json) -> float:
    """What a label costs: 3.35 a parcel and 0.45 a kilogram, in pounds."""
    grams = {"gram": 1.0, "kilogram": 1000.0, "ounce": 28.3495, "pound": 453.592}
    weight = of["total_weight"]
    return 3.35 * len(of["packages"]) + 0.45 * float(weight["value"]) * grams[weight["unit"]] / 1000


def tracking_url(tracking_number: str) -> str:
    """The carrier's page about a parcel."""
    return f"https://www.royalmail.com/track-your-item#/tracking-results/{tracking_number}"


def _address(asked: Json) -> Json:
    """An address with every key that a shipment's address has."""
    address: Json = {key: asked.get(key) for key in WAREHOUSE_ADDRESS}
    address["phone"] = address["phone"] or "+44 20 7946 0000"
    address["address_residential_indicator"] = asked.get("address_residential_indicator") or "unknown"
    return address


def _total_weight(packages: list[Json]) -> Json:
    unit = packages[0]["weight"]["unit"]
    return {"value": sum(package["weight"]["value"] for package in packages), "unit": unit}


def _label_package(sequence: int, package: Json, tracking_number: str) -> Json:
    return {
        "package_id": sequence,
        "package_code": package["package_code"],
        "weight": package["weight"],
        "dimensions": package["dimensions"],
        "insured_value": package["insured_value"],
        "tracking_number": tracking_number,
        "label_messages": package["label_messages"],
        "sequence": sequence,
        **{name: package[name] for name in _ECHOED if package.get(name)},
    }
