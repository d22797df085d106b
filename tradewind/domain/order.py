"""An order as tradewind knows it: what storefront, processor and carrier say of it, in one frozen record."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from tradewind.domain.fulfilment import (
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderStatus,
    Label,
    LabelState,
    Return,
    ReturnStatus,
    TrackingStatus,
)
from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.domain.payment import (
    CapturedBy,
    Dispute,
    DisputeStatus,
    Payment,
    PaymentState,
    Refund,
    Transaction,
    TransactionKind,
    TransactionStatus,
)

__all__ = (
    "Address",
    "CapturedBy",
    "Customer",
    "Dispute",
    "DisputeStatus",
    "Fulfillment",
    "FulfillmentOrder",
    "FulfillmentOrderStatus",
    "Label",
    "LabelState",
    "Order",
    "OrderLine",
    "OrderState",
    "Payment",
    "PaymentState",
    "PlacedOrder",
    "Refund",
    "Return",
    "ReturnStatus",
    "Risk",
    "TrackingStatus",
    "Transaction",
    "TransactionKind",
    "TransactionStatus",
    "state_of",
)


class Address(Model):
    """A postal address; every part as the storefront has it. country: ISO 3166 alpha-2."""

    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


class Customer(Model):
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None


class OrderLine(Model):
    """quantity: as ordered. current_quantity: after edits, refunds and removals. discount, tax: of the whole line."""

    external_id: str
    sku: str | None
    title: str
    quantity: int
    current_quantity: int
    unit_price: Money
    discount: Money
    tax: Money
    requires_shipping: bool = True


class Risk(StrEnum):
    """What the storefront's fraud analysis says. PENDING: it has not said anything yet."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    PENDING = "pending"


class PlacedOrder(Model):
    """Everything the storefront says of an order: one snapshot, replaced as a whole by a newer one.

    fingerprint: the states and totals that a webhook of the same storefront shows too, in one string, so that a hint of
    the same second can be told from a change (see `ResourceChanged`).
    """

    name: str
    placed_at: datetime
    processed_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None = None
    currency: str
    presentment_total: Money
    lines: tuple[OrderLine, ...]
    subtotal: Money
    discounts: Money
    shipping: Money
    tax: Money
    tip: Money
    duties: Money
    total: Money
    taxes_included: bool
    test: bool = False
    edited: bool = False
    on_hold: bool = False
    risk: Risk = Risk.NONE
    fully_paid: bool = False
    customer: Customer | None = None
    ship_to: Address | None = None
    bill_to: Address | None = None
    transactions: tuple[Transaction, ...] = ()
    fulfillment_orders: tuple[FulfillmentOrder, ...] = ()
    fulfillments: tuple[Fulfillment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
    fingerprint: str | None = None


class OrderState(StrEnum):
    """Where an order stands, derived from its record (see `state_of`)."""

    UNKNOWN = "unknown"  # something refers to it, the storefront has not described it yet
    PLACED = "placed"
    ON_HOLD = "on_hold"
    PAID = "paid"
    LABELLED = "labelled"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    COMPLETED = "completed"  # paid, and nothing of it needs shipping
    CANCELLED = "cancelled"


class Order(Model):
    """The record of one order.

    id: `connection/external_id`, e.g. `shopify:north/gid://shopify/Order/1`. live: placed after its connection went
    live, so that commands may follow from it. refunds: every refund that the storefront or the processor told of.
    versions: the newest version seen per source resource, with the digest of what it said. facts: ids of facts added.
    """

    id: str
    connection: str
    external_id: str
    live: bool = False
    placed: PlacedOrder | None = None
    payments: tuple[Payment, ...] = ()
    labels: tuple[Label, ...] = ()
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    versions: dict[str, tuple[datetime, str]] = {}
    facts: tuple[str, ...] = ()

    def captured_total(self) -> Money | None:
        """What was captured for the order, storefront and processor together; None before it is described."""
        if self.placed is None:
            return None
        taken = [
            t.amount
            for t in self.placed.transactions
            if t.captured_by is CapturedBy.STOREFRONT
            and t.status is TransactionStatus.SUCCESS
            and t.kind in (TransactionKind.CAPTURE, TransactionKind.SALE)
        ]
        return Money.total([*taken, *(p.captured for p in self.payments)], self.placed.currency)

    @property
    def is_paid(self) -> bool:
        """The whole total has been captured (an order of zero is paid when it is placed)."""
        taken = self.captured_total()
        return taken is not None and self.placed is not None and taken >= self.placed.total

    def active_label(self, fulfillment_order_id: str) -> Label | None:
        """The label bought for a fulfillment order and not voided."""
        return next(
            (
                label
                for label in self.labels
                if label.fulfillment_order_id == fulfillment_order_id and label.state is LabelState.PURCHASED
            ),
            None,
        )


def state_of(order: Order) -> OrderState:
    """Where the order stands, the furthest point first."""
    placed = order.placed
    if placed is None:
        return OrderState.UNKNOWN
    if placed.cancelled_at is not None:
        return OrderState.CANCELLED
    ships = {line.external_id for line in placed.lines if line.requires_shipping and line.quantity}
    remaining = any(quantity and line in ships for fo in placed.fulfillment_orders for line, quantity in fo.remaining)
    if ships and any(parcel.status != "cancelled" for parcel in placed.fulfillments):
        return OrderState.PARTIALLY_SHIPPED if remaining else OrderState.SHIPPED
    if any(label.state is LabelState.PURCHASED for label in order.labels):
        return OrderState.LABELLED
    if placed.on_hold:
        return OrderState.ON_HOLD
    if order.is_paid:
        return OrderState.PAID if ships else OrderState.COMPLETED
    return OrderState.PLACED
