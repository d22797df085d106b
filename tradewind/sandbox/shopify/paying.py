"""Money that arrives for an order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.order import StoreOrder, Transaction
from tradewind.sandbox.shopify.payment import (
    can_be_marked_as_paid,
    capturable,
    financial_status,
    fulfillment_status,
    outstanding,
    owed,
    owed_presented,
    pending,
)
from tradewind.sandbox.shopify.refusal import RefusalError

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


KINDS: Final = {
    "pending": ("SALE", "PENDING"),
    "sale": ("SALE", "SUCCESS"),
    "authorization": ("AUTHORIZATION", "SUCCESS"),
}


def capture(store: ShopifyStore, order: StoreOrder, authorization: Transaction, amount: Decimal) -> Transaction:
    """Take authorised money, once. amount: in the shopper's currency.

    Raises RefusalError. Source: shopify.dev, orderCapture.
    """
    limit = authorization.presented
    if not capturable(order, authorization):
        raise RefusalError("Transaction can't be captured", field=["input", "parentTransactionId"])
    if amount <= 0:
        raise RefusalError("Amount must be greater than zero", field=["input", "amount"])
    if amount > limit:
        raise RefusalError("Cannot capture more than the authorized amount", field=["input", "amount"])
    at, payment_id = store.now(), authorization.payment_id
    in_shop = authorization.amount if amount == limit else order.money.in_shop(amount)
    captured = Transaction(
        store.ids.next(), "CAPTURE", "SUCCESS", authorization.gateway, in_shop, at, payment_id, amount, authorization
    )
    store.record_money("captured", order, captured)
    _arrived(store, order, captured, at)
    return captured


def mark_as_paid(store: ShopifyStore, order: StoreOrder) -> None:
    """Record that what is outstanding was paid elsewhere; an authorisation is captured instead.

    Raises RefusalError unless money is outstanding. Source: shopify.dev, orderMarkAsPaid.
    """
    if not can_be_marked_as_paid(order):
        raise RefusalError("Order cannot be marked as paid.", field=["id"])
    amount = outstanding(order)
    for each in order.transactions:
        if limit := capturable(order, each):
            capture(store, order, each, each.presented if amount >= limit else order.money.presented(amount))
            return
    for announced in pending(order):
        if part := min(amount, announced.amount):
            amount -= part
            _mark(store, order, part, announced)
    if amount > 0:
        _mark(store, order, amount, None)


def _mark(store: ShopifyStore, order: StoreOrder, amount: Decimal, announced: Transaction | None) -> None:
    """Record a payment that was announced, or one that nobody knew of."""
    at, number = store.now(), store.ids.next()
    shown = announced.presented if announced and amount == announced.amount else order.money.presented(amount)
    gateway, payment_id = (announced.gateway, announced.payment_id) if announced else ("manual", None)
    sale = Transaction(number, "SALE", "SUCCESS", gateway, amount, at, payment_id, shown, announced)
    _arrived(store, order, sale, at)


def add(
    store: ShopifyStore, order: StoreOrder, *, gateway: str, kind: str, payment_id: str | None, amount: Decimal
) -> Transaction:
    """Another payment of an order that stands. kind: "pending", "authorization" or "sale"; amount: in shop currency."""
    made_kind, status = KINDS[kind]
    number = len(order.transactions) + 1
    at = store.now()
    presented = owed_presented(order) if amount == owed(order) else order.money.presented(amount)
    name = payment_id or f"{order.name}.{number}"
    made = Transaction(store.ids.next(), made_kind, status, gateway, amount, at, name, presented)
    if (made_kind, status) == ("SALE", "SUCCESS"):
        store.record_money("captured", order, made)
    _arrived(store, order, made, at)
    return made


def archive_if_settled(order: StoreOrder, at: datetime) -> None:
    """Close an order on which nothing is left to do, as stores do unless told otherwise."""
    settled = financial_status(order) == "PAID" and fulfillment_status(order) == "FULFILLED"
    if settled and order.closed_at is None:
        order.closed_at = at


def _arrived(store: ShopifyStore, order: StoreOrder, transaction: Transaction, at: datetime) -> None:
    happening = store.happening()
    order.transactions.append(transaction)
    order.updated_at = max(order.updated_at, at)
    archive_if_settled(order, at)
    webhooks.money_arrived(store, happening, order, transaction)
