"""Records by their global ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from graphql import GraphQLError

from tradewind.sandbox.shopify.ids import parse_gid
from tradewind.sandbox.shopify.order import Fulfillment, FulfillmentOrder, Return, ReturnLine, StoreOrder
from tradewind.sandbox.shopify.views import edits, fulfilment, goods, lines, orders, payments, returns, shops
from tradewind.sandbox.shopify.views.base import View

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


class Part(Protocol):
    """Something with a number of its own."""

    id: int


P = TypeVar("P", bound=Part)
R = TypeVar("R")
Find = Callable[["ShopifyStore", int], View | None]


def found_by_gid(store: ShopifyStore, value: str, kind: str | None = None) -> View | None:
    """The view of what a global id names, or None; kind: None for any. Raises GraphQLError if it is no global id."""
    found_kind, number, item = parsed(value)
    if kind is not None and found_kind != kind:
        return None
    if found_kind == "InventoryLevel":
        level = store.stock.level(item or 0, number)
        return goods.level(store, level) if level else None
    find = _FINDERS.get(found_kind)
    return find(store, number) if find else None


def parsed(value: str) -> tuple[str, int, int | None]:
    """Kind, number and item of a global id. Raises GraphQLError if it is none."""
    try:
        return parse_gid(value)
    except ValueError as error:
        raise GraphQLError(str(error), extensions={"code": "RESOURCE_NOT_FOUND"}) from None


def order_of(store: ShopifyStore, value: str) -> StoreOrder | None:
    """The order that a global id names."""
    kind, number, _ = parsed(value)
    return store.orders.get(number) if kind == "Order" else None


def fulfillment_order_of(store: ShopifyStore, value: str) -> tuple[StoreOrder, FulfillmentOrder] | None:
    """The fulfillment order that a global id names, with its order."""
    kind, number, _ = parsed(value)
    return _part(store, number, lambda order: order.fulfillment_orders) if kind == "FulfillmentOrder" else None


def fulfillment_of(store: ShopifyStore, value: str) -> tuple[StoreOrder, Fulfillment] | None:
    """The fulfillment that a global id names, with its order."""
    kind, number, _ = parsed(value)
    return _part(store, number, lambda order: order.fulfillments) if kind == "Fulfillment" else None


def return_of(store: ShopifyStore, value: str) -> tuple[StoreOrder, Return] | None:
    """The return that a global id names, with its order."""
    kind, number, _ = parsed(value)
    return _part(store, number, lambda order: order.returns) if kind == "Return" else None


def return_line_of(store: ShopifyStore, value: str) -> tuple[StoreOrder, Return, ReturnLine] | None:
    """The units that a reverse fulfillment order's line names, with their return and order."""
    kind, number, _ = parsed(value)
    for order in store.orders.values():
        for given in order.returns:
            for line in given.lines:
                if (kind, line.reverse_id) == ("ReverseFulfillmentOrderLineItem", number):
                    return order, given, line
    return None


def _part(store: ShopifyStore, number: int, parts: Callable[[StoreOrder], Iterable[P]]) -> tuple[StoreOrder, P] | None:
    """A part of an order by its number: there is no other way to it than through the orders."""
    for order in store.orders.values():
        for part in parts(order):
            if part.id == number:
                return order, part
    return None


def _through_order(
    parts: Callable[[StoreOrder], Iterable[P]], show: Callable[[ShopifyStore, StoreOrder, P], View]
) -> Find:
    def find(store: ShopifyStore, number: int) -> View | None:
        found = _part(store, number, parts)
        return show(store, *found) if found else None

    return find


def _of(records: Callable[[ShopifyStore], Mapping[int, R]], show: Callable[[ShopifyStore, R], View]) -> Find:
    def find(store: ShopifyStore, number: int) -> View | None:
        record = records(store).get(number)
        return show(store, record) if record is not None else None

    return find


def _subscription(store: ShopifyStore, number: int) -> View | None:
    found = store.subscriptions.get(number)
    return shops.subscription(found) if found else None


def _calculated(store: ShopifyStore, number: int) -> View | None:
    found = store.edits.get(number)
    return edits.calculated_order(store, found) if found else None


_FINDERS: Final[Mapping[str, Find]] = {
    "Order": _of(lambda store: store.orders, orders.order),
    "Product": _of(lambda store: store.catalog.products, goods.product),
    "ProductVariant": _of(lambda store: store.catalog.variants, goods.variant),
    "InventoryItem": _of(lambda store: store.catalog.by_item, goods.item),
    "Location": _of(lambda store: store.catalog.locations, goods.location),
    "WebhookSubscription": _subscription,
    "CalculatedOrder": _calculated,
    "Return": _through_order(lambda order: order.returns, returns.return_),
    "LineItem": _through_order(lambda order: order.lines, lines.line_item),
    "OrderTransaction": _through_order(lambda order: order.transactions, payments.transaction),
    "Refund": _through_order(lambda order: order.refunds, payments.refund),
    "Fulfillment": _through_order(lambda order: order.fulfillments, fulfilment.fulfillment),
    "FulfillmentOrder": _through_order(lambda order: order.fulfillment_orders, fulfilment.fulfillment_order),
}
