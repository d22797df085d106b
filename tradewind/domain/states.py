"""Where an order stands, derived from its record: in one word, and apart for its money and its goods."""

from __future__ import annotations

from enum import StrEnum

from tradewind.domain.fulfilment import FulfillmentOrderStatus, Label, LabelState, ReturnStatus, TrackingStatus
from tradewind.domain.order import Order
from tradewind.domain.payment import (
    DisputeStatus,
    PaymentState,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.placed import PlacedOrder

_OPEN_DISPUTES = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
_FAILED = (TrackingStatus.FAILED_ATTEMPT, TrackingStatus.EXCEPTION, TrackingStatus.RETURNED_TO_SENDER)


class OrderState(StrEnum):
    """One word for an order: whatever asks for most attention, else the furthest point that it has reached."""

    UNKNOWN = "unknown"  # something refers to it, the storefront has not described it yet
    PLACED = "placed"
    ON_HOLD = "on_hold"  # its goods are held, or its risk is not accepted
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    LABELLED = "labelled"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    COMPLETED = "completed"  # paid, and nothing of it needs shipping
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    RETURN_REQUESTED = "return_requested"  # goods are expected back
    RETURNED = "returned"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"


class MoneyState(StrEnum):
    """Where an order's money stands."""

    UNPAID = "unpaid"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class GoodsState(StrEnum):
    """Where an order's goods stand."""

    NOTHING_TO_SHIP = "nothing_to_ship"
    UNFULFILLED = "unfulfilled"
    ON_HOLD = "on_hold"
    LABELLED = "labelled"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    RETURN_REQUESTED = "return_requested"
    RETURNED = "returned"
    CANCELLED = "cancelled"


_BY_GOODS = {
    GoodsState.ON_HOLD: OrderState.ON_HOLD,
    GoodsState.LABELLED: OrderState.LABELLED,
    GoodsState.PARTIALLY_SHIPPED: OrderState.PARTIALLY_SHIPPED,
    GoodsState.SHIPPED: OrderState.SHIPPED,
    GoodsState.DELIVERY_FAILED: OrderState.DELIVERY_FAILED,
}
_BY_MONEY = {
    MoneyState.UNPAID: OrderState.PLACED,
    MoneyState.VOIDED: OrderState.PLACED,
    MoneyState.AUTHORIZED: OrderState.AUTHORIZED,
    MoneyState.PARTIALLY_PAID: OrderState.PARTIALLY_PAID,
    MoneyState.PARTIALLY_REFUNDED: OrderState.PARTIALLY_REFUNDED,
    MoneyState.REFUNDED: OrderState.REFUNDED,
}


def state_of(order: Order) -> OrderState:
    """Where the order stands, in one word."""
    if order.placed is None:
        return OrderState.UNKNOWN
    if any(dispute.status in _OPEN_DISPUTES for dispute in order.disputes):
        return OrderState.DISPUTED
    goods, money = fulfilment_state(order), payment_state(order)
    if goods in (GoodsState.RETURN_REQUESTED, GoodsState.RETURNED, GoodsState.CANCELLED):
        return OrderState(goods.value)
    if money is MoneyState.REFUNDED:
        return OrderState.REFUNDED
    if goods in _BY_GOODS:
        return _BY_GOODS[goods]
    if money in _BY_MONEY:
        return _BY_MONEY[money]
    if goods is GoodsState.DELIVERED:
        return OrderState.DELIVERED
    return OrderState.COMPLETED if goods is GoodsState.NOTHING_TO_SHIP else OrderState.PAID


def payment_state(order: Order) -> MoneyState:
    """Where its money stands."""
    balance = order.balance()
    if order.placed is None or balance is None:
        return MoneyState.UNPAID
    if balance.given_back:
        return MoneyState.REFUNDED if balance.given_back >= balance.taken else MoneyState.PARTIALLY_REFUNDED
    if balance.taken >= balance.due:
        return MoneyState.PAID
    if balance.taken:
        return MoneyState.PARTIALLY_PAID
    return _unpaid(order, order.placed)


def fulfilment_state(order: Order) -> GoodsState:
    """Where its goods stand."""
    placed = order.placed
    if placed is None:
        return GoodsState.UNFULFILLED
    left = _has_left(order, placed)
    if left and (coming_back := _return_state(order, placed)) is not None:
        return coming_back
    if placed.cancelled_at is not None:
        return GoodsState.CANCELLED
    shipped = _to_ship(placed)
    if not shipped:
        return GoodsState.NOTHING_TO_SHIP
    if any(parcel.stands for parcel in placed.fulfillments):
        return _on_its_way(order, placed, shipped)
    if any(label.state is LabelState.PURCHASED for label in order.labels):
        return GoodsState.LABELLED
    return GoodsState.ON_HOLD if placed.on_hold or order.is_held_for_risk else GoodsState.UNFULFILLED


def left_parcels(order: Order) -> tuple[Label, ...]:
    """Labels on parcels that cannot be called back: scanned by the carrier, or told of at the storefront."""
    told = (
        {parcel.fulfillment_order_id for parcel in order.placed.fulfillments if parcel.stands} if order.placed else ()
    )
    return tuple(
        label
        for label in order.labels
        if label.state is LabelState.PURCHASED and (label.has_left or label.fulfillment_order_id in told)
    )


def _unpaid(order: Order, placed: PlacedOrder) -> MoneyState:
    settled = {t.parent_id for t in placed.transactions if t.status is TransactionStatus.SUCCESS}
    held = any(
        t.kind is TransactionKind.AUTHORIZATION
        and t.status is TransactionStatus.SUCCESS
        and t.external_id not in settled
        for t in placed.transactions
    )
    states = {payment.state for payment in order.payments}
    if held or PaymentState.AUTHORIZED in states:
        return MoneyState.AUTHORIZED
    return MoneyState.VOIDED if settled - {None} or PaymentState.CANCELLED in states else MoneyState.UNPAID


def _to_ship(placed: PlacedOrder) -> frozenset[str]:
    return frozenset(line.external_id for line in placed.lines if line.requires_shipping and line.quantity)


def _has_left(order: Order, placed: PlacedOrder) -> bool:
    return bool(left_parcels(order)) or any(parcel.stands for parcel in placed.fulfillments)


def _return_state(order: Order, placed: PlacedOrder) -> GoodsState | None:
    """Of an order of which something has left: whether it is expected back, or has come back."""
    if any(one.status in (ReturnStatus.REQUESTED, ReturnStatus.OPEN) for one in placed.returns):
        return GoodsState.RETURN_REQUESTED
    back = _units_back(placed)
    kept = sum(line.quantity for line in placed.lines if line.requires_shipping) - _units_cancelled(placed) - back
    if back and kept <= 0:
        return GoodsState.RETURNED
    return GoodsState.RETURN_REQUESTED if placed.cancelled_at is not None else None


def _units_back(placed: PlacedOrder) -> int:
    """Units that came back: by returns that are done, and by refunds without one."""
    returned = sum(units for one in placed.returns if one.status is ReturnStatus.CLOSED for _, units in one.lines)
    refunded = sum(units for refund in placed.refunds if not refund.return_id for _, _, units in refund.restocked)
    return returned + refunded


def _units_cancelled(placed: PlacedOrder) -> int:
    cancelled = sum(units for refund in placed.refunds for _, units in refund.cancelled)
    refunded = sum(units for refund in placed.refunds for _, units in refund.lines)
    removed = sum(line.quantity - line.current_quantity for line in placed.lines) - refunded
    return cancelled + max(removed, 0)


def _on_its_way(order: Order, placed: PlacedOrder, shipped: frozenset[str]) -> GoodsState:
    waits = any(
        units and line in shipped
        for work in placed.fulfillment_orders
        if work.status is not FulfillmentOrderStatus.CANCELLED
        for line, units in work.remaining
    )
    parcels = [label for label in order.labels if label.state is LabelState.PURCHASED]
    if any(parcel.tracking_status in _FAILED for parcel in parcels):
        return GoodsState.DELIVERY_FAILED
    if waits:
        return GoodsState.PARTIALLY_SHIPPED
    delivered = parcels and all(parcel.tracking_status is TrackingStatus.DELIVERED for parcel in parcels)
    return GoodsState.DELIVERED if delivered else GoodsState.SHIPPED
