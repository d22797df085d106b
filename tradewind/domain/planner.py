"""What an order, as it stands, asks of providers.

Level-triggered: the plan follows from the record alone. Planning twice gives the same command keys, and the outbox
keeps each key once, so an echo of our own write asks for nothing new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tradewind.domain.commands import (
    BuyLabel,
    CancelPayment,
    CapturePayment,
    Command,
    CreateFulfillment,
    MarkOrderPaid,
    RefundPayment,
    VoidLabel,
)
from tradewind.domain.connections import Routes
from tradewind.domain.money import Money
from tradewind.domain.order import (
    CapturedBy,
    FulfillmentOrder,
    FulfillmentOrderStatus,
    LabelState,
    Order,
    PaymentState,
    PlacedOrder,
    TransactionKind,
    TransactionStatus,
)

Item = tuple[str, str, int, Money]
_SHIPPABLE = (FulfillmentOrderStatus.OPEN, FulfillmentOrderStatus.IN_PROGRESS)


def plan(order: Order, routes: Routes) -> tuple[Command, ...]:
    """Every command that the order wants now; nothing for one that may not be commanded (see `Order.live`)."""
    placed = order.placed
    if placed is None or not order.live or placed.test:
        return ()
    if placed.cancelled_at is not None:
        return (*_void_labels(order), *_give_money_back(order, placed))
    return (
        *_capture(order, placed),
        *_tell_paid(order, placed),
        *_refund(order, placed),
        *_ship(order, placed, routes),
    )


def external_shipment_id(fulfillment_order: str, ordinal: int) -> str:
    """Our own id of a shipment, by which its label is found again: stable for the fulfillment order and attempt."""
    return "tw-" + hashlib.sha256(f"{fulfillment_order}/{ordinal}".encode()).hexdigest()[:24]


def _capture(order: Order, placed: PlacedOrder) -> Iterator[Command]:
    outstanding = placed.total - (order.captured_total() or Money.zero(placed.currency))
    for payment in order.payments:
        if payment.state is PaymentState.AUTHORIZED and outstanding.minor > 0:
            amount = min(payment.authorized, outstanding)
            outstanding -= amount
            yield CapturePayment(
                connection=payment.connection, order_id=order.id, payment=payment.external_id, amount=amount
            )
    settled = {t.parent_id for t in placed.transactions if t.status is TransactionStatus.SUCCESS and t.parent_id}
    for transaction in placed.transactions:
        if (
            transaction.captured_by is CapturedBy.STOREFRONT
            and transaction.kind is TransactionKind.AUTHORIZATION
            and transaction.status is TransactionStatus.SUCCESS
            and transaction.external_id not in settled
            and outstanding.minor > 0
        ):
            amount = min(transaction.amount, outstanding)
            outstanding -= amount
            yield CapturePayment(
                connection=order.connection,
                order_id=order.id,
                payment=transaction.external_id,
                amount=amount,
                storefront_order=order.external_id,
            )


def _tell_paid(order: Order, placed: PlacedOrder) -> Iterator[Command]:
    if order.payments and order.is_paid and not placed.fully_paid:
        yield MarkOrderPaid(connection=order.connection, order_id=order.id, order=order.external_id)


def _refund(order: Order, placed: PlacedOrder) -> Iterator[Command]:
    """A refund that the storefront recorded for money that the processor holds is made at the processor."""
    captured = next((payment for payment in order.payments if payment.captured), None)
    if captured is None or captured.refunded >= captured.captured:
        return
    for refund in placed.refunds:
        if refund.amount:
            yield RefundPayment(
                connection=captured.connection,
                order_id=order.id,
                payment=captured.external_id,
                amount=min(refund.amount, captured.captured),
                reference=refund.external_id,
            )


def _give_money_back(order: Order, placed: PlacedOrder) -> Iterator[Command]:
    for payment in order.payments:
        if payment.state is PaymentState.AUTHORIZED:
            yield CancelPayment(connection=payment.connection, order_id=order.id, payment=payment.external_id)
    yield from _refund(order, placed)
    told = Money.total((refund.amount for refund in placed.refunds), placed.currency)
    for payment in order.payments:
        # Given back for a refund of the storefront that is done, or by hand at the processor.
        rest = payment.captured - max(told, payment.refunded)
        if rest.minor > 0:
            yield RefundPayment(
                connection=payment.connection,
                order_id=order.id,
                payment=payment.external_id,
                amount=rest,
                reference="cancellation",
            )


def _void_labels(order: Order) -> Iterator[Command]:
    for label in order.labels:
        if label.state is LabelState.PURCHASED:
            yield VoidLabel(connection=label.connection, order_id=order.id, label=label.external_id)


def _ship(order: Order, placed: PlacedOrder, routes: Routes) -> Iterator[Command]:
    if placed.on_hold or not order.is_paid:
        return
    for work in placed.fulfillment_orders:
        items = _items(placed, work)
        if work.status not in _SHIPPABLE or not items:
            continue
        ordinal = sum(label.fulfillment_order_id == work.external_id for label in order.labels)
        label = order.active_label(work.external_id)
        if label is not None:
            yield CreateFulfillment(
                connection=order.connection,
                order_id=order.id,
                ordinal=ordinal - 1,
                order=order.external_id,
                fulfillment_order=work.external_id,
                tracking_number=label.tracking_number,
                tracking_url=label.tracking_url,
                carrier=label.carrier,
            )
        elif routes.carrier is not None and placed.ship_to is not None:
            yield _label_for(order, work, items, routes.carrier, ordinal)


def _items(placed: PlacedOrder, work: FulfillmentOrder) -> tuple[Item, ...]:
    """What of the work is still to go into a parcel."""
    lines = {line.external_id: line for line in placed.lines}
    return tuple(
        (lines[line_id].sku or "", lines[line_id].title, quantity, lines[line_id].unit_price)
        for line_id, quantity in work.remaining
        if line_id in lines and quantity and lines[line_id].requires_shipping
    )


def _label_for(order: Order, work: FulfillmentOrder, items: tuple[Item, ...], carrier: str, ordinal: int) -> BuyLabel:
    return BuyLabel(
        connection=carrier,
        order_id=order.id,
        ordinal=ordinal,
        fulfillment_order=work.external_id,
        external_shipment_id=external_shipment_id(f"{order.connection}/{work.external_id}", ordinal),
        storefront=order.connection,
        order=order.external_id,
        items=items,
    )
