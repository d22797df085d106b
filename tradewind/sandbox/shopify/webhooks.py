"""Which topics are sent when something has happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.catalog import Product
from tradewind.sandbox.shopify.order import (
    Fulfillment,
    FulfillmentOrder,
    Hold,
    OrderLine,
    Refund,
    Return,
    StoreOrder,
    Transaction,
)
from tradewind.sandbox.shopify.payloads import changes, fulfilment, goods, orders, payments, shops
from tradewind.sandbox.shopify.payment import financial_status, fulfillment_status
from tradewind.sandbox.shopify.stock import Level
from tradewind.sandbox.shopify.subscriptions import Happening

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def order_placed(store: ShopifyStore, happening: Happening, order: StoreOrder) -> None:
    """A new order, its payment, and the update that its own processing makes."""
    _order(store, happening, order, "orders/create")
    for transaction in order.transactions:
        transaction_created(store, happening, order, transaction)
    if financial_status(order) == "PAID":
        _order(store, happening, order, "orders/paid")
    order_updated(store, happening, order)


def order_updated(store: ShopifyStore, happening: Happening, order: StoreOrder) -> None:
    """Anything about an order has changed."""
    _order(store, happening, order, "orders/updated")


def money_arrived(store: ShopifyStore, happening: Happening, order: StoreOrder, transaction: Transaction) -> None:
    """A sale or a capture has come through."""
    transaction_created(store, happening, order, transaction)
    if financial_status(order) == "PAID":
        _order(store, happening, order, "orders/paid")
    order_updated(store, happening, order)


def order_cancelled(store: ShopifyStore, happening: Happening, order: StoreOrder, voids: Iterable[Transaction]) -> None:
    """An order has been cancelled, and what was held for it released."""
    _order(store, happening, order, "orders/cancelled")
    for transaction in voids:
        transaction_created(store, happening, order, transaction)
    order_updated(store, happening, order)


def transaction_created(store: ShopifyStore, happening: Happening, order: StoreOrder, transaction: Transaction) -> None:
    """A transaction has an outcome; a pending one is not told of."""
    if transaction.status == "SUCCESS":
        store.subscriptions.publish(
            happening, "order_transactions/create", lambda: payments.transaction_message(store, order, transaction)
        )


def refund_created(store: ShopifyStore, happening: Happening, order: StoreOrder, refund: Refund) -> None:
    """Units or money were given back."""
    store.subscriptions.publish(happening, "refunds/create", lambda: payments.refund(store, order, refund))


def fulfillment_created(store: ShopifyStore, happening: Happening, order: StoreOrder, made: Fulfillment) -> None:
    """A shipment, and what it means for the order."""
    store.subscriptions.publish(happening, "fulfillments/create", lambda: fulfilment.fulfillment(store, order, made))
    complete = fulfillment_status(order) == "FULFILLED"
    _order(store, happening, order, "orders/fulfilled" if complete else "orders/partially_fulfilled")
    order_updated(store, happening, order)


def fulfillment_updated(store: ShopifyStore, happening: Happening, order: StoreOrder, made: Fulfillment) -> None:
    """A shipment's tracking has changed."""
    store.subscriptions.publish(happening, "fulfillments/update", lambda: fulfilment.fulfillment(store, order, made))
    order_updated(store, happening, order)


def order_edited(
    store: ShopifyStore, happening: Happening, order: StoreOrder, edit_id: int, deltas: Mapping[OrderLine, int]
) -> None:
    """An edit was committed. deltas: units that came or went, by line."""
    body = changes.order_edit(store, order, edit_id, deltas)
    store.subscriptions.publish(happening, "orders/edited", lambda: body)
    order_updated(store, happening, order)


def held(store: ShopifyStore, happening: Happening, order: StoreOrder, given: FulfillmentOrder, made: Hold) -> None:
    """Something must wait. Its work is told of by the first hold alone."""
    store.subscriptions.publish(happening, "fulfillment_holds/added", partial(changes.hold_changed, given, made))
    if given.holds == [made]:
        body = changes.placed_on_hold(given, made)
        store.subscriptions.publish(happening, "fulfillment_orders/placed_on_hold", lambda: body)
    order_updated(store, happening, order)


def holds_released(
    store: ShopifyStore, happening: Happening, order: StoreOrder, given: FulfillmentOrder, gone: Iterable[Hold]
) -> None:
    """Some reasons to wait are gone. The work is told of once none is left."""
    for hold in gone:
        store.subscriptions.publish(happening, "fulfillment_holds/released", partial(changes.hold_changed, given, hold))
    if not given.holds:
        body = changes.hold_released(given)
        store.subscriptions.publish(happening, "fulfillment_orders/hold_released", lambda: body)
    order_updated(store, happening, order)


def risk_assessed(store: ShopifyStore, happening: Happening, order: StoreOrder) -> None:
    """The store thinks otherwise of an order."""
    body = changes.risk_assessment(store, order)
    store.subscriptions.publish(happening, "orders/risk_assessment_changed", lambda: body)
    order_updated(store, happening, order)


def return_changed(store: ShopifyStore, happening: Happening, order: StoreOrder, given: Return, what: str) -> None:
    """A return came to be or moved on. what: the last part of the topic."""
    body = changes.return_(order, given)
    store.subscriptions.publish(happening, f"returns/{what}", lambda: body)
    order_updated(store, happening, order)


def levels_changed(store: ShopifyStore, happening: Happening, levels: Iterable[Level]) -> None:
    """What is available has changed somewhere: each level is told of once."""
    for level in {id(each): each for each in levels}.values():
        _level(store, happening, level)


def product_created(store: ShopifyStore, happening: Happening, product: Product) -> None:
    """A product went on sale."""
    store.subscriptions.publish(happening, "products/create", lambda: goods.product(store, product))


def product_updated(store: ShopifyStore, happening: Happening, product: Product) -> None:
    """A product, or a variant of it, has changed."""
    store.subscriptions.publish(happening, "products/update", lambda: goods.product(store, product))


def app_uninstalled(store: ShopifyStore, happening: Happening) -> None:
    """The merchant has removed the app."""
    store.subscriptions.publish(happening, "app/uninstalled", lambda: shops.shop(store))


def _order(store: ShopifyStore, happening: Happening, order: StoreOrder, topic: str) -> None:
    store.subscriptions.publish(happening, topic, lambda: orders.order(store, order))


def _level(store: ShopifyStore, happening: Happening, level: Level) -> None:
    store.subscriptions.publish(happening, "inventory_levels/update", lambda: goods.level(store, level))
