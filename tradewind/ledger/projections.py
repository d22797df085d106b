"""Rows that follow from an order's record, rewritten with it, for SQL to join and sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete

from tradewind.domain.order import (
    CapturedBy,
    Order,
    Payment,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.ledger import tables
from tradewind.ledger.dialect import insert_rows
from tradewind.ledger.prepared import Prepared

Row = dict[str, Any]
CHUNK = 500


def write_projections(conn: Connection, orders: Sequence[Order]) -> None:
    """Replace the orders' rows in every projected table."""
    ids = [order.id for order in orders]
    for table, project in _PROJECTIONS.items():
        for start in range(0, len(ids), CHUNK):
            _OLD[table].count(conn, ids=ids[start : start + CHUNK])
        rows = [{"order_id": order.id, **row} for order in orders for row in project(order)]
        insert_rows(conn, table, rows)


def _lines(order: Order) -> Iterator[Row]:
    for position, line in enumerate(order.placed.lines if order.placed else ()):
        yield {
            "external_id": line.external_id,
            "position": position,
            "sku": line.sku,
            "title": line.title,
            "quantity": line.quantity,
            "current_quantity": line.current_quantity,
            "currency": line.unit_price.currency,
            "unit_price": line.unit_price.minor,
            "discount": line.discount.minor,
            "tax": line.tax.minor,
            "requires_shipping": line.requires_shipping,
        }


def _payments(order: Order) -> Iterator[Row]:
    """What the processor has, and what the storefront took itself, transaction by transaction."""
    yield from map(_payment, order.payments)
    for transaction in order.placed.transactions if order.placed else ():
        if transaction.captured_by is CapturedBy.STOREFRONT:
            yield _transaction(order, transaction)


def _payment(payment: Payment) -> Row:
    return {
        "connection": payment.connection,
        "external_id": payment.external_id,
        "charge_id": payment.charge_id,
        "kind": "payment",
        "captured_by": CapturedBy.PROCESSOR.value,
        "gateway": payment.connection.partition(":")[0],
        "state": payment.state.value,
        "currency": payment.authorized.currency,
        "authorized": payment.authorized.minor,
        "captured": payment.captured.minor,
        "refunded": payment.refunded.minor,
        "payment_id": payment.payment_id,
        "created_at": payment.created_at,
    }


def _transaction(order: Order, transaction: Transaction) -> Row:
    amount = transaction.amount.minor if transaction.status is TransactionStatus.SUCCESS else 0
    return {
        "connection": order.connection,
        "external_id": transaction.external_id,
        "charge_id": None,
        "kind": transaction.kind.value,
        "captured_by": transaction.captured_by.value,
        "gateway": transaction.gateway,
        "state": transaction.status.value,
        "currency": transaction.amount.currency,
        "authorized": amount if transaction.kind in (TransactionKind.AUTHORIZATION, TransactionKind.SALE) else 0,
        "captured": amount if transaction.took_money else 0,
        "refunded": amount if transaction.kind is TransactionKind.REFUND else 0,
        "payment_id": transaction.payment_id,
        "created_at": transaction.processed_at,
    }


def _refunds(order: Order) -> Iterator[Row]:
    for refund in order.refunds:
        yield {
            "connection": refund.connection,
            "external_id": refund.external_id,
            "currency": refund.amount.currency,
            "amount": refund.amount.minor,
            "created_at": refund.created_at,
        }


def _labels(order: Order) -> Iterator[Row]:
    for label in order.labels:
        yield {
            "connection": label.connection,
            "external_id": label.external_id,
            "external_shipment_id": label.external_shipment_id,
            "fulfillment_order_id": label.fulfillment_order_id,
            "state": label.state.value,
            "tracking_number": label.tracking_number,
            "tracking_status": label.tracking_status,
            "carrier": label.carrier,
            "currency": label.cost.currency if label.cost else None,
            "cost": label.cost.minor if label.cost else None,
            "created_at": label.created_at,
        }


def _fulfillments(order: Order) -> Iterator[Row]:
    for fulfillment in order.placed.fulfillments if order.placed else ():
        yield {
            "external_id": fulfillment.external_id,
            "fulfillment_order_id": fulfillment.fulfillment_order_id,
            "status": fulfillment.status,
            "tracking_number": fulfillment.tracking_number,
            "created_at": fulfillment.created_at,
        }


_PROJECTIONS: dict[Table, Callable[[Order], Iterator[Row]]] = {
    tables.order_line: _lines,
    tables.payment: _payments,
    tables.refund: _refunds,
    tables.label: _labels,
    tables.fulfillment: _fulfillments,
}
_OLD = {
    table: Prepared(delete(table).where(table.c.order_id.in_(bindparam("ids", expanding=True))))
    for table in _PROJECTIONS
}
