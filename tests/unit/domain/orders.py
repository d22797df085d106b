"""One order's story, told by its storefront, its processor and its carrier: events to build records from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tradewind.domain.commands import Command
from tradewind.domain.connections import Routes
from tradewind.domain.events import (
    DisputeObserved,
    LabelObserved,
    OrderObserved,
    PaymentObserved,
    RefundRecorded,
    TrackingScanned,
)
from tradewind.domain.money import Money
from tradewind.domain.order import (
    Address,
    CapturedBy,
    Customer,
    Dispute,
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
    Refund,
    Return,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.planner import external_shipment_id, plan
from tradewind.domain.reducer import OrderEvent, new_order, reduce_order

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
STORE, PROCESSOR, CARRIER = "shopify:north", "stripe:main", "shipstation:main"
ROUTES = Routes(processor=PROCESSOR, carrier=CARRIER)
TOTAL = 1250
HOME = Address(name="Ada Lovelace", line1="12 St James's Square", city="London", postal_code="SW1Y 4JH", country="GB")


def gbp(minor: int) -> Money:
    return Money(minor=minor, currency="GBP")


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def line(external_id: str = "line-1", **changes: Any) -> OrderLine:
    values: dict[str, Any] = {
        "external_id": external_id, "sku": "MUG", "title": "Mug", "quantity": 2, "current_quantity": 2,
        "unit_price": gbp(500), "discount": gbp(0), "tax": gbp(0),
    }  # fmt: skip
    return OrderLine(**values | changes)


def work(external_id: str = "fo-1", **changes: Any) -> FulfillmentOrder:
    """Two mugs to be shipped from the shed."""
    values: dict[str, Any] = {
        "external_id": external_id, "location": "shed", "status": FulfillmentOrderStatus.OPEN,
        "assigned": (("line-1", 2),), "remaining": (("line-1", 2),),
    }  # fmt: skip
    return FulfillmentOrder(**values | changes)


def shipped_work(external_id: str = "fo-1") -> FulfillmentOrder:
    return work(external_id, status=FulfillmentOrderStatus.CLOSED, remaining=(("line-1", 0),))


def parcel(external_id: str = "f-1", **changes: Any) -> Fulfillment:
    values: dict[str, Any] = {
        "external_id": external_id, "fulfillment_order_id": "fo-1", "status": "success", "tracking_number": "T-1",
        "created_at": AT,
    }  # fmt: skip
    return Fulfillment(**values | changes)


def transaction(external_id: str = "tx-1", **changes: Any) -> Transaction:
    """What the storefront says of money that the processor took: pending until it is told."""
    values: dict[str, Any] = {
        "external_id": external_id, "kind": TransactionKind.SALE, "status": TransactionStatus.PENDING,
        "amount": gbp(TOTAL), "gateway": "stripe", "captured_by": CapturedBy.PROCESSOR, "payment_id": "pay-1",
    }  # fmt: skip
    return Transaction(**values | changes)


def own_transaction(external_id: str = "tx-1", **changes: Any) -> Transaction:
    """Money that the storefront took itself."""
    values: dict[str, Any] = {
        "gateway": "shopify_payments", "captured_by": CapturedBy.STOREFRONT, "status": TransactionStatus.SUCCESS,
        "payment_id": None,
    }  # fmt: skip
    return transaction(external_id, **values | changes)


def refund(external_id: str = "r-1", amount: int = 300, **changes: Any) -> Refund:
    values: dict[str, Any] = {
        "connection": STORE, "external_id": external_id, "amount": gbp(amount), "created_at": AT
    }  # fmt: skip
    return Refund(**values | changes)


def return_of(units: int = 2, **changes: Any) -> Return:
    """The customer sends mugs back."""
    values: dict[str, Any] = {
        "external_id": "return-1", "status": "open", "lines": (("line-1", units),), "created_at": AT
    }  # fmt: skip
    return Return(**values | changes)


def placed(**changes: Any) -> PlacedOrder:
    """Two mugs at 5.00 and 2.50 postage, authorised at the processor."""
    values: dict[str, Any] = {
        "name": "#1042", "placed_at": AT, "processed_at": AT, "updated_at": AT, "currency": "GBP",
        "presentment_total": changes.get("total", gbp(TOTAL)), "lines": (line(),), "subtotal": gbp(1000),
        "discounts": gbp(0), "shipping": gbp(250), "tax": gbp(0), "tip": gbp(0), "duties": gbp(0), "total": gbp(TOTAL),
        "taxes_included": True, "customer": Customer(external_id="c-1", email="ada@example.com"), "ship_to": HOME,
        "transactions": (transaction(),), "fulfillment_orders": (work(),),
    }  # fmt: skip
    if "current_total" in changes:
        values["presentment_current_total"] = changes["current_total"]
    return PlacedOrder(**values | changes)


def order_observed(external_id: str = "1", *, version: datetime = AT, **changes: Any) -> OrderObserved:
    return OrderObserved(connection=STORE, external_id=external_id, version=version, placed=placed(**changes))


def payment_observed(
    external_id: str = "pi-1", *, version: datetime = AT, refunds: Iterable[Refund] = (), **changes: Any
) -> PaymentObserved:
    """Authorised, unless told otherwise."""
    values: dict[str, Any] = {
        "connection": PROCESSOR, "external_id": external_id, "charge_id": "ch-1", "state": PaymentState.AUTHORIZED,
        "authorized": gbp(TOTAL), "captured": gbp(0), "refunded": gbp(0), "payment_id": "pay-1", "created_at": AT,
    }  # fmt: skip
    return PaymentObserved(version=version, payment=Payment(**values | changes), refunds=tuple(refunds))


def captured(*, version: datetime = AT, amount: int = TOTAL, refunds: Iterable[Refund] = (), **changes: Any) -> Any:
    values: dict[str, Any] = {"state": PaymentState.CAPTURED, "captured": gbp(amount)}
    return payment_observed(version=version, refunds=refunds, **values | changes)


def label_observed(external_id: str = "se-1", *, version: datetime = AT, **changes: Any) -> LabelObserved:
    """The label of the first fulfillment order's first attempt."""
    values: dict[str, Any] = {
        "connection": CARRIER, "external_id": external_id, "external_shipment_id": shipment_of("fo-1"),
        "fulfillment_order_id": "fo-1", "state": LabelState.PURCHASED, "tracking_number": "T-1",
        "tracking_url": "https://track.example/T-1", "carrier": "royal_mail", "cost": gbp(310), "created_at": AT,
    }  # fmt: skip
    return LabelObserved(version=version, label=Label(**values | changes))


def dispute_observed(external_id: str = "dp-1", *, version: datetime = AT, **changes: Any) -> DisputeObserved:
    """The bank takes the whole payment back."""
    values: dict[str, Any] = {
        "connection": PROCESSOR, "external_id": external_id, "payment": "pi-1", "charge_id": "ch-1",
        "amount": gbp(TOTAL), "reason": "fraudulent", "status": "needs_response", "evidence_due_at": None,
        "created_at": AT,
    }  # fmt: skip
    return DisputeObserved(connection=PROCESSOR, version=version, dispute=Dispute(**values | changes))


def shipment_of(fulfillment_order: str, ordinal: int = 0) -> str:
    return external_shipment_id(f"{STORE}/{fulfillment_order}", ordinal)


def refund_recorded(external_id: str = "r-1", amount: int = 300, **changes: Any) -> RefundRecorded:
    return RefundRecorded(connection=STORE, order_external_id="1", refund=refund(external_id, amount, **changes))


def scanned(status: str = "in_transit", at: datetime = AT, tracking_number: str = "T-1") -> TrackingScanned:
    return TrackingScanned(connection=CARRIER, tracking_number=tracking_number, status=status, occurred_at=at)


def record(*events: OrderEvent, live: bool = True) -> Order:
    """The record after these events."""
    order = new_order(STORE, "1").model_copy(update={"live": live})
    for event in events:
        order = reduce_order(order, event).order
    return order


def planned(order: Order, routes: Routes = ROUTES) -> list[Command]:
    return list(plan(order, routes))


def verbs(order: Order, routes: Routes = ROUTES) -> list[str]:
    return [command.verb for command in plan(order, routes)]
