"""Bodies about shipments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.order import Fulfillment, StoreOrder
from tradewind.sandbox.shopify.payloads.common import Body, address, line_item, when

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def fulfillment(store: ShopifyStore, order: StoreOrder, given: Fulfillment) -> Body:
    """fulfillments/create, fulfillments/update."""
    return {
        **order_fulfillment(store, order, given),
        "email": order.email,
        "destination": address(order.shipping_address),
    }


def order_fulfillment(store: ShopifyStore, order: StoreOrder, given: Fulfillment) -> Body:
    """A shipment as orders list it."""
    return {
        "id": given.id,
        "order_id": order.legacy_id,
        "status": "success",
        "created_at": when(store, given.created_at),
        "service": "manual",
        "updated_at": when(store, given.updated_at),
        "tracking_company": given.company,
        "shipment_status": None,
        "location_id": given.location.id,
        "origin_address": None,
        "line_items": [
            {
                **line_item(row.line, remaining=row.line.unshipped, tax_rate=order.tax_rate),
                "quantity": row.quantity,
            }
            for row in given.lines
        ],
        "tracking_number": given.numbers[0] if given.numbers else None,
        "tracking_numbers": list(given.numbers),
        "tracking_url": given.urls[0] if given.urls else None,
        "tracking_urls": list(given.urls),
        "receipt": {},
        "name": f"{order.name}.{given.number}",
        "admin_graphql_api_id": gid("Fulfillment", given.id),
    }
