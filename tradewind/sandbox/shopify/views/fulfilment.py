"""Fulfillment orders and fulfillments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.order import (
    Fulfillment,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Hold,
    StoreOrder,
)
from tradewind.sandbox.shopify.pages import by_id, page
from tradewind.sandbox.shopify.views import goods, lines
from tradewind.sandbox.shopify.views.base import View, bag, time, whole_order

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def fulfillment(store: ShopifyStore, order: StoreOrder, given: Fulfillment) -> View:
    """Fulfillment."""
    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", given.id),
        "legacyResourceId": str(given.id),
        "name": f"{order.name}-F{given.number}",
        "status": "SUCCESS",
        "displayStatus": "FULFILLED",
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "deliveredAt": None,
        "estimatedDeliveryAt": None,
        "inTransitAt": None,
        "totalQuantity": sum(row.quantity for row in given.lines),
        "requiresShipping": any(row.line.requires_shipping for row in given.lines),
        "trackingInfo": lambda _, first=None: _tracking(given)[:first],
        "location": lambda _: goods.location(store, given.location),
        "order": lambda _: whole_order(store, order),
        "fulfillmentLineItems": lambda _, **arguments: page(
            given.lines, lambda each: fulfillment_line(store, order, each), arguments, by_id
        ),
        "fulfillmentOrders": lambda _, **arguments: page(
            given.fulfillment_orders, lambda each: fulfillment_order(store, order, each), arguments, by_id
        ),
    }


def fulfillment_order(store: ShopifyStore, order: StoreOrder, given: FulfillmentOrder) -> View:
    """FulfillmentOrder."""

    def shipments(_: Any, **arguments: Any) -> View:
        found = [each for each in order.fulfillments if given in each.fulfillment_orders]
        return page(found, lambda each: fulfillment(store, order, each), arguments, by_id)

    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", given.id),
        "status": given.status,
        "requestStatus": "UNSUBMITTED",
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "fulfillAt": time(given.created_at.replace(minute=0, second=0)),
        "orderId": gid("Order", order.legacy_id),
        "orderName": order.name,
        "orderProcessedAt": time(order.processed_at),
        "order": lambda _: whole_order(store, order),
        "assignedLocation": _assigned(store, given),
        "destination": _destination(order, given),
        "deliveryMethod": {"id": gid("DeliveryMethod", given.id), "methodType": "SHIPPING"},
        "supportedActions": [{"action": action, "externalUrl": None} for action in _actions(given)],
        "fulfillmentHolds": [hold(each) for each in given.holds],
        "lineItems": lambda _, **arguments: page(
            given.lines, lambda each: _order_line(store, order, each), arguments, by_id
        ),
        "fulfillments": shipments,
    }


def hold(given: Hold) -> View:
    """FulfillmentHold."""
    return {
        "__typename": "FulfillmentHold",
        "id": gid("FulfillmentHold", given.id),
        "reason": given.reason,
        "displayReason": given.reason.replace("_", " ").capitalize(),
        "reasonNotes": given.notes,
        "handle": given.handle or None,
        "heldByRequestingApp": given.by_app,
    }


def _actions(given: FulfillmentOrder) -> list[str]:
    """What can be done with it now."""
    if given.status == "CLOSED":
        return []
    return ["RELEASE_HOLD", "HOLD"] if given.holds else ["CREATE_FULFILLMENT", "HOLD"]


def _tracking(given: Fulfillment) -> list[View]:
    count = max(len(given.numbers), len(given.urls))
    pad = [None] * count
    pairs = zip([*given.numbers, *pad], [*given.urls, *pad], strict=False)
    return [{"company": given.company, "number": number, "url": url} for number, url in list(pairs)[:count]]


def fulfillment_line(store: ShopifyStore, order: StoreOrder, given: FulfillmentLine) -> View:
    """FulfillmentLineItem."""
    line = given.line
    return {
        "__typename": "FulfillmentLineItem",
        "id": gid("FulfillmentLineItem", given.id),
        "lineItem": lambda _: lines.line_item(store, order, line),
        "quantity": given.quantity,
        "originalTotalSet": bag(line.share(line.gross, given.quantity), line.money),
        "discountedTotalSet": bag(line.share(line.net, given.quantity), line.money),
    }


def _order_line(store: ShopifyStore, order: StoreOrder, given: FulfillmentOrderLine) -> View:
    line, variant = given.line, given.line.variant
    return {
        "__typename": "FulfillmentOrderLineItem",
        "id": gid("FulfillmentOrderLineItem", given.id),
        "lineItem": lambda _: lines.line_item(store, order, line),
        "remainingQuantity": given.remaining,
        "totalQuantity": given.total,
        "requiresShipping": line.requires_shipping,
        "sku": line.sku,
        "productTitle": variant.product.title if variant else line.title,
        "variantTitle": variant.title if variant else None,
        "vendor": variant.product.vendor if variant else None,
        "variant": lambda _: goods.variant(store, variant) if variant else None,
        "inventoryItemId": gid("InventoryItem", variant.item_id) if variant else None,
    }


def _assigned(store: ShopifyStore, given: FulfillmentOrder) -> View:
    address = given.location.address
    return {
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "countryCode": address.country_code or "GB",
        "location": lambda _: goods.location(store, given.location),
        "name": given.location.name,
        "phone": address.phone,
        "province": address.province,
        "zip": address.zip,
    }


def _destination(order: StoreOrder, given: FulfillmentOrder) -> View | None:
    address = order.shipping_address
    if address is None:
        return None
    return {
        "id": gid("FulfillmentOrderDestination", given.id),
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "company": address.company,
        "countryCode": address.country_code,
        "email": order.email,
        "firstName": address.first_name,
        "lastName": address.last_name,
        "phone": address.phone,
        "province": address.province,
        "zip": address.zip,
    }
