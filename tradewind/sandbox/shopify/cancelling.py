"""How an order ends before it is shipped."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify import refunding, webhooks
from tradewind.sandbox.shopify.order import StoreOrder, Transaction
from tradewind.sandbox.shopify.payment import capturable, pending, received, refunded
from tradewind.sandbox.shopify.refusal import RefusalError

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def check(order: StoreOrder) -> None:
    """Raises RefusalError unless the order stands and nothing of it is shipped. Source: shopify.dev, orderCancel."""
    if order.cancelled_at is not None:
        raise RefusalError("Order has already been cancelled", field=["orderId"], code="INVALID")
    if order.fulfillments:
        raise RefusalError("Cannot cancel an order with fulfillments", field=["orderId"], code="INVALID")
    if any(each.status in ("REQUESTED", "OPEN") for each in order.returns):
        raise RefusalError("Cannot cancel an order with active returns", field=["orderId"], code="INVALID")


def cancel(
    store: ShopifyStore,
    order: StoreOrder,
    *,
    reason: str,
    refund: bool,
    restock: bool,
    staff_note: str | None = None,
) -> None:
    """Cancel an order: holds on money are released, its fulfillment orders close, nothing is left on it.

    refund: what was paid goes back. restock: the goods can be sold again. Raises RefusalError as `check` does.
    """
    check(order)
    happening, at = store.happening(), store.now()
    voids = _release_holds(store, order, at)
    restock_type = "CANCEL" if restock else "NO_RESTOCK"
    units = [refunding.Units(line, line.current_quantity, restock_type) for line in order.lines]
    made, levels = refunding.take_off(
        store,
        order,
        units,
        shipping=order.current_shipping,
        duties=refunding.duties_of(order, order.lines),
        tip=order.current_tip,
        paybacks=refunding.spread(order, received(order) - refunded(order)) if refund else (),
        note=None,
    )
    order.cancelled_at = order.closed_at = at
    order.cancel_reason = reason
    order.staff_note = staff_note
    if order.customer is not None:
        order.customer.orders -= 1
        order.customer.spent -= order.total
    store.truth.record("cancel_acknowledged", store=store.account, order_id=order.id, name=order.name)
    webhooks.order_cancelled(store, happening, order, voids)
    refunding.announce(store, happening, order, made, levels)


def _release_holds(store: ShopifyStore, order: StoreOrder, at: datetime) -> list[Transaction]:
    held = [each for each in order.transactions if capturable(order, each)] + pending(order)
    voids = [_void(store, each, at) for each in held]
    order.transactions.extend(voids)
    return voids


def _void(store: ShopifyStore, held: Transaction, at: datetime) -> Transaction:
    number, gateway = store.ids.next(), held.gateway
    return Transaction(number, "VOID", "SUCCESS", gateway, held.amount, at, held.payment_id, held.presented, held)
