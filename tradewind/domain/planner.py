"""What an order, as it stands, asks of providers.

Level-triggered: the plan follows from the record alone. Planning twice gives the same command keys, and the outbox
keeps each key once, so an echo of our own write asks for nothing new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tradewind.domain.balance import balance_of, told_amount
from tradewind.domain.commands import (
    BuyLabel,
    CancelPayment,
    CapturePayment,
    Command,
    CreateFulfillment,
    MarkOrderPaid,
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
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.refunds import refunds
from tradewind.domain.states import left_parcels

Item = tuple[str, str, int, Money]
_SHIPPABLE = (FulfillmentOrderStatus.OPEN, FulfillmentOrderStatus.IN_PROGRESS)


def plan(order: Order, routes: Routes) -> tuple[Command, ...]:
    """Every command that the order wants now; nothing for one that may not be commanded (see `Order.live`)."""
    placed = order.placed
    if placed is None or not order.live or placed.test:
        return ()
    if placed.cancelled_at is not None:
        return (*_void_labels(order), *_release(order), *refunds(order, placed, routes.refund_overcapture))
    return (
        *_capture(order, placed),
        *_tell_paid(order, placed),
        *refunds(order, placed, routes.refund_overcapture),
        *_ship(order, placed, routes),
    )


def external_shipment_id(fulfillment_order: str, ordinal: int) -> str:
    """Our own id of a shipment, by which its label is found again: stable for the fulfillment order and attempt."""
    return "tw-" + hashlib.sha256(f"{fulfillment_order}/{ordinal}".encode()).hexdigest()[:24]


def _capture(order: Order, placed: PlacedOrder) -> Iterator[Command]:
    """Capture what is outstanding, of no more than was authorised; nothing while the risk is not accepted."""
    if order.is_held_for_risk:
        return
    outstanding = balance_of(placed, order.payments).outstanding
    for payment in order.payments:
        amount = _part(payment.authorized, outstanding)
        if payment.state is PaymentState.AUTHORIZED and amount is not None:
            outstanding -= amount
            yield CapturePayment(
                connection=payment.connection, order_id=order.id, payment=payment.external_id, amount=amount
            )
    for transaction in placed.transactions:
        if transaction.captured_by is not CapturedBy.STOREFRONT:
            continue
        rest, captures = _capturable(placed, transaction, outstanding.currency)
        amount = _part(rest, outstanding)
        if amount is not None:
            outstanding -= amount
            yield CapturePayment(
                connection=order.connection,
                order_id=order.id,
                ordinal=captures,
                payment=transaction.external_id,
                amount=amount,
                storefront_order=order.external_id,
            )


def _part(available: Money, wanted: Money) -> Money | None:
    """How much of what is available is wanted; None for nothing, and for another currency, whose rate is not known."""
    if available.currency != wanted.currency or available.minor <= 0 or wanted.minor <= 0:
        return None
    return min(available, wanted)


def _capturable(placed: PlacedOrder, authorization: Transaction, currency: str) -> tuple[Money, int]:
    """What can still be captured of a transaction of the storefront, and how many captures of it there were."""
    nothing = Money.zero(currency)
    if authorization.kind is not TransactionKind.AUTHORIZATION or authorization.status is not TransactionStatus.SUCCESS:
        return nothing, 0
    made = [
        one
        for one in placed.transactions
        if one.parent_id == authorization.external_id and one.status is TransactionStatus.SUCCESS
    ]
    captures = [one for one in made if one.kind is TransactionKind.CAPTURE]
    # Whatever else follows an authorisation ends it, and so does its first capture unless it may have several.
    if len(captures) < len(made) or (captures and not authorization.multi_capturable):
        return nothing, len(captures)
    taken = Money.total((told_amount(one, currency) for one in captures), currency)
    return told_amount(authorization, currency) - taken, len(captures)


def _tell_paid(order: Order, placed: PlacedOrder) -> Iterator[Command]:
    """Tell the storefront of money that is due and that it has not heard of; each telling makes a sale there.

    Money that it has given back since is not told again, though it may not call the order fully paid any more.
    """
    if not order.payments or not order.is_paid or placed.fully_paid:
        return
    owed = balance_of(placed, order.payments).due
    sales = [one for one in placed.transactions if one.took_money]
    if Money.total((told_amount(one, owed.currency) for one in sales), owed.currency) >= owed:
        return
    # What an edit adds is paid after the order was marked once: under the same key nobody would hear of it.
    told = sum(one.captured_by is CapturedBy.PROCESSOR for one in sales)
    yield MarkOrderPaid(connection=order.connection, order_id=order.id, ordinal=told, order=order.external_id)


def _release(order: Order) -> Iterator[Command]:
    for payment in order.payments:
        if payment.state is PaymentState.AUTHORIZED:
            yield CancelPayment(connection=payment.connection, order_id=order.id, payment=payment.external_id)


def _void_labels(order: Order) -> Iterator[Command]:
    """A label whose parcel has left is not voided: the parcel becomes a return."""
    left = left_parcels(order)
    for label in order.labels:
        if label.state is LabelState.PURCHASED and label not in left:
            yield VoidLabel(connection=label.connection, order_id=order.id, label=label.external_id)


def _ship(order: Order, placed: PlacedOrder, routes: Routes) -> Iterator[Command]:
    if placed.on_hold or order.is_held_for_risk or order.is_disputed() or not order.is_paid:
        return
    for work in placed.fulfillment_orders:
        items = _items(placed, work)
        if work.status not in _SHIPPABLE or not items:
            continue
        bought = order.labels_of(work.external_id)
        label = order.active_label(work.external_id)
        if label is not None:
            yield CreateFulfillment(
                connection=order.connection,
                order_id=order.id,
                ordinal=bought.index(label),
                order=order.external_id,
                fulfillment_order=work.external_id,
                tracking_number=label.tracking_number,
                tracking_url=label.tracking_url,
                carrier=label.carrier,
                notify_customer=routes.notify_customer == "store",
            )
        elif routes.carrier is not None and placed.ship_to is not None:
            yield BuyLabel(
                connection=routes.carrier,
                order_id=order.id,
                ordinal=len(bought),
                fulfillment_order=work.external_id,
                external_shipment_id=external_shipment_id(f"{order.connection}/{work.external_id}", len(bought)),
                storefront=order.connection,
                order=order.external_id,
                items=items,
                notify_customer=routes.notify_customer == "carrier",
            )


def _items(placed: PlacedOrder, work: FulfillmentOrder) -> tuple[Item, ...]:
    """What of the work is still to go into a parcel."""
    lines = {line.external_id: line for line in placed.lines}
    return tuple(
        (lines[line_id].sku or "", lines[line_id].title, quantity, lines[line_id].unit_price)
        for line_id, quantity in work.remaining
        if line_id in lines and quantity and lines[line_id].requires_shipping
    )
