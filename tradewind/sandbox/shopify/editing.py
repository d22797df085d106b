"""Orders that are changed after they were placed: lines added, quantities changed, committed together.

Source: shopify.dev, "Edit existing orders", and the descriptions of the orderEdit mutations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.catalog import Location, Variant
from tradewind.sandbox.shopify.money import ZERO, rounded
from tradewind.sandbox.shopify.order import FulfillmentOrder, FulfillmentOrderLine, OrderLine, StoreOrder
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.routing import first_with, level_of
from tradewind.sandbox.shopify.stock import Level

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


@dataclass(eq=False)
class AddedLine:
    """A line that the order is to have. id: what the API calls it until it is committed."""

    id: int
    variant: Variant
    quantity: int


@dataclass(eq=False)
class EditSession:
    """Changes that are collected and not made yet."""

    id: int
    order: StoreOrder
    added: list[AddedLine] = field(default_factory=list)
    quantities: dict[int, int] = field(default_factory=dict)  # line id: units that it is to have
    restocked: set[int] = field(default_factory=set)  # lines whose removed units can be sold again

    def quantity(self, line: OrderLine) -> int:
        """The units that a line will have."""
        return self.quantities.get(line.id, line.current_quantity)


def begin(store: ShopifyStore, order: StoreOrder) -> EditSession:
    """Start to change an order. Raises RefusalError for one that is cancelled."""
    if order.cancelled_at is not None:
        raise RefusalError("The order cannot be edited.", field=["id"])
    session = EditSession(store.ids.next(), order)
    store.edits[session.id] = session
    return session


def add_variant(
    store: ShopifyStore, session: EditSession, variant: Variant, quantity: int, *, again: bool = False
) -> AddedLine:
    """A new line. again: also where the order has a line of this variant. Raises RefusalError."""
    if quantity < 1:
        raise RefusalError("Quantity must be greater than 0", field=["quantity"])
    known = [line.variant for line in session.order.lines] + [each.variant for each in session.added]
    if variant in known and not again:
        raise RefusalError("The variant is already on the order", field=["variantId"])
    added = AddedLine(store.ids.next(), variant, quantity)
    session.added.append(added)
    return added


def set_quantity(session: EditSession, line: OrderLine, quantity: int, *, restock: bool) -> None:
    """How many units a line is to have: none that was shipped can go. Raises RefusalError."""
    if quantity < line.current_quantity - line.unshipped:
        raise RefusalError("Quantity can't be less than what has been fulfilled", field=["quantity"])
    session.quantities[line.id] = quantity
    (session.restocked.add if restock else session.restocked.discard)(line.id)


def commit(store: ShopifyStore, session: EditSession) -> None:
    """Make the changes. Raises RefusalError if there are none, or if the order has moved on meanwhile."""
    order, happening, at = session.order, store.happening(), store.now()
    changed = {line: session.quantity(line) - line.current_quantity for line in order.lines}
    changed = {line: delta for line, delta in changed.items() if delta}
    if not changed and not session.added:
        raise RefusalError("There are no changes to commit.", field=["id"])
    if order.cancelled_at is not None or any(-delta > line.unshipped for line, delta in changed.items()):
        raise RefusalError("The order has changed since the edit began.", field=["id"])
    levels: list[Level] = []
    for line, delta in changed.items():
        if delta < 0:
            levels += _remove(store, line, -delta, at, restock=line.id in session.restocked)
        else:
            levels += _raise(store, order, line, delta, at)
    made = {_add(store, order, each, at, levels): each.quantity for each in session.added}
    for each in order.fulfillment_orders:
        each.settle(at)
    order.edited, order.closed_at = True, None
    order.updated_at = max(order.updated_at, at)
    store.edits.pop(session.id, None)
    store.truth.record("order_edited", store=store.account, order_id=order.id)
    webhooks.order_edited(store, happening, order, session.id, {**changed, **made})
    webhooks.levels_changed(store, happening, levels)


def edit(store: ShopifyStore, order: StoreOrder, *, add: Mapping[str, int], quantities: Mapping[int, int]) -> None:
    """What a merchant does at the desk, all at once. add: units by SKU; quantities: units by line id.

    Raises RefusalError; KeyError for an unknown SKU.
    """
    session = begin(store, order)
    for sku, quantity in add.items():
        add_variant(store, session, store.catalog.by_sku[sku], quantity, again=True)
    for line in order.lines:
        if line.id in quantities:
            set_quantity(session, line, quantities[line.id], restock=True)
    commit(store, session)


def outlook(session: EditSession) -> tuple[Decimal, Decimal]:
    """The order's subtotal and total once the changes are made, tax included where it is added."""
    order = session.order
    subtotal = tax = ZERO
    for line in order.lines:
        units = session.quantity(line)
        worth = line.share(line.net, min(units, line.quantity)) + line.unit_price * max(0, units - line.quantity)
        subtotal += rounded(worth, order.currency)
    for added in session.added:
        subtotal += rounded(added.variant.price * added.quantity, order.currency)
    if not order.taxes_included:
        tax = order.tax_on(subtotal + order.current_shipping)
    return subtotal, subtotal + tax + order.current_shipping + order.current_duties + order.current_tip


def _remove(store: ShopifyStore, line: OrderLine, quantity: int, at: datetime, *, restock: bool) -> list[Level]:
    """Units that nobody ships any more leave their fulfillment orders."""
    levels = []
    line.removed += quantity
    for row in line.rows:
        taken = min(quantity, row.remaining)
        row.remaining -= taken
        row.total -= taken
        quantity -= taken
        if taken and (level := level_of(store, line, row.location, at)):
            level.move(at, committed=-taken, available=taken if restock else 0)
            levels.append(level)
    return levels


def _raise(store: ShopifyStore, order: StoreOrder, line: OrderLine, quantity: int, at: datetime) -> list[Level]:
    """More units of a line, at its price: from the same place if that still ships it."""
    worth = rounded(line.unit_price * quantity, order.currency)
    line.quantity += quantity
    line.gross += worth
    line.tax += order.tax_on(worth)
    return _assign(store, order, line, quantity, at)


def _add(store: ShopifyStore, order: StoreOrder, added: AddedLine, at: datetime, levels: list[Level]) -> OrderLine:
    variant = added.variant
    gross = rounded(variant.price * added.quantity, order.currency)
    line = OrderLine(
        id=store.ids.next(),
        sku=variant.sku,
        title=variant.product.title,
        quantity=added.quantity,
        unit_price=variant.price,
        gross=gross,
        discount=ZERO,
        tax=order.tax_on(gross),
        requires_shipping=variant.requires_shipping,
        variant=variant,
        money=order.money,
    )
    order.lines.append(line)
    levels += _assign(store, order, line, added.quantity, at)
    return line


def _assign(store: ShopifyStore, order: StoreOrder, line: OrderLine, quantity: int, at: datetime) -> list[Level]:
    """Units to an open fulfillment order that has the line, or that is at the line's place; to a new one otherwise."""
    place = line.rows[-1].location if line.rows else first_with(store, line, quantity)
    row = _open_row(order, line) or _new_row(store, order, line, place, at)
    row.total += quantity
    row.remaining += quantity
    level = level_of(store, line, row.location, at)
    if level is None:
        return []
    level.move(at, available=-quantity, committed=quantity)
    return [level]


def _open_row(order: StoreOrder, line: OrderLine) -> FulfillmentOrderLine | None:
    rows = (row for each in order.fulfillment_orders if each.status != "CLOSED" for row in each.lines)
    return next((row for row in rows if row.line is line), None)


def _new_row(
    store: ShopifyStore, order: StoreOrder, line: OrderLine, place: Location, at: datetime
) -> FulfillmentOrderLine:
    row = FulfillmentOrderLine(store.ids.next(), line, place, 0, 0)
    line.rows.append(row)
    order.fulfillment_orders.append(FulfillmentOrder(store.ids.next(), place, [row], at, at))
    return row
