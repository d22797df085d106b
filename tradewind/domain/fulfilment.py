"""Goods of an order: what is to be shipped from where, what is on its way, what comes back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from tradewind.domain.model import Model
from tradewind.domain.money import Money


class FulfillmentOrderStatus(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    SCHEDULED = "scheduled"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class HoldReason(StrEnum):
    """Why goods must wait."""

    RISK = "risk"  # the order may be fraudulent
    OTHER = "other"


class FulfillmentOrder(Model):
    """The storefront's unit of work: what one location is to ship.

    location: the storefront's location id. assigned, remaining: (line external_id, quantity), in all and not shipped.
    holds: why it must wait, once for each who wants it to.
    """

    external_id: str
    location: str
    status: FulfillmentOrderStatus
    assigned: tuple[tuple[str, int], ...]
    remaining: tuple[tuple[str, int], ...]
    holds: tuple[HoldReason, ...] = ()

    @property
    def is_over(self) -> bool:
        """Nothing more of it will be shipped."""
        return self.status in (FulfillmentOrderStatus.CLOSED, FulfillmentOrderStatus.CANCELLED)


class LabelState(StrEnum):
    PURCHASED = "purchased"
    VOIDED = "voided"


class TrackingStatus(StrEnum):
    """Where a parcel is. A word of a carrier that means none of these is UNKNOWN: nothing was said of the parcel."""

    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    FAILED_ATTEMPT = "failed_attempt"
    EXCEPTION = "exception"
    RETURNED_TO_SENDER = "returned_to_sender"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> TrackingStatus | None:
        return cls.UNKNOWN if isinstance(value, str) else None


class Label(Model):
    """A carrier's label. external_shipment_id: our own id of the shipment, by which it is found again."""

    connection: str
    external_id: str
    external_shipment_id: str
    fulfillment_order_id: str
    state: LabelState
    tracking_number: str | None
    tracking_url: str | None
    carrier: str | None
    cost: Money | None
    created_at: datetime
    tracking_status: TrackingStatus | None = None

    @property
    def has_left(self) -> bool:
        """The carrier has the parcel, or had it: it cannot be given back any more."""
        return self.tracking_status not in (None, TrackingStatus.UNKNOWN)


class Fulfillment(Model):
    """What the storefront was told is on its way."""

    external_id: str
    fulfillment_order_id: str | None
    status: str
    tracking_number: str | None
    created_at: datetime

    @property
    def stands(self) -> bool:
        """It was not called back."""
        return self.status != "cancelled"


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    OPEN = "open"
    CLOSED = "closed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class Return(Model):
    """Goods that the customer sends back, as the storefront has it.

    lines: (line external_id, quantity). restocked: (line external_id, location, quantity) that lie on a shelf again.
    """

    external_id: str
    status: ReturnStatus
    lines: tuple[tuple[str, int], ...]
    restocked: tuple[tuple[str, str | None, int], ...] = ()
    created_at: datetime
