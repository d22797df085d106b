"""Deliveries, commands and orders to fill a ledger with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from tradewind.domain.commands import BuyLabel, CapturePayment, Refetch
from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.domain.events import Resource
from tradewind.domain.money import Money
from tradewind.domain.order import (
    Address,
    CapturedBy,
    Customer,
    Fulfillment,
    Label,
    LabelState,
    Order,
    OrderLine,
    Payment,
    PaymentState,
    PlacedOrder,
    Refund,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.ledger.inbox import Delivery

AT = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
# What is personal of an order here, in lower case, as written and as an index would have it. Each is long enough that
# no hash and no sealed bytes hold it by chance.
PERSONAL = ("lovelace", "example.com", "7946 0000", "79460000", "james's square", "sw1y 4jh", "sw1y4jh")
BODY = b'{"email": "Ada@Example.com", "note": "leave it with Grace Hopper"}'
STORE, PROCESSOR, CARRIER = "shopify:north", "stripe:main", "shipstation:main"

T = TypeVar("T")
R = TypeVar("R")


def gbp(amount: str) -> Money:
    return Money.of(amount, "GBP")


def delivery(key: str = "wh-1", **changes: Any) -> Delivery:
    plain: dict[str, Any] = {
        "connection": STORE,
        "source": "webhook",
        "delivery_key": key,
        "topic": "orders/create",
        "body": BODY,
        "format": "raw",
        "headers": {"x-shopify-topic": "orders/create"},
        "occurred_at": AT,
        "received_at": AT,
    }
    return Delivery(**(plain | changes))


def capture(payment: str = "pi_1", order_id: str | None = "shopify:north/1") -> CapturePayment:
    return CapturePayment(connection=PROCESSOR, order_id=order_id, payment=payment, amount=gbp("12.50"))


def buy_label(order_id: str = "shopify:north/1", shipment: str = "tw-1") -> BuyLabel:
    return BuyLabel(
        connection=CARRIER,
        order_id=order_id,
        fulfillment_order="fo-1",
        external_shipment_id=shipment,
        storefront=STORE,
        order="1",
        items=(("SKU-1", "Mug", 1, gbp("12.50")),),
    )


def refetch(external_id: str = "1", order_id: str | None = "shopify:north/1") -> Refetch:
    resource = Resource(connection=STORE, kind="order", external_id=external_id)
    return Refetch(connection=STORE, order_id=order_id, resource=resource)


def order(external_id: str = "1", *, email: str | None = "Ada@Example.com", **changes: Any) -> Order:
    return Order(
        id=f"{STORE}/{external_id}",
        connection=STORE,
        external_id=external_id,
        live=True,
        placed=placed(email=email, **changes),
        payments=(payment(),),
        labels=(label(),),
        refunds=(Refund(connection=PROCESSOR, external_id="re_1", amount=gbp("1.00"), created_at=AT),),
        versions={f"{STORE}/order/{external_id}": (AT, "digest")},
        facts=("fact-1",),
    )


def placed(*, email: str | None = "Ada@Example.com", **changes: Any) -> PlacedOrder:
    address = Address(
        name="Ada Lovelace", line1="12 St James's Square", city="London", postal_code="SW1Y 4JH", country="GB"
    )
    plain: dict[str, Any] = {
        "name": "#1042",
        "placed_at": AT,
        "processed_at": AT,
        "updated_at": AT,
        "currency": "GBP",
        "presentment_total": Money.of("15.00", "EUR"),
        "lines": (
            OrderLine(
                external_id="line-1",
                sku="SKU-1",
                title="Mug",
                quantity=1,
                current_quantity=1,
                unit_price=gbp("12.50"),
                discount=gbp("0"),
                tax=gbp("2.08"),
            ),
        ),
        "subtotal": gbp("12.50"),
        "discounts": gbp("0"),
        "shipping": gbp("0"),
        "tax": gbp("2.08"),
        "tip": gbp("0"),
        "duties": gbp("0"),
        "total": gbp("12.50"),
        "taxes_included": True,
        "customer": Customer(external_id=None, name="Ada Lovelace", email=email, phone="+44 20 7946 0000"),
        "ship_to": address,
        "bill_to": address,
        "transactions": (gift_card(),),
        "fulfillments": (
            Fulfillment(
                external_id="f-1",
                fulfillment_order_id="fo-1",
                status="success",
                tracking_number="TRACK-1",
                created_at=AT,
            ),
        ),
    }
    return PlacedOrder(**(plain | changes))


def gift_card() -> Transaction:
    return Transaction(
        external_id="t-1",
        kind=TransactionKind.SALE,
        status=TransactionStatus.SUCCESS,
        amount=gbp("2.50"),
        gateway="gift_card",
        captured_by=CapturedBy.STOREFRONT,
        processed_at=AT,
    )


def payment() -> Payment:
    return Payment(
        connection=PROCESSOR,
        external_id="pi_1",
        charge_id="ch_1",
        state=PaymentState.CAPTURED,
        authorized=gbp("10.00"),
        captured=gbp("10.00"),
        refunded=gbp("1.00"),
        payment_id="pay-1",
        created_at=AT,
    )


def label() -> Label:
    return Label(
        connection=CARRIER,
        external_id="se-1",
        external_shipment_id="tw-1",
        fulfillment_order_id="fo-1",
        state=LabelState.PURCHASED,
        tracking_number="TRACK-1",
        tracking_url=None,
        carrier="ups",
        cost=gbp("3.10"),
        created_at=AT,
    )


def connection(key: str = STORE, role: Role = Role.STOREFRONT, **changes: Any) -> Connection:
    plain: dict[str, Any] = {"settings": {"base_url": "https://north.example"}, "secrets": {"client_secret": "hush"}}
    return Connection(key=ConnectionKey.parse(key), role=role, **(plain | changes))


def at_once(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the work for every item at the same time, each in a thread of its own."""
    every = list(items)
    with ThreadPoolExecutor(max_workers=len(every)) as pool:
        return list(pool.map(work, every))


def until(condition: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until the condition holds. Raises AssertionError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
