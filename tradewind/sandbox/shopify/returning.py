"""Goods that come back: asked for, agreed to, received, and put on the shelf again or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.catalog import Location
from tradewind.sandbox.shopify.order import Disposition, FulfillmentLine, Return, ReturnLine, StoreOrder
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.routing import level_of

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

_ALIVE: Final = ("REQUESTED", "OPEN", "CLOSED")


@dataclass(frozen=True)
class Wanted:
    """Units of a shipment that are to come back."""

    shipped: FulfillmentLine
    quantity: int
    note: str = ""


def create(store: ShopifyStore, order: StoreOrder, wanted: Sequence[Wanted], *, requested: bool = False) -> Return:
    """A return, agreed to at once unless it is only requested. An archived order is opened again.

    Raises RefusalError unless the units were shipped and are in no other return. Source: shopify.dev, returnCreate and
    returnRequest.
    """
    _check(order, wanted)
    at = store.now()
    made = Return(
        id=store.ids.next(),
        name=f"{order.name}-R{len(order.returns) + 1}",
        status="REQUESTED" if requested else "OPEN",
        lines=[
            ReturnLine(store.ids.next(), store.ids.next(), each.shipped, each.quantity, each.note) for each in wanted
        ],
        created_at=at,
        reverse_id=store.ids.next(),
        approved_at=None if requested else at,
    )
    order.returns.append(made)
    order.closed_at = None
    store.truth.record(
        "return_opened",
        store=store.account,
        order_id=order.id,
        return_id=str(made.id),
        units=sum(line.quantity for line in made.lines),
    )
    _tell(store, order, made, "request" if requested else "approve")
    return made


def approve(store: ShopifyStore, order: StoreOrder, given: Return) -> None:
    """Agree to a request. Raises RefusalError."""
    _expect(given, "REQUESTED")
    given.status, given.approved_at = "OPEN", store.now()
    _tell(store, order, given, "approve")


def decline(store: ShopifyStore, order: StoreOrder, given: Return, reason: str, note: str | None) -> None:
    """Refuse a request. Raises RefusalError."""
    _expect(given, "REQUESTED")
    given.status, given.decline = "DECLINED", (reason, note)
    _ended(store, order, given)
    _tell(store, order, given, "decline")


def cancel(store: ShopifyStore, order: StoreOrder, given: Return) -> None:
    """Call a return off. Raises RefusalError once something of it was received or refunded."""
    _expect(given, "OPEN", "REQUESTED")
    if any(line.disposed for line in given.lines) or any(each.return_id == given.id for each in order.refunds):
        raise RefusalError("Return can't be cancelled once it was processed.", field=["id"], code="INVALID_STATE")
    given.status = "CANCELED"
    _ended(store, order, given)
    _tell(store, order, given, "cancel")


def close(store: ShopifyStore, order: StoreOrder, given: Return) -> None:
    """End a return: what was to be done is done. Raises RefusalError."""
    _expect(given, "OPEN")
    given.status, given.closed_at = "CLOSED", store.now()
    _ended(store, order, given)
    _tell(store, order, given, "close")


def dispose(
    store: ShopifyStore,
    order: StoreOrder,
    given: Return,
    line: ReturnLine,
    kind: str,
    quantity: int,
    location: Location | None,
) -> None:
    """Units have arrived. kind: RESTOCKED puts them on the shelf again, where they were shipped from if not told.

    Raises RefusalError. Source: shopify.dev, reverseFulfillmentOrderDispose.
    """
    _expect(given, "OPEN")
    if not 0 < quantity <= line.quantity - line.disposed:
        raise RefusalError("Quantity is more than can be disposed of.", field=["dispositionInputs"], code="INVALID")
    at, happening = store.now(), store.happening()
    place = location or _shipped_from(order, line)
    line.dispositions.append(Disposition(store.ids.next(), kind, quantity, place, at))
    level = level_of(store, line.shipped.line, place, at) if kind == "RESTOCKED" else None
    if level is not None:
        level.move(at, available=quantity)
        webhooks.levels_changed(store, happening, [level])
    store.truth.record(
        "return_received",
        store=store.account,
        order_id=order.id,
        return_id=str(given.id),
        quantity=quantity,
        restocked=kind == "RESTOCKED",
    )
    _tell(store, order, given, "update")


def _ended(store: ShopifyStore, order: StoreOrder, given: Return) -> None:
    store.truth.record(
        "return_closed", store=store.account, order_id=order.id, return_id=str(given.id), status=given.status
    )


def _tell(store: ShopifyStore, order: StoreOrder, given: Return, topic: str) -> None:
    order.updated_at = max(order.updated_at, store.now())
    webhooks.return_changed(store, store.happening(), order, given, topic)


def _check(order: StoreOrder, wanted: Sequence[Wanted]) -> None:
    if not wanted:
        raise RefusalError("At least one return line item is required.", field=["returnLineItems"], code="BLANK")
    for index, each in enumerate(wanted):
        returned = sum(
            line.quantity
            for given in order.returns
            if given.status in _ALIVE
            for line in given.lines
            if line.shipped is each.shipped
        )
        free = min(each.shipped.quantity - returned, each.shipped.line.current_quantity)
        if not 0 < each.quantity <= free:
            where = ["returnLineItems", str(index), "quantity"]
            raise RefusalError("Return line item has an invalid quantity.", field=where, code="INVALID")


def _expect(given: Return, *statuses: str) -> None:
    if given.status not in statuses:
        raise RefusalError(f"Return is {given.status.lower()}.", field=["id"], code="INVALID_STATE")


def _shipped_from(order: StoreOrder, line: ReturnLine) -> Location:
    return next(each.location for each in order.fulfillments if line.shipped in each.lines)
