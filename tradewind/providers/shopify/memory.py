"""What does not change while an order is worked on need not be read again.

An order's lines cost most of a query's points and stay as they were placed, unless the order is edited, refunded or
cancelled. So the head of an order that was read whole before is enough, as long as it shows no sign of such a change.
"""

from __future__ import annotations

from collections import OrderedDict

from tradewind.providers.shopify.wire import (
    FulfillmentNode,
    FulfillmentOrderHead,
    FulfillmentOrderNode,
    OrderHead,
    OrderNode,
)

MOST_ORDERS = 2000


class OrderMemory:
    """The orders read last, by id, in this process."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, OrderNode] = OrderedDict()

    def put(self, order: OrderNode) -> None:
        self._orders[order.id] = order
        self._orders.move_to_end(order.id)
        if len(self._orders) > MOST_ORDERS:
            self._orders.popitem(last=False)

    def get(self, order_id: str) -> OrderNode | None:
        return self._orders.get(order_id)

    def forget(self, order_id: str) -> None:
        self._orders.pop(order_id, None)


def renewed(known: OrderNode, head: OrderHead) -> OrderNode | None:
    """The whole order as a full read would give it now, or None when only a full read can tell."""
    if not _same_lines(known, head):
        return None
    work = [_renewed_work(known, head, each) for each in head.fulfillment_orders.nodes]
    if any(each is None for each in work) or len(work) != len(known.fulfillment_orders.nodes):
        return None
    update = {name: getattr(head, name) for name in OrderHead.model_fields}
    update["fulfillment_orders"] = known.fulfillment_orders.model_copy(update={"nodes": tuple(work)})
    update["refunds"] = known.refunds
    return known.model_copy(update=update)


def _same_lines(known: OrderNode, head: OrderHead) -> bool:
    """An order that was edited once is always read whole: further edits leave no certain sign."""
    return (
        not head.edited
        and not head.fulfillment_orders.page_info.has_next_page
        and known.updated_at <= head.updated_at
        and known.cancelled_at == head.cancelled_at
        and known.currency_code == head.currency_code
        and known.subtotal_line_items_quantity == head.subtotal_line_items_quantity
        and known.current_subtotal_line_items_quantity == head.current_subtotal_line_items_quantity
        and known.total_price_set == head.total_price_set
        and known.current_total_price_set == head.current_total_price_set
        and [refund.id for refund in known.refunds] == [refund.id for refund in head.refunds]
        and [refund.total_refunded_set for refund in known.refunds]
        == [refund.total_refunded_set for refund in head.refunds]
    )


def _renewed_work(known: OrderNode, head: OrderHead, work: FulfillmentOrderHead) -> FulfillmentOrderNode | None:
    before = next((each for each in known.fulfillment_orders.nodes if each.id == work.id), None)
    if before is None:
        return None
    update = {name: getattr(work, name) for name in FulfillmentOrderHead.model_fields}
    shipped_before, shipped_now = _shipments(known.fulfillments, work.id), _shipments(head.fulfillments, work.id)
    if before.status == work.status and before.updated_at == work.updated_at and shipped_before == shipped_now:
        return before.model_copy(update=update)
    if work.status == "CLOSED" and before.status != "CLOSED" and len(shipped_now) > len(shipped_before):
        # Shipped in full: a closed fulfillment order has nothing left to ship.
        lines = tuple(line.model_copy(update={"remaining_quantity": 0}) for line in before.line_items.nodes)
        page = before.line_items.model_copy(update={"nodes": lines})
        return before.model_copy(update={**update, "line_items": page})
    return None


def _shipments(fulfillments: tuple[FulfillmentNode, ...], work_id: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (parcel.id, parcel.status)
        for parcel in fulfillments
        if any(each.id == work_id for each in parcel.fulfillment_orders.nodes)
    )
