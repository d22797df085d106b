"""The providers' sides of the books: pages of events in, frames out. What is read is kept as rows, not as events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

import pandas as pd

from tradewind.domain import frames
from tradewind.domain.balance import captured_by_store, due, owed_by_processor
from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, JournalRecorded, LabelObserved, OrderObserved, PaymentObserved
from tradewind.domain.frames import frame
from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.domain.order import (
    CapturedBy,
    FulfillmentOrderStatus,
    Label,
    Payment,
    PlacedOrder,
)
from tradewind.domain.overcapture import kept
from tradewind.domain.reducer import resource_link

_READY = (FulfillmentOrderStatus.OPEN, FulfillmentOrderStatus.IN_PROGRESS)
_Row = tuple[object, ...]


class Window(Model):
    """Which part of the books is compared: what changed in [since, until].

    settled_before: what is younger may be on its way still. orders_until: how far the storefronts are listed: an order
    of the window may have been changed since, and is then listed by its later change alone.
    """

    since: datetime
    until: datetime
    settled_before: datetime
    orders_until: datetime

    @classmethod
    def between(cls, since: datetime, until: datetime, *, settling_s: float = 0.0) -> Self:
        settled_before = until - timedelta(seconds=settling_s)
        return cls(since=since, until=until, settled_before=settled_before, orders_until=until)

    @classmethod
    def of_day(cls, day: date, now: datetime, *, settling_s: float = 600.0) -> Self:
        """One business day, UTC; of a day that is not over, what there is of it less `settling_s`."""
        since = datetime.combine(day, time(), UTC)
        until = min(since + timedelta(days=1), now)
        settled_before = min(until, now - timedelta(seconds=settling_s))
        return cls(since=since, until=until, settled_before=settled_before, orders_until=now)


@dataclass
class Listed:
    """Rows of what the providers listed, in the columns of `tradewind.domain.frames`.

    A resource listed twice counts once, as it was listed last. read: the connections that were listed to the end.
    documents_by_subject: the events themselves, because a document is not read again.
    """

    read: set[str] = field(default_factory=set)
    orders_by_id: dict[str, _Row] = field(default_factory=dict)
    owners_by_order: dict[str, list[_Row]] = field(default_factory=dict)
    work_by_order: dict[str, list[_Row]] = field(default_factory=dict)
    payments_by_subject: dict[str, _Row] = field(default_factory=dict)
    labels_by_subject: dict[str, _Row] = field(default_factory=dict)
    documents_by_subject: dict[str, JournalRecorded] = field(default_factory=dict)

    def add(self, connection: Connection, page: Sequence[Event]) -> None:
        """Take in one page of what the connection listed."""
        for event in page:
            match event:
                case OrderObserved():
                    self._add_order(connection, event)
                case PaymentObserved():
                    payment = event.payment
                    subject = resource_link(payment.connection, "payment", payment.external_id)
                    self.payments_by_subject[subject] = _payment_row(payment)
                case LabelObserved():
                    label = event.label
                    subject = resource_link(label.connection, "label", label.external_id)
                    self.labels_by_subject[subject] = _label_row(label)
                case JournalRecorded():
                    self.documents_by_subject[resource_link(event.connection, "document", event.document)] = event
                case _:
                    raise TypeError(f"a {event.type} is not part of the books")

    def _add_order(self, connection: Connection, event: OrderObserved) -> None:
        if event.placed.test:
            return
        order_id = f"{event.connection}/{event.external_id}"
        live = connection.accepts(event.placed.placed_at)
        self.orders_by_id[order_id] = _order_row(order_id, event, live)
        self.owners_by_order[order_id] = list(_owner_rows(order_id, event.placed))
        self.work_by_order[order_id] = list(_work_rows(order_id, event.placed))

    def counts(self) -> dict[str, int]:
        """How much was listed of each side."""
        return {
            "orders": len(self.orders_by_id),
            "payments": len(self.payments_by_subject),
            "labels": len(self.labels_by_subject),
            "documents": len(self.documents_by_subject),
        }

    def subjects(self) -> set[str]:
        """What discrepancies of this listing can be about."""
        work = {str(row[1]) for rows in self.work_by_order.values() for row in rows}
        return {
            *self.orders_by_id,
            *work,
            *self.payments_by_subject,
            *self.labels_by_subject,
            *self.documents_by_subject,
        }

    def orders(self) -> pd.DataFrame:
        return frame(self.orders_by_id.values(), frames.STORE_ORDERS)

    def payment_owners(self) -> pd.DataFrame:
        return frame((row for rows in self.owners_by_order.values() for row in rows), frames.PAYMENT_OWNERS)

    def work(self) -> pd.DataFrame:
        return frame((row for rows in self.work_by_order.values() for row in rows), frames.WORK)

    def payments(self) -> pd.DataFrame:
        return frame(self.payments_by_subject.values(), frames.PAYMENTS)

    def labels(self) -> pd.DataFrame:
        return frame(self.labels_by_subject.values(), frames.LABELS)

    def documents(self) -> pd.DataFrame:
        return frame(map(_document_row, self.documents_by_subject.values()), frames.DOCUMENTS)


def _order_row(order_id: str, event: OrderObserved, live: bool) -> _Row:
    placed = event.placed
    return (
        order_id,
        event.connection,
        placed.name,
        placed.currency,
        placed.presentment_total.currency,
        placed.total.minor,
        *_amounts(placed, placed.currency),
        *_amounts(placed, placed.presentment_total.currency),
        placed.cancelled_at is not None,
        placed.fully_paid,
        placed.on_hold,
        live,
        placed.placed_at,
        placed.updated_at,
    )


def _amounts(placed: PlacedOrder, currency: str) -> tuple[int, int, int, int]:
    """Due, kept, captured by the storefront and refunded elsewhere, in one of the order's two currencies."""
    refunded = Money.total((owed_by_processor(placed, refund, currency) for refund in placed.refunds), currency)
    taken = captured_by_store(placed, currency)
    return due(placed, currency).minor, kept(placed, currency).minor, taken.minor, refunded.minor


def _owner_rows(order_id: str, placed: PlacedOrder) -> Iterator[_Row]:
    ids = {t.payment_id for t in placed.transactions if t.captured_by is CapturedBy.PROCESSOR and t.payment_id}
    return ((order_id, payment_id) for payment_id in sorted(ids))


def _work_rows(order_id: str, placed: PlacedOrder) -> Iterator[_Row]:
    """Work of which something goes into a parcel; what a store fulfils by itself, such as downloads, is left out."""
    packed = {line.external_id for line in placed.lines if line.requires_shipping}
    told = {f.fulfillment_order_id for f in placed.fulfillments if f.status != "cancelled"}
    for work in placed.fulfillment_orders:
        if any(line in packed for line, _ in work.assigned):
            remaining = sum(quantity for line, quantity in work.remaining if line in packed)
            yield (order_id, work.external_id, work.status in _READY, remaining, work.external_id in told)


def _payment_row(payment: Payment) -> _Row:
    return (
        payment.connection,
        payment.external_id,
        payment.payment_id,
        payment.state.value,
        payment.authorized.currency,
        payment.authorized.minor,
        payment.captured.minor,
        payment.refunded.minor,
        payment.created_at,
    )


def _label_row(label: Label) -> _Row:
    return (
        label.connection,
        label.external_id,
        label.external_shipment_id or None,
        label.fulfillment_order_id or None,
        label.state.value,
        label.tracking_number,
        label.created_at,
    )


def _document_row(event: JournalRecorded) -> _Row:
    return (
        event.connection,
        event.document,
        event.kind,
        event.total.currency,
        event.total.minor,
        event.business_day.isoformat(),
    )
