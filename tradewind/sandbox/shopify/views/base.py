"""What all views share."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.money import text
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


def bag(amount: Decimal, currency: str) -> View:
    """A MoneyBag: the shopper's currency is the shop's."""
    shown = money(amount, currency)
    return {"shopMoney": shown, "presentmentMoney": shown}
