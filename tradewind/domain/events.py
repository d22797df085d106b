"""What tradewind takes in, after its provider's mapping: every event is a snapshot, a fact, a hint or an outcome.

*Snapshot*: a whole resource with a version, compared per source resource; an older one is superseded.
*Fact*: happened once, has an id of its own, is added and never superseded.
*Hint*: says only that something changed: the truth is fetched.
*Outcome*: what became of one of our own commands.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.domain.order import Dispute, HoldReason, Label, Payment, PlacedOrder, Refund, TrackingStatus


class OrderObserved(Model):
    """Snapshot: the storefront's view of an order. version: the storefront's updated_at."""

    type: Literal["order_observed"] = "order_observed"
    connection: str
    external_id: str
    version: datetime
    placed: PlacedOrder


class PaymentObserved(Model):
    """Snapshot: the processor's view of a payment, as of `version` (the processor's clock when it was read).

    refunds: every refund of it that the processor lists.
    """

    type: Literal["payment_observed"] = "payment_observed"
    version: datetime
    payment: Payment
    refunds: tuple[Refund, ...] = ()


class LabelObserved(Model):
    """Snapshot: the carrier's view of a label, as of `version`."""

    type: Literal["label_observed"] = "label_observed"
    version: datetime
    label: Label


class DisputeObserved(Model):
    """Snapshot: the view of a dispute that the processor, or the storefront that took the money itself, has of it.

    order_external_id: the storefront's order, when the storefront tells; a processor's is found by its payment.
    """

    type: Literal["dispute_observed"] = "dispute_observed"
    connection: str
    version: datetime
    dispute: Dispute
    order_external_id: str | None = None


class RefundRecorded(Model):
    """Fact: the storefront recorded a refund. order_id: the storefront's order."""

    type: Literal["refund_recorded"] = "refund_recorded"
    connection: str
    order_external_id: str
    refund: Refund


class TrackingScanned(Model):
    """Fact: the carrier scanned a parcel."""

    type: Literal["tracking_scanned"] = "tracking_scanned"
    connection: str
    tracking_number: str
    status: TrackingStatus
    occurred_at: datetime
    description: str | None = None


class HoldReleased(Model):
    """Fact: a hold of a fulfillment order was released, by a person or by an app that the merchant trusts with it."""

    type: Literal["hold_released"] = "hold_released"
    connection: str
    fulfillment_order: str
    reason: HoldReason


class Resource(Model):
    """A resource at a provider that can be read again.

    kind: order, payment, dispute, label, product, inventory; a fulfillment order is read with its order.
    """

    connection: str
    kind: Literal["order", "fulfillment_order", "payment", "dispute", "label", "product", "inventory"]
    external_id: str

    @property
    def address(self) -> str:
        return f"{self.connection}/{self.kind}/{self.external_id}"


class ResourceChanged(Model):
    """Hint: the resource changed; read it again.

    version, fingerprint: what the hint itself tells of the resource's state, when it does. A hint that tells nothing
    newer than the record (the echo of our own write) is superseded without a call.
    """

    type: Literal["resource_changed"] = "resource_changed"
    resource: Resource
    version: datetime | None = None
    fingerprint: str | None = None


class JournalLine(Model):
    sku: str
    description: str
    quantity: int
    unit_price: str


class JournalRecorded(Model):
    """Fact: a document of the merchant's back office that is no order (credit note, write-off, adjustment)."""

    type: Literal["journal_recorded"] = "journal_recorded"
    connection: str
    document: str
    kind: Literal["credit", "write_off", "adjustment", "zero_value", "service"]
    reason: str
    occurred_at: datetime
    business_day: date
    total: Money
    lines: tuple[JournalLine, ...]


class ConnectionRevoked(Model):
    """Fact: the provider ended our access (app uninstalled, token revoked): the connection pauses itself."""

    type: Literal["connection_revoked"] = "connection_revoked"
    connection: str
    reason: str
    occurred_at: datetime


class Ignored(Model):
    """A well-formed event that changes nothing here. reason: why."""

    type: Literal["ignored"] = "ignored"
    connection: str
    reason: str


class CommandSettled(Model):
    """Outcome: a command of ours without a resource of its own to observe is done (e.g. marked as paid)."""

    type: Literal["command_settled"] = "command_settled"
    connection: str
    command_key: str


Event = Annotated[
    OrderObserved
    | PaymentObserved
    | LabelObserved
    | DisputeObserved
    | RefundRecorded
    | TrackingScanned
    | HoldReleased
    | ResourceChanged
    | JournalRecorded
    | ConnectionRevoked
    | Ignored
    | CommandSettled,
    Field(discriminator="type"),
]

events_adapter: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])
"""JSON ⇄ events: how polls and outcomes are stored in the inbox."""
