"""Which location ships what, and the stock that an order holds there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.catalog import Location
from tradewind.sandbox.shopify.order import FulfillmentOrder, FulfillmentOrderLine, OrderLine, StoreOrder
from tradewind.sandbox.shopify.stock import Level

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def commit(store: ShopifyStore, order: StoreOrder, at: datetime) -> list[Level]:
    """Route an order's lines to locations and hold their stock: one fulfillment order for each location."""
    groups: dict[int, list[OrderLine]] = {}
    for line, location in _routes(store, order):
        groups.setdefault(location.id, []).append(line)
    changed = []
    for location_id, lines in groups.items():
        location = store.catalog.locations[location_id]
        rows = [FulfillmentOrderLine(store.ids.next(), line, location, line.quantity, line.quantity) for line in lines]
        order.fulfillment_orders.append(FulfillmentOrder(store.ids.next(), location, rows, at, at))
        for line, row in zip(lines, rows, strict=True):
            line.rows.append(row)
            if level := level_of(store, line, location, at):
                level.move(at, available=-line.quantity, committed=line.quantity)
                changed.append(level)
    return changed


def first_with(store: ShopifyStore, line: OrderLine, quantity: int) -> Location:
    """The first location that has so many units; the first of all if none has."""
    locations = list(store.catalog.by_priority())
    return next((each for each in locations if _holds(store, each, line, quantity)), locations[0])


def level_of(store: ShopifyStore, line: OrderLine, location: Location, at: datetime) -> Level | None:
    """The stock level that a line moves at a location; None if nothing is counted for it."""
    if line.variant is None or not line.requires_shipping:
        return None
    return store.stock.stocked(line.variant.item_id, location.id, at)


def _routes(store: ShopifyStore, order: StoreOrder) -> list[tuple[OrderLine, Location]]:
    """A location for each line: the first that has everything, otherwise for each line the first that has enough.

    A line that nobody has enough of, or that is not stocked, goes where the first line goes.
    """
    locations = list(store.catalog.by_priority())
    if not locations:
        raise ValueError(f"store {store.account!r} has no location to ship from")
    for location in locations:
        if all(_has(store, location, line) for line in order.lines):
            return [(line, location) for line in order.lines]
    found = {
        line.id: next((each for each in locations if _has(store, each, line)), None)
        for line in order.lines
        if _is_counted(line)
    }
    home = next((location for location in found.values() if location), locations[0])
    return [(line, found.get(line.id) or home) for line in order.lines]


def _is_counted(line: OrderLine) -> bool:
    return line.variant is not None and line.requires_shipping


def _has(store: ShopifyStore, location: Location, line: OrderLine) -> bool:
    return _holds(store, location, line, line.quantity)


def _holds(store: ShopifyStore, location: Location, line: OrderLine, quantity: int) -> bool:
    if line.variant is None or not line.requires_shipping:
        return True
    level = store.stock.level(line.variant.item_id, location.id)
    return level is not None and level.quantity("available") >= quantity
