"""What happens to shipments and labels: bought, voided, scanned by the carrier."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from tradewind.sandbox.agenda import Agenda
from tradewind.sandbox.clock import Clock
from tradewind.sandbox.shipstation import objects
from tradewind.sandbox.shipstation.errors import ShipStationError, invalid, not_found, required
from tradewind.sandbox.shipstation.hooks import Subscriptions
from tradewind.sandbox.shipstation.objects import Json
from tradewind.sandbox.truth import Truth

# When the carrier scans a parcel, in seconds after the label: a parcel's two days pass in four minutes.
SCANNED_AFTER_S: Final = {"AC": 60.0, "IT": 120.0, "DE": 240.0}
# How a parcel may travel: each scan with its time. AT: nobody at home, EX: delayed, RS: goes back to the sender.
JOURNEYS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "delivered": SCANNED_AFTER_S,
        "second_attempt": {"AC": 60.0, "IT": 120.0, "AT": 180.0, "DE": 240.0},
        "delayed": {"AC": 60.0, "IT": 120.0, "EX": 180.0, "DE": 240.0},
        "undeliverable": {"AC": 60.0, "IT": 120.0, "AT": 180.0, "RS": 240.0},
    }
)
_ADDRESS_FIELDS: Final = ("name", "address_line1", "city_locality", "postal_code", "country_code")


class Shipping:
    """One account's shipments and labels."""

    def __init__(
        self,
        account: str,
        *,
        base_url: str,
        carrier_id: str,
        warehouse_id: str,
        clock: Clock,
        agenda: Agenda,
        truth: Truth,
        hooks: Subscriptions,
        new_id: Callable[[], str],
        new_tracking_number: Callable[[], str],
    ) -> None:
        self._account = account
        self._base_url = base_url
        self._carrier_id = carrier_id
        self._warehouse_id = warehouse_id
        self._clock = clock
        self._agenda = agenda
        self._truth = truth
        self._hooks = hooks
        self._new_id = new_id
        self._new_tracking_number = new_tracking_number
        self._by_external_id: dict[str, str] = {}
        self._scans: dict[str, list[Json]] = {}
        self.shipments: dict[str, Json] = {}
        self.labels: dict[str, Json] = {}
        # Which of the journeys the parcel of a shipment makes: the merchant's world may choose others.
        self.journey_of: Callable[[Json], str] = lambda shipment: "delivered"
        self.on_sent_back: Callable[[str | None], None] = lambda external_order_id: None

    def create_shipment(self, asked: Json) -> Json:
        """Store a shipment. Raises ShipStationError when it is incomplete or its external id is taken.

        `external_shipment_id` is unique in an account, whatever became of the shipment that has it.
        Source: docs.shipstation.com/orders/external-identifiers.
        """
        self._check(asked)
        external_id = asked.get("external_shipment_id")
        if external_id in self._by_external_id:
            self._truth.record("shipment_refused", account=self._account, external_shipment_id=external_id)
            message = f"A shipment with external_shipment_id '{external_id}' already exists."
            raise ShipStationError(
                400, "business_rules", "identifier_conflict", message, field_name="external_shipment_id"
            )
        package_ids = [self._new_id() for _ in asked["packages"]]
        shipment = objects.shipment(self._new_id(), self._clock.now(), asked, package_ids)
        self.shipments[shipment["shipment_id"]] = shipment
        self._by_external_id[shipment["external_shipment_id"]] = shipment["shipment_id"]
        return shipment

    def buy_label(self, shipment: Json, asked: Json) -> Json:
        """A label for a stored shipment that has none that counts. asked: the request, for format and layout."""
        if shipment["shipment_status"] != "pending":
            message = f"Shipment {shipment['shipment_id']} is {shipment['shipment_status']}."
            raise ShipStationError(400, "business_rules", "invalid_status", message)
        label_id, now = self._new_id(), self._clock.now()
        url = f"{self._base_url}/downloads/{label_id}/label"
        urls = {"pdf": f"{url}.pdf", "png": f"{url}.png", "zpl": f"{url}.zpl", "href": f"{url}.pdf"}
        label = objects.label(label_id, self._new_id(), now, shipment, asked, self._new_tracking_number(), urls)
        self.labels[label_id] = label
        shipment.update(shipment_status="label_purchased", modified_at=objects.timestamp(now))
        self._truth.record(
            "label_requested",
            account=self._account,
            label_id=label_id,
            external_shipment_id=shipment["external_shipment_id"],
            external_order_id=shipment["external_order_id"],
        )
        self._hooks.label_created(label)
        for step, delay_s in JOURNEYS[self.journey_of(shipment)].items():
            self._agenda.after(delay_s, lambda step=step: self.scan(label_id, step))  # type: ignore[misc]
        return label

    def void_label(self, label: Json) -> Json:
        """Give a label back, unless the carrier has its parcel. The shipment can then have another."""
        if label["voided"]:
            return {"approved": False, "message": "Label has already been voided.", "reason_code": "unspecified"}
        if self._scans.get(label["label_id"]):
            message = "The carrier has already scanned this label."
            return {"approved": False, "message": message, "reason_code": "label_already_used"}
        now = objects.timestamp(self._clock.now())
        label.update(status="voided", voided=True, voided_at=now)
        self.shipments[label["shipment_id"]].update(shipment_status="pending", modified_at=now)
        self._truth.record("label_voided", account=self._account, label_id=label["label_id"])
        return {"approved": True, "message": "Request for refund submitted. This label has been voided."}

    def cancel_shipment(self, shipment: Json) -> None:
        """Mark a shipment that has no label as not to be shipped."""
        if shipment["shipment_status"] != "pending":
            message = f"Shipment {shipment['shipment_id']} is {shipment['shipment_status']}."
            raise ShipStationError(400, "business_rules", "invalid_status", message)
        shipment.update(shipment_status="cancelled", modified_at=objects.timestamp(self._clock.now()))

    def scan(self, label_id: str, step: str) -> None:
        """The carrier reads the label: a step of `objects.SCANS`. Nothing happens to a voided one."""
        label = self.labels[label_id]
        if label["voided"]:
            return
        place = label["ship_to"] if step in ("AT", "DE") else label["shipment"]["ship_from"]
        self._scans.setdefault(label_id, []).insert(0, objects.tracking_event(step, self._clock.now(), place))
        label["tracking_status"] = objects.SCANS[step].label_status
        self._truth.record(
            "parcel_scanned",
            account=self._account,
            label_id=label_id,
            external_order_id=label["external_order_id"],
            step=step,
        )
        self._hooks.tracked(label, objects.webhook_tracking(self.track(label)))
        if step == "RS":
            self.on_sent_back(label["external_order_id"])

    def track(self, label: Json) -> Json:
        """The tracking of a label's parcel."""
        return objects.tracking(label, self._scans.get(label["label_id"], []), self._clock.now())

    def shipment(self, shipment_id: str) -> Json:
        """One shipment by ShipStation's id."""
        if shipment_id not in self.shipments:
            raise not_found("Shipment", shipment_id)
        return self.shipments[shipment_id]

    def shipment_by_external_id(self, external_id: str) -> Json:
        """One shipment by the id that its creator gave it."""
        if external_id not in self._by_external_id:
            raise not_found("Shipment", external_id)
        return self.shipments[self._by_external_id[external_id]]

    def label(self, label_id: str) -> Json:
        """One label."""
        if label_id not in self.labels:
            raise not_found("Label", label_id)
        return self.labels[label_id]

    def _check(self, asked: Any) -> None:
        """What the carrier cannot do without."""
        for name in ("carrier_id", "service_code", "ship_to", "packages"):
            if not asked.get(name):
                raise required(name)
        if asked["carrier_id"] != self._carrier_id:
            raise not_found("Carrier", asked["carrier_id"])
        if asked["service_code"] not in objects.SERVICES:
            raise invalid("service_code", f"'{asked['service_code']}' is not a service of this carrier.")
        if not asked.get("ship_from") and asked.get("warehouse_id") != self._warehouse_id:
            raise required("ship_from")
        for name in _ADDRESS_FIELDS:
            if not asked["ship_to"].get(name):
                raise required(f"ship_to.{name}")
        if asked["ship_to"].get("state_province") is None:
            raise required("ship_to.state_province")
        for package in asked["packages"]:
            if not package.get("weight", {}).get("value", 0) > 0:
                raise invalid("packages.weight", "A package needs a weight above zero.")
