"""Goods that leave, as the store is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.order import (
    Fulfillment,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderLine,
    StoreOrder,
)
from tradewind.sandbox.shopify.paying import archive_if_settled
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.routing import level_of

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

_WHERE = ["fulfillment"]


@dataclass(frozen=True)
class Parcel:
    """What is shipped of one fulfillment order. units: None for everything that remains."""

    fulfillment_order: FulfillmentOrder
    units: Sequence[tuple[FulfillmentOrderLine, int]] | None = None

    def rows(self) -> list[tuple[FulfillmentOrderLine, int]]:
        """The units that leave."""
        if self.units is not None:
            return list(self.units)
        return [(row, row.remaining) for row in self.fulfillment_order.lines if row.remaining]


@dataclass(frozen=True)
class Tracking:
    """How a shipment can be followed."""

    company: str | None
    numbers: list[str]
    urls: list[str]


def fulfil(store: ShopifyStore, order: StoreOrder, parcels: Sequence[Parcel], tracking: Tracking) -> Fulfillment:
    """Record a shipment from one location. Raises RefusalError. Source: shopify.dev, fulfillmentCreate."""
    _check(parcels)
    happening, at = store.happening(), store.now()
    rows = [pair for parcel in parcels for pair in parcel.rows()]
    location = parcels[0].fulfillment_order.location
    made = Fulfillment(
        id=store.ids.next(),
        number=len(order.fulfillments) + 1,
        location=location,
        lines=[FulfillmentLine(store.ids.next(), row.line, quantity) for row, quantity in rows],
        created_at=at,
        updated_at=at,
        fulfillment_orders=[parcel.fulfillment_order for parcel in parcels],
        company=tracking.company,
        numbers=tracking.numbers,
        urls=tracking.urls,
    )
    for row, quantity in rows:
        row.remaining -= quantity
        row.line.fulfilled += quantity
        if level := level_of(store, row.line, location, at):
            level.move(at, committed=-quantity)
    _shipped(store, order, made, at)
    webhooks.fulfillment_created(store, happening, order, made)
    return made


def track(store: ShopifyStore, order: StoreOrder, fulfillment: Fulfillment, tracking: Tracking) -> None:
    """Change how a shipment can be followed."""
    happening, at = store.happening(), store.now()
    fulfillment.company, fulfillment.numbers, fulfillment.urls = tracking.company, tracking.numbers, tracking.urls
    fulfillment.updated_at = at
    order.updated_at = max(order.updated_at, at)
    webhooks.fulfillment_updated(store, happening, order, fulfillment)


def _shipped(store: ShopifyStore, order: StoreOrder, made: Fulfillment, at: datetime) -> None:
    for each in made.fulfillment_orders:
        each.settle(at)
    order.fulfillments.append(made)
    order.updated_at = max(order.updated_at, at)
    archive_if_settled(order, at)
    store.truth.record(
        "order_fulfilled",
        store=store.account,
        order_id=order.id,
        fulfillment_id=str(made.id),
        tracking_numbers=list(made.numbers),
        units=sum(row.quantity for row in made.lines),
    )


def _check(parcels: Sequence[Parcel]) -> None:
    if not parcels:
        raise RefusalError("At least one fulfillment order is required", field=_WHERE)
    if len({parcel.fulfillment_order.location.id for parcel in parcels}) > 1:
        raise RefusalError("All fulfillment orders must be assigned to the same location", field=_WHERE)
    for parcel in parcels:
        each = parcel.fulfillment_order
        if each.status in ("CLOSED", "ON_HOLD"):
            status = each.status.lower()
            raise RefusalError(f"Fulfillment order {each.id} has an unfulfillable status= {status}.", field=_WHERE)
        rows = parcel.rows()
        if not rows or any(quantity < 1 or quantity > row.remaining for row, quantity in rows):
            raise RefusalError("Invalid fulfillment order line item quantity requested.", field=_WHERE)
