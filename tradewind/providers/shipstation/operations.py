"""The one API under its two names: ShipStation API v2 and ShipEngine v1, operation by operation.

Sources: docs.shipstation.com (v2), ShipEngine's OpenAPI document 1.1 (v1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tradewind.errors import ConfigurationError


@dataclass(frozen=True)
class Operation:
    """name: in logs and metrics. path: with named places. idempotent: sending it twice has one effect."""

    name: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    idempotent: bool = True


@dataclass(frozen=True)
class Api:
    """host: where it is, unless a connection says otherwise. jwks_url: the keys that sign webhooks.

    track_event: what a subscription to tracking is called.
    """

    host: str
    jwks_url: str
    track_event: str
    create_label: Operation
    label_for_shipment: Operation
    void_label: Operation
    get_label: Operation
    track_label: Operation
    find_label: Operation
    list_labels: Operation
    find_shipment: Operation
    list_carriers: Operation
    list_webhooks: Operation
    create_webhook: Operation
    delete_webhook: Operation


V2 = Api(
    host="https://api.shipstation.com",
    jwks_url="https://api.shipengine.com/jwks",
    track_event="track",
    create_label=Operation("labels.create", "POST", "/v2/labels", idempotent=False),
    label_for_shipment=Operation(
        "labels.create_for_shipment", "POST", "/v2/labels/shipment/{shipment_id}", idempotent=False
    ),
    void_label=Operation("labels.void", "PUT", "/v2/labels/{label_id}/void"),
    get_label=Operation("labels.get", "GET", "/v2/labels/{label_id}"),
    track_label=Operation("labels.track", "GET", "/v2/labels/{label_id}/track"),
    find_label=Operation("labels.find", "GET", "/v2/labels/external_shipment_id/{external_shipment_id}"),
    list_labels=Operation("labels.list", "GET", "/v2/labels"),
    find_shipment=Operation("shipments.find", "GET", "/v2/shipments/external_shipment_id/{external_shipment_id}"),
    list_carriers=Operation("carriers.list", "GET", "/v2/carriers"),
    list_webhooks=Operation("webhooks.list", "GET", "/v2/environment/webhooks"),
    create_webhook=Operation("webhooks.create", "POST", "/v2/environment/webhooks", idempotent=False),
    delete_webhook=Operation("webhooks.delete", "DELETE", "/v2/environment/webhooks/{webhook_id}"),
)

V1 = Api(
    host="https://api.shipengine.com",
    jwks_url="https://api.shipengine.com/jwks",
    track_event="track",
    create_label=Operation("labels.create", "POST", "/v1/labels", idempotent=False),
    label_for_shipment=Operation(
        "labels.create_for_shipment", "POST", "/v1/labels/shipment/{shipment_id}", idempotent=False
    ),
    void_label=Operation("labels.void", "PUT", "/v1/labels/{label_id}/void"),
    get_label=Operation("labels.get", "GET", "/v1/labels/{label_id}"),
    track_label=Operation("labels.track", "GET", "/v1/labels/{label_id}/track"),
    find_label=Operation("labels.find", "GET", "/v1/labels/external_shipment_id/{external_shipment_id}"),
    list_labels=Operation("labels.list", "GET", "/v1/labels"),
    find_shipment=Operation("shipments.find", "GET", "/v1/shipments/external_shipment_id/{external_shipment_id}"),
    list_carriers=Operation("carriers.list", "GET", "/v1/carriers"),
    list_webhooks=Operation("webhooks.list", "GET", "/v1/environment/webhooks"),
    create_webhook=Operation("webhooks.create", "POST", "/v1/environment/webhooks", idempotent=False),
    delete_webhook=Operation("webhooks.delete", "DELETE", "/v1/environment/webhooks/{webhook_id}"),
)

APIS = {"v2": V2, "v1": V1}


def api_of(prefix: str, connection: str) -> Api:
    """Raises ConfigurationError for a prefix that is none of the two."""
    try:
        return APIS[prefix]
    except KeyError:
        raise ConfigurationError("prefix", f"connection {connection}", "v2 (ShipStation) or v1 (ShipEngine)") from None
