"""What all views share."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.money import Currencies, text
from tradewind.sandbox.shopify.order import StoreOrder

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

View = dict[str, Any]


def whole_order(store: ShopifyStore, given: StoreOrder) -> View:
    """Order, for the parts of one that lead back to it."""
    # An order shows its parts, and they show their order: one of the two imports must wait.
    from tradewind.sandbox.shopify.views import orders

    return orders.order(store, given)


def time(at: datetime | None) -> str | None:
    """A DateTime: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def money(amount: Decimal, currency: str) -> View:
    """A MoneyV2."""
    return {"amount": text(amount, currency), "currencyCode": currency}


def bag(amount: Decimal, currencies: Currencies, presented: Decimal | None = None) -> View:
    """A MoneyBag. amount: in the shop's currency; presented: in the shopper's, converted if None."""
    shown = currencies.presented(amount) if presented is None else presented
    return {"shopMoney": money(amount, currencies.shop), "presentmentMoney": money(shown, currencies.presentment)}
