"""refundCreate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify import idempotent, refunding
from tradewind.sandbox.shopify.ids import number_of
from tradewind.sandbox.shopify.lookup import order_of
from tradewind.sandbox.shopify.money import ZERO, parsed_amount
from tradewind.sandbox.shopify.order import OrderLine, Refund, StoreOrder
from tradewind.sandbox.shopify.payment import presented_left, refundable
from tradewind.sandbox.shopify.refunding import Payback, Units
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.views import orders, payments
from tradewind.sandbox.shopify.views.base import View

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def refund_create(store: ShopifyStore, info: Any, input: dict[str, Any]) -> View:
    """The mutation's payload. Needs an idempotency key."""
    try:
        order, made = idempotent.once(store, info, input, lambda: _refund(store, input))
    except RefusalError as refusal:
        return {"userErrors": [{"field": refusal.field, "message": refusal.message}]}
    return {
        "order": orders.order(store, order),
        "refund": payments.refund(store, order, made),
        "userErrors": [],
    }


def _refund(store: ShopifyStore, input: dict[str, Any]) -> tuple[StoreOrder, Refund]:
    order = order_of(store, input["orderId"])
    if order is None:
        raise RefusalError("Order does not exist", field=["orderId"])
    if order.money.presentment != order.currency and input.get("currency") is None:
        raise RefusalError("Currency is required for an order in another currency than the shop's", field=["currency"])
    if input.get("currency") not in (None, order.money.presentment):
        raise RefusalError("Currency does not match the order's presentment currency", field=["currency"])
    processed_at = input.get("processedAt")
    made = refunding.refund(
        store,
        order,
        [_units(store, order, index, each) for index, each in enumerate(input.get("refundLineItems") or [])],
        shipping=_shipping(order, input.get("shipping") or {}),
        paybacks=[_payback(order, index, each) for index, each in enumerate(input.get("transactions") or [])],
        note=input.get("note"),
        processed_at=datetime.fromisoformat(processed_at) if processed_at else None,
        over=bool(input.get("allowOverRefunding")),
        duties=_duties(order, input.get("refundDuties") or []),
    )
    return order, made


def _units(store: ShopifyStore, order: StoreOrder, index: int, wanted: dict[str, Any]) -> Units:
    number = number_of(wanted["lineItemId"], "LineItem")
    line = next((each for each in order.lines if each.id == number), None)
    if line is None:
        raise RefusalError("Line item does not exist", field=["refundLineItems", str(index), "lineItemId"])
    if wanted["quantity"] < 1:
        raise RefusalError("Quantity must be greater than 0", field=["refundLineItems", str(index), "quantity"])
    location = None
    if wanted.get("locationId"):
        location = store.catalog.locations.get(number_of(wanted["locationId"], "Location") or 0)
        if location is None:
            raise RefusalError("Location does not exist", field=["refundLineItems", str(index), "locationId"])
    return Units(line, wanted["quantity"], wanted.get("restockType") or "NO_RESTOCK", location)


def _duties(order: StoreOrder, wanted: list[dict[str, Any]]) -> list[tuple[OrderLine, Decimal]]:
    """FULL gives back all of a duty, PROPORTIONAL its part for the units that are off the order."""
    left = {line.duty_id: (line, amount) for line, amount in refunding.duties_of(order, order.lines)}
    found = []
    for index, each in enumerate(wanted):
        known = left.get(number_of(each["dutyId"], "Duty") or 0)
        if known is None:
            raise RefusalError("Duty does not exist", field=["refundDuties", str(index), "dutyId"])
        line, amount = known
        part = line.share(line.duty, line.removed) if each.get("refundType") == "PROPORTIONAL" else amount
        found.append((line, min(part, amount)))
    return found


def _shipping(order: StoreOrder, wanted: dict[str, Any]) -> Decimal:
    if wanted.get("fullRefund"):
        return order.current_shipping
    if not wanted.get("amount"):
        return ZERO
    presented = parsed_amount(wanted["amount"])
    left = order.current_shipping
    return left if presented == order.money.presented(left) else order.money.in_shop(presented)


def _payback(order: StoreOrder, index: int, wanted: dict[str, Any]) -> Payback:
    where = ["transactions", str(index)]
    if wanted["kind"] != "REFUND":
        raise RefusalError("Transaction kind must be refund", field=[*where, "kind"])
    number = number_of(wanted["parentId"], "OrderTransaction") if wanted.get("parentId") else None
    paid = next((each for each in order.transactions if each.id == number), None)
    if paid is None or paid.kind not in ("SALE", "CAPTURE") or paid.status != "SUCCESS":
        raise RefusalError("Parent transaction can't be refunded", field=[*where, "parentId"])
    presented = parsed_amount(wanted["amount"])
    if presented == presented_left(order, paid):
        return Payback(paid, refundable(order, paid), presented)
    return Payback(paid, order.money.in_shop(presented), presented)
