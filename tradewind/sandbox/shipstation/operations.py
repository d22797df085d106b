"""Which operations the simulated ShipStation has. The same ones stand under /v1 (ShipEngine) and /v2 (ShipStation)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tradewind.sandbox.shipstation import objects
from tradewind.sandbox.shipstation.account import ShipStationAccount
from tradewind.sandbox.shipstation.errors import ShipStationError, not_found, required
from tradewind.sandbox.shipstation.lists import matching, page
from tradewind.sandbox.shipstation.objects import Json

Answer = Json | list[Json] | None


@dataclass(frozen=True)
class Call:
    """One request: whose, under which prefix, about what."""

    account: ShipStationAccount
    version: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    def url(self, path: str) -> str:
        """The address of a path under this request's prefix."""
        return f"{self.account.base_url}/{self.version}{path}"


@dataclass(frozen=True)
class Operation:
    """One endpoint. Answers None are 204."""

    method: str
    path: str
    run: Callable[[Call], Answer]


_LABEL_FILTERS: Final = {
    "label_status": "status",
    **{
        name: name
        for name in ("service_code", "carrier_id", "tracking_number", "batch_id", "shipment_id", "external_shipment_id")
    },
}
_SHIPMENT_FILTERS: Final = {"shipment_status": "shipment_status", "external_shipment_id": "external_shipment_id"}


def create_label(call: Call) -> Answer:
    asked = call.body.get("shipment")
    if not isinstance(asked, dict):
        raise required("shipment")
    return call.account.shipping.buy_label(call.account.shipping.create_shipment(asked), call.body)


def create_label_for_shipment(call: Call) -> Answer:
    shipping = call.account.shipping
    return shipping.buy_label(shipping.shipment(call.ids["shipment_id"]), call.body)


def label_by_external_id(call: Call) -> Answer:
    """The first label of that shipment, voided or not, as documented."""
    external_id = call.ids["external_shipment_id"]
    for label in call.account.shipping.labels.values():
        if label["external_shipment_id"] == external_id:
            return label
    raise not_found("Label", external_id)


def list_labels(call: Call) -> Answer:
    found = matching(call.account.shipping.labels.values(), call.query, _LABEL_FILTERS)
    return page(call.url("/labels"), "labels", found, call.query)


def create_shipments(call: Call) -> Answer:
    asked = call.body.get("shipments")
    if not isinstance(asked, list) or not asked:
        raise required("shipments")
    created = [call.account.shipping.create_shipment(shipment) for shipment in asked]
    for shipment in created:
        call.account.hooks.shipment_created(shipment)
    return {"has_errors": False, "shipments": [{**shipment, "errors": []} for shipment in created]}


def list_shipments(call: Call) -> Answer:
    found = matching(call.account.shipping.shipments.values(), call.query, _SHIPMENT_FILTERS)
    return page(call.url("/shipments"), "shipments", found, call.query)


def cancel_shipment(call: Call) -> Answer:
    shipping = call.account.shipping
    shipping.cancel_shipment(shipping.shipment(call.ids["shipment_id"]))
    return None


def track_by_number(call: Call) -> Answer:
    number = call.query.get("tracking_number")
    for label in call.account.shipping.labels.values():
        if label["tracking_number"] == number:
            return call.account.shipping.track(label)
    raise not_found("Tracking number", str(number))


def list_carriers(call: Call) -> Answer:
    request_id = str(call.account.new_request_id())
    return {"carriers": [call.account.carrier()], "request_id": request_id, "errors": []}


def list_carrier_services(call: Call) -> Answer:
    _own_carrier(call)
    return {"services": call.account.services()}


def find_carrier(call: Call) -> Answer:
    _own_carrier(call)
    return call.account.carrier()


def find_warehouse(call: Call) -> Answer:
    if call.ids["warehouse_id"] != call.account.warehouse_id:
        raise not_found("Warehouse", call.ids["warehouse_id"])
    return call.account.warehouse()


def calculate_rates(call: Call) -> Answer:
    shipping = call.account.shipping
    if shipment_id := call.body.get("shipment_id"):
        shipment = shipping.shipment(shipment_id)
    elif isinstance(call.body.get("shipment"), dict):
        service_code = next(iter(objects.SERVICES))
        shipment = shipping.create_shipment(
            {"carrier_id": call.account.carrier_id, "service_code": service_code, **call.body["shipment"]}
        )
    else:
        raise ShipStationError(400, "validation", "field_value_required", "shipment or shipment_id is required.")
    rates = [_rate(call, shipment, service_code) for service_code in objects.SERVICES]
    response = {
        "rates": rates,
        "invalid_rates": [],
        "rate_request_id": call.account.new_id(),
        "shipment_id": shipment["shipment_id"],
        "created_at": objects.timestamp(call.account.clock.now()),
        "status": "completed",
        "errors": [],
    }
    return {**shipment, "rate_response": response}


def update_webhook(call: Call) -> Answer:
    call.account.hooks.update(call.ids["webhook_id"], call.body)
    return None


def delete_webhook(call: Call) -> Answer:
    call.account.hooks.delete(call.ids["webhook_id"])
    return None


def _own_carrier(call: Call) -> None:
    if call.ids["carrier_id"] != call.account.carrier_id:
        raise not_found("Carrier", call.ids["carrier_id"])


def _rate(call: Call, shipment: Json, service_code: str) -> dict[str, Any]:
    days = 1 if service_code == "rm_tracked_24" else 2
    price = objects.price(shipment) + (1.0 if days == 1 else 0.0)
    now = call.account.clock.now()
    return {
        "rate_id": call.account.new_id(),
        "rate_type": "shipment",
        "carrier_id": call.account.carrier_id,
        "shipping_amount": objects.money(price),
        "insurance_amount": objects.money(0),
        "confirmation_amount": objects.money(0),
        "other_amount": objects.money(0),
        "zone": None,
        "package_type": "package",
        "delivery_days": days,
        "guaranteed_service": False,
        "estimated_delivery_date": objects.timestamp(now + timedelta(days=days)),
        "carrier_delivery_days": str(days),
        "ship_date": objects.timestamp(now),
        "negotiated_rate": False,
        "service_type": f"Royal Mail {objects.SERVICES[service_code]}",
        "service_code": service_code,
        "trackable": True,
        "carrier_code": objects.CARRIER_CODE,
        "carrier_nickname": "Royal Mail (sandbox)",
        "carrier_friendly_name": "Royal Mail",
        "validation_status": "valid",
        "warning_messages": [],
        "error_messages": [],
    }


_LABEL, _SHIPMENT, _WEBHOOK = "/labels/{label_id}", "/shipments/{shipment_id}", "/environment/webhooks/{webhook_id}"

OPERATIONS: Final = (
    Operation("POST", "/labels", create_label),
    Operation("GET", "/labels", list_labels),
    Operation("POST", "/labels/shipment/{shipment_id}", create_label_for_shipment),
    Operation("GET", "/labels/external_shipment_id/{external_shipment_id}", label_by_external_id),
    Operation("GET", _LABEL, lambda call: call.account.shipping.label(call.ids["label_id"])),
    Operation(
        "PUT",
        f"{_LABEL}/void",
        lambda call: call.account.shipping.void_label(call.account.shipping.label(call.ids["label_id"])),
    ),
    Operation(
        "GET",
        f"{_LABEL}/track",
        lambda call: call.account.shipping.track(call.account.shipping.label(call.ids["label_id"])),
    ),
    Operation("GET", "/tracking", track_by_number),
    Operation("POST", "/shipments", create_shipments),
    Operation("GET", "/shipments", list_shipments),
    Operation(
        "GET",
        "/shipments/external_shipment_id/{external_shipment_id}",
        lambda call: call.account.shipping.shipment_by_external_id(call.ids["external_shipment_id"]),
    ),
    Operation("GET", _SHIPMENT, lambda call: call.account.shipping.shipment(call.ids["shipment_id"])),
    Operation("PUT", f"{_SHIPMENT}/cancel", cancel_shipment),
    Operation("POST", "/rates", calculate_rates),
    Operation("GET", "/carriers", list_carriers),
    Operation("GET", "/carriers/{carrier_id}", find_carrier),
    Operation("GET", "/carriers/{carrier_id}/services", list_carrier_services),
    Operation("GET", "/warehouses", lambda call: {"warehouses": [call.account.warehouse()]}),
    Operation("GET", "/warehouses/{warehouse_id}", find_warehouse),
    Operation("POST", "/environment/webhooks", lambda call: call.account.hooks.create(call.version, call.body)),
    Operation("GET", "/environment/webhooks", lambda call: list(call.account.hooks.kept.values())),
    Operation("GET", _WEBHOOK, lambda call: call.account.hooks.find(call.ids["webhook_id"])),
    Operation("PUT", _WEBHOOK, update_webhook),
    Operation("DELETE", _WEBHOOK, delete_webhook),
)
