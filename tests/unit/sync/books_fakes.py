"""A shop of fake providers: what they list can be set, and every side starts out agreed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tradewind.domain.connections import Connection, ConnectionKey, ConnectionState, Role
from tradewind.domain.events import JournalLine, JournalRecorded, LabelObserved, OrderObserved, PaymentObserved
from tradewind.domain.money import Money
from tradewind.domain.order import (
    CapturedBy,
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderStatus,
    Label,
    LabelState,
    Order,
    OrderLine,
    Payment,
    PaymentState,
    PlacedOrder,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.reducer import links_of, new_order, reduce_order
from tradewind.domain.stock import movements_of
from tradewind.ledger import connections, journal, orders, stock
from tradewind.ledger.engine import Ledger

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
STORE, PROCESSOR, CARRIER, JOURNAL = "shopify:north", "stripe:main", "shipstation:main", "backoffice:main"


def gbp(minor: int) -> Money:
    return Money(minor=minor, currency="GBP")


def order_observed(number: int = 1, **changes: Any) -> OrderObserved:
    """A shipped order of two mugs at 5.00 and 2.50 postage, paid at the processor."""
    line = OrderLine(
        external_id=f"line-{number}", sku="MUG", title="Mug", quantity=2, current_quantity=2, unit_price=gbp(500),
        discount=gbp(0), tax=gbp(0),
    )  # fmt: skip
    work = FulfillmentOrder(
        external_id=f"fo-{number}", location="shed", status=FulfillmentOrderStatus.CLOSED,
        assigned=((line.external_id, 2),), remaining=((line.external_id, 0),),
    )  # fmt: skip
    sale = Transaction(
        external_id=f"tx-{number}", kind=TransactionKind.SALE, status=TransactionStatus.SUCCESS, amount=gbp(1250),
        gateway="stripe", captured_by=CapturedBy.PROCESSOR, payment_id=f"pay-{number}", processed_at=AT,
    )  # fmt: skip
    parcel = Fulfillment(
        external_id=f"f-{number}", fulfillment_order_id=work.external_id, status="success", tracking_number="T",
        created_at=AT,
    )  # fmt: skip
    values: dict[str, Any] = {
        "name": f"#{number}", "placed_at": AT, "processed_at": AT, "updated_at": AT, "currency": "GBP",
        "presentment_total": gbp(1250), "lines": (line,), "subtotal": gbp(1000), "discounts": gbp(0),
        "shipping": gbp(250), "tax": gbp(0), "tip": gbp(0), "duties": gbp(0), "total": gbp(1250),
        "taxes_included": True, "fully_paid": True, "transactions": (sale,), "fulfillment_orders": (work,),
        "fulfillments": (parcel,),
    }  # fmt: skip
    placed = PlacedOrder(**values | changes)
    return OrderObserved(connection=STORE, external_id=f"order-{number}", version=placed.updated_at, placed=placed)


def payment_observed(number: int = 1, **changes: Any) -> PaymentObserved:
    values: dict[str, Any] = {
        "connection": PROCESSOR, "external_id": f"pi-{number}", "charge_id": f"ch-{number}",
        "state": PaymentState.CAPTURED, "authorized": gbp(1250), "captured": gbp(1250), "refunded": gbp(0),
        "payment_id": f"pay-{number}", "created_at": AT,
    }  # fmt: skip
    return PaymentObserved(version=AT, payment=Payment(**values | changes))


def label_observed(number: int = 1, **changes: Any) -> LabelObserved:
    values: dict[str, Any] = {
        "connection": CARRIER, "external_id": f"se-{number}", "external_shipment_id": f"tw-{number}",
        "fulfillment_order_id": f"fo-{number}", "state": LabelState.PURCHASED, "tracking_number": "T",
        "tracking_url": None, "carrier": "royal_mail", "cost": gbp(300), "created_at": AT,
    }  # fmt: skip
    return LabelObserved(version=AT, label=Label(**values | changes))


def document(name: str = "C1", **changes: Any) -> JournalRecorded:
    line = JournalLine(sku="MUG", description="Mug", quantity=-1, unit_price="5.00")
    values: dict[str, Any] = {
        "connection": JOURNAL, "document": name, "kind": "credit", "reason": "returned", "occurred_at": AT,
        "business_day": AT.date(), "total": gbp(-500), "lines": (line,),
    }  # fmt: skip
    return JournalRecorded(**values | changes)


async def _pages(values: Sequence[Any]) -> AsyncIterator[Sequence[Any]]:
    for value in values:
        yield [value]


@dataclass
class Shop:
    """What each provider lists. asked: the windows that it was asked for, by connection."""

    orders: list[OrderObserved] = field(default_factory=list)
    payments: list[PaymentObserved] = field(default_factory=list)
    labels: list[LabelObserved] = field(default_factory=list)
    documents: list[JournalRecorded] = field(default_factory=list)
    asked: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def __call__(self, connection: str) -> Any:
        return {STORE: FakeStore, PROCESSOR: FakeProcessor, CARRIER: FakeCarrier, JOURNAL: FakeJournal}[connection](
            self
        )


class FakeClient:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def _unused(self, *_: Any) -> Any:
        raise AssertionError("reconciliation only lists")

    health = fetch = subscriptions = subscribe = unsubscribe = aclose = _unused

    def _listed(self, connection: str, values: Sequence[Any], since: datetime, until: datetime) -> AsyncIterator[Any]:
        self.shop.asked[connection] = (since, until)
        return _pages(values)


class FakeStore(FakeClient):
    changes = catalogue = capture = mark_paid = fulfill = FakeClient._unused

    def orders(self, since: datetime, until: datetime) -> AsyncIterator[Any]:
        return self._listed(STORE, self.shop.orders, since, until)


class FakeProcessor(FakeClient):
    capture = cancel = refund = find_effect = FakeClient._unused

    def payments(self, since: datetime, until: datetime) -> AsyncIterator[Any]:
        return self._listed(PROCESSOR, self.shop.payments, since, until)


class FakeCarrier(FakeClient):
    find_label = buy_label = void_label = FakeClient._unused

    def labels(self, since: datetime, until: datetime) -> AsyncIterator[Any]:
        return self._listed(CARRIER, self.shop.labels, since, until)


class FakeJournal(FakeClient):
    def documents(self, since: datetime, until: datetime) -> AsyncIterator[Any]:
        return self._listed(JOURNAL, self.shop.documents, since, until)


def connect_all(ledger: Ledger) -> None:
    roles = {
        STORE: Role.STOREFRONT, PROCESSOR: Role.PAYMENT_PROCESSOR, CARRIER: Role.CARRIER, JOURNAL: Role.JOURNAL
    }  # fmt: skip
    with ledger.write() as database:
        for key, role in roles.items():
            connection = Connection(
                key=ConnectionKey.parse(key), role=role, state=ConnectionState.LIVE, live_from=AT - timedelta(days=1)
            )
            connections.put(database, ledger.keys, connection, actor="test")


def settled_order(*events: Any) -> Order:
    """The record after these events, live."""
    order = new_order(STORE, events[0].external_id).model_copy(update={"live": True})
    for event in events:
        order = reduce_order(order, event).order
    return order


def record(ledger: Ledger, *recorded: Order | JournalRecorded) -> None:
    """Put orders and documents into the ledger, as applying their events would."""
    with ledger.write() as database:
        for one in recorded:
            if isinstance(one, JournalRecorded):
                journal.add(database, one)
                continue
            orders.save(database, ledger.keys, one, None)
            orders.add_links(database, one.id, links_of(one))
            stock.add(database, movements_of(one))
