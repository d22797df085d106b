"""The ledger's side of the books: what it has of everything that the providers listed, as frames."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, func, literal, select

from tradewind.domain import frames
from tradewind.domain.frames import Schema, Sides, frame
from tradewind.domain.order import CapturedBy
from tradewind.domain.reducer import payment_link, shipment_link
from tradewind.ledger.tables import journal, label, order_link, orders, payment, refund
from tradewind.sync.sides import Listed, Window

CHUNK = 500
"""Ids in one query: SQLite's and PostgreSQL's parameter lists are both comfortable with it."""

_ORDERS = select(orders.c.id, orders.c.name, orders.c.currency, orders.c.total, orders.c.cancelled_at.is_not(None),
                 orders.c.updated_at).where(orders.c.currency.is_not(None))  # fmt: skip
_OF_STORE = select(func.coalesce(func.sum(payment.c.captured), 0)).where(
    payment.c.order_id == orders.c.id, payment.c.captured_by == CapturedBy.STOREFRONT.value
)
_TOLD = select(func.coalesce(func.sum(refund.c.amount), 0)).where(
    refund.c.order_id == orders.c.id, refund.c.connection == orders.c.connection
)
_MADE_BY_STORE = select(func.coalesce(func.sum(payment.c.refunded), 0)).where(
    payment.c.order_id == orders.c.id, payment.c.captured_by == CapturedBy.STOREFRONT.value
)
_REFUNDED = _TOLD.scalar_subquery() - _MADE_BY_STORE.scalar_subquery()
# The ledger's columns are in the shop's currency: what a processor took in another is left to the storefront's listing.
# What is due holds what is kept.
_STORE_ORDERS = select(
    orders.c.id, orders.c.connection, orders.c.name, orders.c.currency, orders.c.currency.label("presentment_currency"),
    orders.c.total,
    orders.c.due, literal(0), _OF_STORE.scalar_subquery(), _REFUNDED,
    orders.c.due.label("presentment_due"), literal(0), _OF_STORE.scalar_subquery(), _REFUNDED,
    orders.c.cancelled_at.is_not(None), orders.c.fully_paid, orders.c.on_hold,
    orders.c.live, orders.c.placed_at, orders.c.updated_at,
).where(orders.c.currency.is_not(None), orders.c.test.is_(False))  # fmt: skip
_PAYMENTS = select(
    payment.c.order_id, payment.c.connection, payment.c.external_id, payment.c.payment_id, payment.c.state,
    payment.c.currency, payment.c.authorized, payment.c.captured, payment.c.refunded, payment.c.created_at,
).where(payment.c.kind == "payment")  # fmt: skip
_LABELS = select(
    label.c.order_id, label.c.connection, label.c.external_id, label.c.external_shipment_id,
    label.c.fulfillment_order_id, label.c.state, label.c.tracking_number, label.c.created_at,
)  # fmt: skip
_DOCUMENTS = select(
    journal.c.connection, journal.c.document, journal.c.kind, journal.c.currency, journal.c.total,
    journal.c.business_day,
)  # fmt: skip


def beside(database: Connection, listed: Listed, window: Window) -> Sides:
    """What was listed in the window beside what the ledger has of it."""
    payments, labels = listed.payments(), listed.labels()
    every_order = pd.concat([listed.orders(), _remembered(database, listed, window)], ignore_index=True)
    listed_ids = set(every_order["order_id"])
    recorded_payments = _of_either(
        database, _PAYMENTS, payment.c.external_id, set(payments["payment"]), payment.c.order_id, listed_ids,
        frames.RECORDED_PAYMENTS,
    )  # fmt: skip
    recorded_labels = _of_either(
        database, _LABELS, label.c.external_id, set(labels["label"]), label.c.order_id, listed_ids,
        frames.RECORDED_LABELS,
    )  # fmt: skip
    payment_owners = _payment_owners(database, payments)
    label_owners = _label_owners(database, labels)
    known_ids = {*listed_ids, *recorded_payments["order_id"], *recorded_labels["order_id"]}
    known_ids |= {*payment_owners["order_id"], *label_owners["order_id"]}
    return Sides(
        settled_before=window.settled_before,
        orders=every_order,
        payment_owners=pd.concat([listed.payment_owners(), payment_owners], ignore_index=True),
        work=pd.concat([listed.work(), label_owners], ignore_index=True),
        payments=payments,
        labels=labels,
        documents=listed.documents(),
        recorded_orders=frame(_chunked(database, _ORDERS, orders.c.id, known_ids), frames.RECORDED_ORDERS),
        recorded_payments=recorded_payments,
        recorded_labels=recorded_labels,
        recorded_documents=_documents(database, listed, window),
    )


def _remembered(database: Connection, listed: Listed, window: Window) -> pd.DataFrame:
    """Orders that changed here in the window while their storefront lists no change, as the ledger has them.

    So is a refund found that was made at the processor alone, for an order that the storefront last saw weeks ago.
    """
    changed = _STORE_ORDERS.where(orders.c.changed_at.between(window.since, window.settled_before))
    rows = (row for row in map(tuple, database.execute(changed)) if row[0] not in listed.orders_by_id)
    return frame(rows, frames.STORE_ORDERS)


def _of_either(
    database: Connection,
    query: Select[tuple[object, ...]],
    own: ColumnElement[str],
    own_ids: Collection[str],
    order: ColumnElement[str],
    order_ids: Collection[str],
    schema: Schema,
) -> pd.DataFrame:
    """The rows whose own id is listed, and those of the orders that are listed, each once."""
    rows = {
        *_chunked(database, query, own, own_ids),
        *_chunked(database, query, order, order_ids),
    }
    return frame(sorted(rows, key=lambda row: tuple(map(str, row[:3]))), schema)


def _payment_owners(database: Connection, payments: pd.DataFrame) -> pd.DataFrame:
    """Orders by the payment ids that the processors' payments name, from the ledger's links."""
    links = {payment_link(named): named for named in payments["payment_id"].dropna()}
    rows = ((order_id, links[link]) for link, order_id in _linked(database, links))
    return frame(rows, frames.PAYMENT_OWNERS)


def _label_owners(database: Connection, labels: pd.DataFrame) -> pd.DataFrame:
    """Orders by the shipments that the carriers' labels name, from the ledger's links, as work that is not waiting."""
    ours = labels.dropna(subset=["shipment", "fulfillment_order"])
    pairs = zip(ours["shipment"], ours["fulfillment_order"], strict=True)
    links = {shipment_link(shipment): work for shipment, work in pairs}
    rows = ((order_id, links[link], False, 0, False) for link, order_id in _linked(database, links))
    return frame(rows, frames.WORK)


def _linked(database: Connection, links: Collection[str]) -> Iterator[tuple[str, str]]:
    query = select(order_link.c.link, order_link.c.order_id)
    return ((str(link), str(order_id)) for link, order_id in _chunked(database, query, order_link.c.link, links))


def _documents(database: Connection, listed: Listed, window: Window) -> pd.DataFrame:
    """The listed documents, and those that the back offices that were read ought to have listed."""
    wanted = {(event.connection, event.document) for event in listed.documents_by_subject.values()}
    found = _chunked(database, _DOCUMENTS, journal.c.document, {document for _, document in wanted})
    expected = _DOCUMENTS.where(
        journal.c.connection.in_(sorted(listed.read)),
        journal.c.occurred_at.between(window.since, window.until),
    )
    rows = {row for row in found if row[:2] in wanted} | set(map(tuple, database.execute(expected)))
    return frame(((*row[:5], str(row[5])) for row in sorted(rows, key=str)), frames.DOCUMENTS)


def _chunked(
    database: Connection, query: Select[tuple[object, ...]], column: ColumnElement[str], wanted: Collection[str]
) -> Iterator[tuple[object, ...]]:
    ids = sorted(wanted)
    for start in range(0, len(ids), CHUNK):
        yield from map(tuple, database.execute(query.where(column.in_(ids[start : start + CHUNK]))))
