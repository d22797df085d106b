"""Bodies about what happens to an order between its placing and its end: edits, holds, risk, returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.order import FulfillmentOrder, Hold, OrderLine, Return, StoreOrder
from tradewind.sandbox.shopify.payloads.common import Body, when

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def order_edit(store: ShopifyStore, order: StoreOrder, edit_id: int, deltas: Mapping[OrderLine, int]) -> Body:
    """orders/edited. deltas: units that came or went, by line."""
    at = when(store, order.updated_at)
    return {
        "order_edit": {
            "id": edit_id,
            "app_id": None,
            "created_at": at,
            "committed_at": at,
            "notify_customer": False,
            "order_id": order.legacy_id,
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": line.id, "delta": delta} for line, delta in deltas.items() if delta > 0],
                "removals": [{"id": line.id, "delta": -delta} for line, delta in deltas.items() if delta < 0],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }


def placed_on_hold(given: FulfillmentOrder, made: Hold) -> Body:
    """fulfillment_orders/placed_on_hold."""
    return {
        "fulfillment_order": {**_work(given), "fulfillment_holds": [_hold(each) for each in given.holds]},
        "created_fulfillment_hold": _hold(made),
    }


def hold_released(given: FulfillmentOrder) -> Body:
    """fulfillment_orders/hold_released."""
    return {"fulfillment_order": _work(given)}


def hold_changed(given: FulfillmentOrder, hold: Hold) -> Body:
    """fulfillment_holds/added and fulfillment_holds/released: the order's own status is not told."""
    return {"fulfillment_order": {"id": gid("FulfillmentOrder", given.id)}, "fulfillment_hold": _hold(hold)}


def risk_assessment(store: ShopifyStore, order: StoreOrder) -> Body:
    """orders/risk_assessment_changed."""
    return {
        "provider_id": None,
        "provider_title": "Shopify",
        "order_id": order.legacy_id,
        "admin_graphql_api_order_id": gid("Order", order.legacy_id),
        "risk_level": order.risk.level.lower(),
        "created_at": when(store, order.updated_at),
    }


def return_(order: StoreOrder, given: Return) -> Body:
    """returns/request, approve, decline, cancel, close, update."""
    return {
        "id": given.id,
        "admin_graphql_api_id": gid("Return", given.id),
        "status": given.status.lower(),
        "order": {"id": order.legacy_id, "admin_graphql_api_id": gid("Order", order.legacy_id)},
        "total_return_line_items": sum(line.quantity for line in given.lines),
        "name": given.name,
        "return_line_items": [
            {
                "id": line.id,
                "admin_graphql_api_id": gid("ReturnLineItem", line.id),
                "fulfillment_line_item": {
                    "id": line.shipped.id,
                    "admin_graphql_api_id": gid("FulfillmentLineItem", line.shipped.id),
                    "line_item": {
                        "id": line.shipped.line.id,
                        "admin_graphql_api_id": gid("LineItem", line.shipped.line.id),
                    },
                },
                "quantity": line.quantity,
                "return_reason_note": line.note,
                "customer_note": line.note or None,
            }
            for line in given.lines
        ],
        "return_shipping_fees": [],
        "exchange_line_items": [],
        "total_exchange_line_items": 0,
    }


def _work(given: FulfillmentOrder) -> Body:
    return {"id": gid("FulfillmentOrder", given.id), "status": given.status.lower()}


def _hold(given: Hold) -> Body:
    return {
        "id": gid("FulfillmentHold", given.id),
        "reason": given.reason.lower(),
        "reason_notes": given.notes,
        "held_by_requesting_app": given.by_app,
        "handle": given.handle or None,
        "held_by_app": None,
    }
