"""How an order comes to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify import routing, webhooks
from tradewind.sandbox.shopify.money import ZERO, Currencies, minor_units, rounded
from tradewind.sandbox.shopify.order import (
    UNASSESSED,
    Hold,
    OrderLine,
    PlacedLine,
    Risk,
    ShippingCharge,
    StoreOrder,
    Transaction,
)
from tradewind.sandbox.shopify.paying import KINDS
from tradewind.sandbox.shopify.people import Address, Customer

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


@dataclass(frozen=True)
class People:
    """Who orders, and where it goes."""

    customer: Mapping[str, Any] | None
    shipping_address: Mapping[str, Any] | None
    email: str | None


@dataclass(frozen=True)
class Terms:
    """What is charged besides the goods, and in which currency it was shown. tax_rate: 0.2 for 20 %."""

    shipping: Decimal
    tax_rate: Decimal
    taxes_included: bool
    money: Currencies
    tip: Decimal = ZERO

    def tax_on(self, amount: Decimal) -> Decimal:
        """The tax in, or on top of, an amount."""
        base = amount / (1 + self.tax_rate) if self.taxes_included else amount
        return rounded(base * self.tax_rate, self.money.shop)

    def total(self, lines: Sequence[PlacedLine]) -> Decimal:
        """What a shopper owes for these lines."""
        nets = [rounded(line.unit_price * line.quantity, self.money.shop) - line.discount for line in lines]
        tax = ZERO if self.taxes_included else sum(map(self.tax_on, [*nets, self.shipping]), ZERO)
        return sum(nets, self.shipping + self.tip + tax) + sum((line.duty for line in lines), ZERO)


@dataclass(frozen=True)
class Payment:
    """How it is paid. kind: "pending", "authorization" or "sale". gift_card: what a gift card pays, at once."""

    gateway: str
    kind: str
    payment_id: str | None
    gift_card: Decimal = ZERO


@dataclass(frozen=True)
class About:
    """What else stands on the order. hold: why nothing may be shipped yet, as the API's enum."""

    name: str | None
    processed_at: datetime | None
    attributes: dict[str, str]
    tags: list[str]
    risk: Risk = UNASSESSED
    hold: str | None = None


def place(
    store: ShopifyStore, lines: Sequence[PlacedLine], people: People, terms: Terms, payment: Payment, about: About
) -> StoreOrder:
    """Accept an order: it has a number, commits stock, and has the payment that the checkout took."""
    happening, at = store.happening(), store.now()
    number = len(store.orders) + 1
    customer, address = _people(store, people, at)
    order = StoreOrder(
        legacy_id=store.ids.next(),
        name=about.name or f"#{1000 + number}",
        number=number,
        money=terms.money,
        created_at=at,
        processed_at=about.processed_at or at,
        updated_at=at,
        taxes_included=terms.taxes_included,
        tax_rate=terms.tax_rate,
        lines=[_line(store, line, terms) for line in lines],
        shipping_charge=_shipping(store, terms),
        customer=customer,
        shipping_address=address,
        email=people.email,
        gateway=payment.gateway,
        attributes=about.attributes,
        tags=about.tags,
        confirmation_number="".join(store.rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=9)),
        tip=terms.tip,
        risk=about.risk,
    )
    order.original_total = order.total
    store.orders[order.legacy_id] = order
    if order.total > ZERO:
        order.transactions.extend(_transactions(store, order, payment, at))
    levels = routing.commit(store, order, at)
    if about.hold is not None:
        for each in order.fulfillment_orders:
            each.holds.append(Hold(store.ids.next(), about.hold))
            each.settle(at)
    _remember(store, order)
    webhooks.order_placed(store, happening, order)
    webhooks.levels_changed(store, happening, levels)
    return order


def _line(store: ShopifyStore, placed: PlacedLine, terms: Terms) -> OrderLine:
    variant = store.catalog.by_sku.get(placed.sku)
    gross = rounded(placed.unit_price * placed.quantity, store.currency)
    return OrderLine(
        id=store.ids.next(),
        sku=placed.sku,
        title=placed.title or (variant.product.title if variant else placed.sku),
        quantity=placed.quantity,
        unit_price=placed.unit_price,
        gross=gross,
        discount=placed.discount,
        tax=terms.tax_on(gross - placed.discount),
        requires_shipping=placed.requires_shipping,
        variant=variant,
        money=terms.money,
        duty=placed.duty,
        duty_id=store.ids.next() if placed.duty else 0,
    )


def _shipping(store: ShopifyStore, terms: Terms) -> ShippingCharge:
    tax = terms.tax_on(terms.shipping)
    return ShippingCharge(store.ids.next(), "Standard", terms.shipping, tax)


def _transactions(store: ShopifyStore, order: StoreOrder, payment: Payment, at: datetime) -> list[Transaction]:
    """What the checkout took or was promised: a gift card's part is taken at once."""
    kind, status = KINDS[payment.kind]
    parts = [("gift_card", "SALE", "SUCCESS", payment.gift_card, f"{order.name}.2")]
    rest = order.total - payment.gift_card
    parts.append((payment.gateway, kind, status, rest, payment.payment_id or f"{order.name}.1"))
    shown, made = order.money.presented(order.total), []
    for gateway, kind, status, amount, payment_id in parts:
        if amount:
            # The last part is what is left, so that the parts add up in both currencies.
            presented = shown if amount == rest else order.money.presented(amount)
            shown -= presented
            made.append(Transaction(store.ids.next(), kind, status, gateway, amount, at, payment_id, presented))
    return made


def _people(store: ShopifyStore, people: People, at: datetime) -> tuple[Customer | None, Address | None]:
    given = people.shipping_address
    address = Address.of(store.ids.next(), given) if given is not None else None
    if people.customer is None:
        return None, address
    email = people.customer.get("email") or people.email
    customer = store.customers.get(email or "")
    if customer is None:
        first, last, phone = (people.customer.get(part) for part in ("first_name", "last_name", "phone"))
        customer = Customer(store.ids.next(), email, first, last, phone, created_at=at, updated_at=at)
        store.customers[email or str(customer.id)] = customer
    customer.default_address = address or customer.default_address
    customer.orders += 1
    customer.updated_at = at
    return customer, address


def _remember(store: ShopifyStore, order: StoreOrder) -> None:
    """Note what the store accepted, and what money it took itself."""
    total = minor_units(order.total, order.currency)
    if order.customer is not None:
        order.customer.spent += order.total
    store.truth.record(
        "order_accepted",
        store=store.account,
        order_id=order.id,
        name=order.name,
        total_minor=total,
        currency=order.currency,
        presentment_minor=minor_units(order.money.presented(order.total), order.money.presentment),
        presentment_currency=order.money.presentment,
    )
    for each in order.transactions:
        if (each.kind, each.status) == ("SALE", "SUCCESS"):
            store.record_money("captured", order, each)
