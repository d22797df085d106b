"""An order as its storefront describes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from tradewind.domain.fulfilment import Fulfillment, FulfillmentOrder, Return
from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.domain.payment import Refund, Transaction


def _same_as_total(told: Mapping[str, Any]) -> Money:
    """Nothing was taken off the order, unless the storefront tells."""
    total: Money = told["total"]
    return total


def _same_as_presentment_total(told: Mapping[str, Any]) -> Money:
    total: Money = told["presentment_total"]
    return total


class Address(Model):
    """A postal address; every part as the storefront has it. country: ISO 3166 alpha-2."""

    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


class Customer(Model):
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None


class OrderLine(Model):
    """quantity: as ordered. current_quantity: after edits, refunds and removals. discount, tax: of the whole line."""

    external_id: str
    sku: str | None
    title: str
    quantity: int
    current_quantity: int
    unit_price: Money
    discount: Money
    tax: Money
    requires_shipping: bool = True


class Risk(StrEnum):
    """What the storefront's fraud analysis says. PENDING: it has not said anything yet."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    PENDING = "pending"


class PlacedOrder(Model):
    """Everything the storefront says of an order: one snapshot, replaced as a whole by a newer one.

    total: what was ordered comes to, edits included and before anything was taken off; current_total: what is left of
    it after removals, returns and refunds. presentment_total, presentment_current_total: the same in the currency that
    the customer saw. edited: lines were added, removed or changed after it was placed.
    fingerprint: the states and totals that a webhook of the same storefront shows too, in one string, so that a hint of
    the same second can be told from a change (see `ResourceChanged`).
    """

    name: str
    placed_at: datetime
    processed_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None = None
    currency: str
    presentment_total: Money
    lines: tuple[OrderLine, ...]
    subtotal: Money
    discounts: Money
    shipping: Money
    tax: Money
    tip: Money
    duties: Money
    total: Money
    current_total: Money = Field(default_factory=_same_as_total)
    presentment_current_total: Money = Field(default_factory=_same_as_presentment_total)
    taxes_included: bool
    test: bool = False
    edited: bool = False
    on_hold: bool = False
    risk: Risk = Risk.NONE
    fully_paid: bool = False
    customer: Customer | None = None
    ship_to: Address | None = None
    bill_to: Address | None = None
    transactions: tuple[Transaction, ...] = ()
    fulfillment_orders: tuple[FulfillmentOrder, ...] = ()
    fulfillments: tuple[Fulfillment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
    fingerprint: str | None = None
