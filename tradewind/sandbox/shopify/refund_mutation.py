"""refundCreate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify import idempotent, refunding
from tradewind.sandbox.shopify.ids import number_of
from tradewind.sandbox.shopify.lookup import order_of
from tradewind.sandbox.shopify.money import ZERO, parsed_amount
from tradewind.sandbox.shopify.order import Refund, StoreOrder
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


def _shipping(order: StoreOrder, wanted: dict[str, Any]) -> Decimal:
    if wanted.get("fullRefund"):
        return order.current_shipping
    return parsed_amount(wanted["amount"]) if wanted.get("amount") else ZERO


def _payback(order: StoreOrder, index: int, wanted: dict[str, Any]) -> Payback:
    where = ["transactions", str(index)]
    if wanted["kind"] != "REFUND":
        raise RefusalError("Transaction kind must be refund", field=[*where, "kind"])
    number = number_of(wanted["parentId"], "OrderTransaction") if wanted.get("parentId") else None
    paid = next((each for each in order.transactions if each.id == number), None)
    if paid is None or paid.kind not in ("SALE", "CAPTURE") or paid.status != "SUCCESS":
        raise RefusalError("Parent transaction can't be refunded", field=[*where, "parentId"])
    return Payback(paid, parsed_amount(wanted["amount"]))
