"""Stock: an append-only ledger of movements per (sku, location), and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from tradewind.domain.model import Model
from tradewind.domain.order import Order, OrderLine, PlacedOrder


class MovementKind(StrEnum):
    COUNTED = "counted"  # first publication or a stock count: on_hand changes by the difference
    RESERVED = "reserved"
    RELEASED = "released"
    SHIPPED = "shipped"
    RETURNED = "returned"
    ADJUSTED = "adjusted"


class StockMovement(Model):
    """One movement. quantity: positive units; `kind` says which way, ADJUSTED and COUNTED carry their sign.

    cause: what brought it about, e.g. `shopify:north/gid://…/Order/1/…/reserved/3`: unique, so that a movement is
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


Place = tuple[str, str, str, str]  # (work or return, line external_id, SKU, location)
Levels = Mapping[MovementKind, Mapping[Place, int]]
_KINDS = (MovementKind.RESERVED, MovementKind.SHIPPED, MovementKind.RETURNED)


def movements_of(order: Order, before: Order | None = None, *, step: str = "") -> tuple[StockMovement, ...]:
    """The movements that bring the stock from what the record said before to what it says now.

    Level-triggered: a line is reserved where its fulfillment order still has it to ship, shipped where a fulfillment
    took it, returned where it lies on a shelf again; whatever raises or lowers one of these moves the difference, so
    that a reduced, moved or cancelled fulfillment order releases what it no longer has.
    step: names the change of the record, e.g. by the version of its row, so that each movement has a cause of its own.
    """
    then, now = _levels(before), _levels(order)
    return tuple(_movements(order, then, now, step))


def _movements(order: Order, then: Levels, now: Levels, step: str) -> Iterator[StockMovement]:
    shipped = _difference(then[MovementKind.SHIPPED], now[MovementKind.SHIPPED])
    reserved = _difference(then[MovementKind.RESERVED], now[MovementKind.RESERVED])
    for place in sorted({*shipped, *reserved}):
        went, stays = shipped.get(place, 0), reserved.get(place, 0)
        # What ships leaves the reservation with it: SHIPPED moves both.
        yield from _moved(order, place, MovementKind.RESERVED, stays + max(went, 0), step)
        yield from _moved(order, place, MovementKind.SHIPPED, went, step)
    returned = _difference(then[MovementKind.RETURNED], now[MovementKind.RETURNED])
    for place in sorted(returned):
        yield from _moved(order, place, MovementKind.RETURNED, returned[place], step)


_UNDONE = {
    MovementKind.RESERVED: MovementKind.RELEASED,
    MovementKind.SHIPPED: MovementKind.RETURNED,
    MovementKind.RETURNED: MovementKind.ADJUSTED,
}


def _moved(order: Order, place: Place, kind: MovementKind, quantity: int, step: str) -> Iterator[StockMovement]:
    if not quantity:
        return
    source, line, sku, location = place
    if quantity < 0:
        kind = _UNDONE[kind]
        quantity = quantity if kind is MovementKind.ADJUSTED else -quantity
    cause = f"{order.id}/{source}/{line}/{location}/{kind.value}/{step}"
    yield StockMovement(sku=sku, location=location, kind=kind, quantity=quantity, cause=cause)


def _difference(then: Mapping[Place, int], now: Mapping[Place, int]) -> dict[Place, int]:
    return {place: now.get(place, 0) - then.get(place, 0) for place in {*then, *now}}


def _levels(order: Order | None) -> Levels:
    """Units reserved, shipped and returned, in all, as the record has them."""
    levels: dict[MovementKind, dict[Place, int]] = {kind: {} for kind in _KINDS}
    placed = order.placed if order is not None else None
    if order is None or placed is None or not order.live:
        return levels
    for kind, place, quantity in (*_of_work(placed), *_of_returns(placed)):
        levels[kind][place] = levels[kind].get(place, 0) + quantity
    return levels


def _of_work(placed: PlacedOrder) -> Iterator[tuple[MovementKind, Place, int]]:
    lines = _stocked(placed)
    left = {line: _units_left(placed, lines[line]) for line in lines}
    shipped_from = {parcel.fulfillment_order_id for parcel in placed.fulfillments if parcel.stands}
    for work in placed.fulfillment_orders:
        remaining = dict(work.remaining)
        for line_id, assigned in work.assigned:
            if line_id not in lines:
                continue
            place = (work.external_id, line_id, lines[line_id].sku or "", work.location)
            rest = min(remaining.get(line_id, 0), assigned)
            if not work.is_over and placed.cancelled_at is None and rest:
                yield MovementKind.RESERVED, place, rest
            gone = min(assigned - rest, left[line_id]) if work.external_id in shipped_from else 0
            if gone > 0:
                left[line_id] -= gone
                yield MovementKind.SHIPPED, place, gone


def _units_left(placed: PlacedOrder, line: OrderLine) -> int:
    """Units of a line that can have been shipped: what was ordered less what waits and what was taken off before."""
    refunded = sum(units for refund in placed.refunds for each, units in refund.lines if each == line.external_id)
    cancelled = sum(units for refund in placed.refunds for each, units in refund.cancelled if each == line.external_id)
    edited_out = max(line.quantity - line.current_quantity - refunded, 0)
    waits = sum(
        units
        for work in placed.fulfillment_orders
        if not work.is_over
        for each, units in work.remaining
        if each == line.external_id
    )
    return max(line.quantity - cancelled - edited_out - waits, 0)


def _of_returns(placed: PlacedOrder) -> Iterator[tuple[MovementKind, Place, int]]:
    """Units that are told by a return are not counted again with the refund that belongs to it."""
    lines = _stocked(placed)
    by_return = [(one.external_id, one.restocked) for one in placed.returns]
    by_refund = [(one.external_id, one.restocked) for one in placed.refunds if one.return_id is None]
    for source, restocked in (*by_return, *by_refund):
        for line_id, location, quantity in restocked:
            if line_id in lines and quantity and location is not None:
                place = (source, line_id, lines[line_id].sku or "", location)
                yield MovementKind.RETURNED, place, quantity


def _stocked(placed: PlacedOrder) -> dict[str, OrderLine]:
    return {line.external_id: line for line in placed.lines if line.sku is not None and line.requires_shipping}
