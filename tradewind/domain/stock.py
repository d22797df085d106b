"""Stock: an append-only ledger of movements per (sku, location), and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from tradewind.domain.model import Model
from tradewind.domain.order import Order, OrderLine


class MovementKind(StrEnum):
    COUNTED = "counted"  # first publication or a stock count: on_hand changes by the difference
    RESERVED = "reserved"
    RELEASED = "released"
    SHIPPED = "shipped"
    RETURNED = "returned"
    ADJUSTED = "adjusted"


class StockMovement(Model):
    """One movement. quantity: positive units; `kind` says which way, ADJUSTED and COUNTED carry their sign.

    cause: what brought it about, e.g. `shopify:north/gid://…/Order/1/line/…/reserved`: unique, so that a movement is
    recorded once however often its cause is seen.
    """

    sku: str
    location: str
    kind: MovementKind
    quantity: int
    cause: str


class Availability(Model):
    """on_hand: units in the building. reserved: sold, not yet shipped. available = on_hand - reserved."""

    on_hand: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    def after(self, movement: StockMovement) -> Availability:
        on_hand, reserved, quantity = self.on_hand, self.reserved, movement.quantity
        match movement.kind:
            case MovementKind.RESERVED:
                reserved += quantity
            case MovementKind.RELEASED:
                reserved -= quantity
            case MovementKind.SHIPPED:
                on_hand, reserved = on_hand - quantity, reserved - quantity
            case MovementKind.RETURNED | MovementKind.ADJUSTED | MovementKind.COUNTED:
                on_hand += quantity
        return Availability(on_hand=on_hand, reserved=reserved)


def availability(movements: Iterable[StockMovement]) -> dict[tuple[str, str], Availability]:
    """What stands where after the movements, by (sku, location)."""
    result: dict[tuple[str, str], Availability] = {}
    for movement in movements:
        place = (movement.sku, movement.location)
        result[place] = result.get(place, Availability()).after(movement)
    return result


def movements_of(order: Order) -> tuple[StockMovement, ...]:
    """Every movement that the order, as it stands, has caused so far.

    Level-triggered: planning the same record twice gives the same causes, and the ledger keeps each cause once. A line
    is reserved where its fulfillment order is; shipped when the fulfillment order is closed with a fulfillment;
    released when the order is cancelled before that.
    """
    if order.placed is None or not order.live:
        return ()
    return tuple(_movements(order))


def _movements(order: Order) -> Iterator[StockMovement]:
    assert order.placed is not None
    lines = {line.external_id: line for line in order.placed.lines}
    shipped_from = {f.fulfillment_order_id for f in order.placed.fulfillments if f.status != "cancelled"}
    for work in order.placed.fulfillment_orders:
        for line_id, quantity in work.assigned:
            line = lines.get(line_id)
            if line is None or line.sku is None or not line.requires_shipping or not quantity:
                continue
            yield _movement(order, line, work.location, MovementKind.RESERVED, quantity, work.external_id)
            if work.external_id in shipped_from:
                yield _movement(order, line, work.location, MovementKind.SHIPPED, quantity, work.external_id)
            elif order.placed.cancelled_at is not None:
                yield _movement(order, line, work.location, MovementKind.RELEASED, quantity, work.external_id)


def _movement(
    order: Order, line: OrderLine, location: str, kind: MovementKind, quantity: int, work: str
) -> StockMovement:
    cause = f"{order.id}/{work}/{line.external_id}/{kind.value}"
    return StockMovement(sku=line.sku or "", location=location, kind=kind, quantity=quantity, cause=cause)
