"""Returns, and what the warehouse expects of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.order import Disposition, Return, ReturnLine, StoreOrder
from tradewind.sandbox.shopify.pages import by_id, page
from tradewind.sandbox.shopify.views import fulfilment, goods, payments
from tradewind.sandbox.shopify.views.base import View, bag, time, whole_order

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

# What an order's returns come to, by the status of the one that is furthest from its end.
_ORDER_STATUS: Final = {
    "REQUESTED": "RETURN_REQUESTED",
    "OPEN": "IN_PROGRESS",
    "CLOSED": "RETURNED",
}
_REVERSE_STATUS: Final = {"OPEN": "OPEN", "CLOSED": "CLOSED"}


def return_status(order: StoreOrder) -> str:
    """OrderReturnStatus."""
    found = {each.status for each in order.returns}
    return next((shown for status, shown in _ORDER_STATUS.items() if status in found), "NO_RETURN")


def return_(store: ShopifyStore, order: StoreOrder, given: Return) -> View:
    """Return."""
    refunds = [each for each in order.refunds if each.return_id == given.id]
    reason, note = given.decline or ("", None)
    return {
        "__typename": "Return",
        "id": gid("Return", given.id),
        "name": given.name,
        "status": given.status,
        "createdAt": time(given.created_at),
        "closedAt": time(given.closed_at),
        "requestApprovedAt": time(given.approved_at),
        "order": lambda _: whole_order(store, order),
        "totalQuantity": sum(line.quantity for line in given.lines),
        "decline": {"reason": reason, "note": note} if given.decline else None,
        "returnLineItems": lambda _, **arguments: page(
            given.lines, lambda each: _line(store, order, each), arguments, by_id
        ),
        "refunds": lambda _, **arguments: page(
            refunds, lambda each: payments.refund(store, order, each), arguments, by_id
        ),
        "transactions": lambda _, **arguments: page(
            [each for refund in refunds for each in refund.transactions],
            lambda each: payments.transaction(store, order, each),
            arguments,
            by_id,
        ),
        # The warehouse expects what was approved.
        "reverseFulfillmentOrders": lambda _, **arguments: page(
            [given] if given.approved_at else [], lambda each: _expected(store, order, each), arguments, by_id
        ),
    }


def expected_line(store: ShopifyStore, order: StoreOrder, given: ReturnLine) -> View:
    """ReverseFulfillmentOrderLineItem."""
    return {
        "__typename": "ReverseFulfillmentOrderLineItem",
        "id": gid("ReverseFulfillmentOrderLineItem", given.reverse_id),
        "totalQuantity": given.quantity,
        "fulfillmentLineItem": lambda _: fulfilment.fulfillment_line(store, order, given.shipped),
        "dispositions": [_disposition(store, each) for each in given.dispositions],
    }


def _line(store: ShopifyStore, order: StoreOrder, given: ReturnLine) -> View:
    line = given.shipped.line
    left = max(0, given.quantity - given.disposed)
    worth: Decimal = line.share(line.net, given.quantity)
    return {
        "__typename": "ReturnLineItem",
        "id": gid("ReturnLineItem", given.id),
        "quantity": given.quantity,
        "processableQuantity": left,
        "processedQuantity": given.disposed,
        "unprocessedQuantity": left,
        "refundableQuantity": min(given.quantity, line.current_quantity),
        "refundedQuantity": given.quantity - min(given.quantity, line.current_quantity),
        "returnReasonNote": given.note,
        "customerNote": given.note or None,
        "fulfillmentLineItem": lambda _: fulfilment.fulfillment_line(store, order, given.shipped),
        "withCodeDiscountedTotalPriceSet": bag(worth, line.money),
    }


def _expected(store: ShopifyStore, order: StoreOrder, given: Return) -> View:
    return {
        "__typename": "ReverseFulfillmentOrder",
        "id": gid("ReverseFulfillmentOrder", given.reverse_id),
        "status": _REVERSE_STATUS.get(given.status, "CANCELED"),
        "order": lambda _: whole_order(store, order),
        "lineItems": lambda _, **arguments: page(
            given.lines, lambda each: expected_line(store, order, each), arguments, by_id
        ),
    }


def _disposition(store: ShopifyStore, given: Disposition) -> View:
    return {
        "__typename": "ReverseFulfillmentOrderDisposition",
        "id": gid("ReverseFulfillmentOrderDisposition", given.id),
        "createdAt": time(given.created_at),
        "quantity": given.quantity,
        "type": given.kind,
        "location": lambda _: goods.location(store, given.location) if given.location else None,
    }
