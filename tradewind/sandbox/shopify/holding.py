"""What keeps goods from leaving: holds on fulfillment orders, and what the store thinks of an order's risk."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.shopify import webhooks
from tradewind.sandbox.shopify.order import FulfillmentOrder, Hold, Risk, StoreOrder
from tradewind.sandbox.shopify.refusal import RefusalError

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

MOST_HOLDS: Final = 10


def hold(
    store: ShopifyStore,
    order: StoreOrder,
    given: FulfillmentOrder,
    reason: str,
    *,
    notes: str | None = None,
    handle: str = "",
    by_app: bool = False,
) -> Hold:
    """Keep a fulfillment order from being shipped. Raises RefusalError. Source: shopify.dev, fulfillmentOrderHold."""
    if given.status == "CLOSED":
        raise RefusalError("Fulfillment order is closed.", field=["id"], code="FULFILLMENT_ORDER_NOT_FOUND")
    own = [each for each in given.holds if each.by_app is by_app]
    if any(each.handle == handle for each in own):
        raise RefusalError(
            "A hold with this handle exists on the fulfillment order.",
            field=["fulfillmentHold", "handle"],
            code="DUPLICATE_FULFILLMENT_HOLD_HANDLE",
        )
    if len(own) >= MOST_HOLDS:
        raise RefusalError("Too many holds.", field=["id"], code="FULFILLMENT_ORDER_HOLD_LIMIT_REACHED")
    made = Hold(store.ids.next(), reason, notes, handle, by_app)
    given.holds.append(made)
    _settle(store, order, given)
    store.truth.record("order_held", store=store.account, order_id=order.id, reason=reason)
    webhooks.held(store, store.happening(), order, given, made)
    return made


def release(
    store: ShopifyStore, order: StoreOrder, given: FulfillmentOrder, hold_ids: Collection[int] | None = None
) -> None:
    """Let a fulfillment order go. hold_ids: None for all its holds.

    Source: shopify.dev, fulfillmentOrderReleaseHold.
    """
    gone = [each for each in given.holds if hold_ids is None or each.id in hold_ids]
    if not gone:
        return
    given.holds = [each for each in given.holds if each not in gone]
    _settle(store, order, given)
    for each in gone:
        store.truth.record("hold_released", store=store.account, order_id=order.id, reason=each.reason)
    webhooks.holds_released(store, store.happening(), order, given, gone)


def assess(store: ShopifyStore, order: StoreOrder, risk: Risk) -> None:
    """The store's fraud analysis has come to a result."""
    order.risk = risk
    order.updated_at = max(order.updated_at, store.now())
    webhooks.risk_assessed(store, store.happening(), order)


def _settle(store: ShopifyStore, order: StoreOrder, given: FulfillmentOrder) -> None:
    at = store.now()
    given.settle(at)
    order.updated_at = max(order.updated_at, at)
