"""An order as it will be once an edit is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.editing import AddedLine, EditSession, outlook
from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import ZERO
from tradewind.sandbox.shopify.order import OrderLine
from tradewind.sandbox.shopify.pages import by_id, page
from tradewind.sandbox.shopify.payment import received, refunded
from tradewind.sandbox.shopify.views import goods
from tradewind.sandbox.shopify.views.base import View, bag, whole_order

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def session(given: EditSession) -> View:
    """OrderEditSession."""
    return {"__typename": "OrderEditSession", "id": gid("OrderEditSession", given.id)}


def calculated_order(store: ShopifyStore, given: EditSession) -> View:
    """CalculatedOrder."""
    order = given.order
    subtotal, total = outlook(given)
    owed = total - received(order) + refunded(order)
    units = sum(map(given.quantity, order.lines)) + sum(each.quantity for each in given.added)

    def every_line(_: Any, **arguments: Any) -> View:
        shown: list[OrderLine | AddedLine] = [*order.lines, *given.added]
        return page(shown, lambda each: calculated_line(store, given, each), arguments, by_id)

    return {
        "__typename": "CalculatedOrder",
        "id": gid("CalculatedOrder", given.id),
        "originalOrder": lambda _: whole_order(store, order),
        "lineItems": every_line,
        "addedLineItems": lambda _, **arguments: page(
            given.added, lambda each: calculated_line(store, given, each), arguments, by_id
        ),
        "subtotalLineItemsQuantity": units,
        "subtotalPriceSet": bag(subtotal, order.money),
        "totalPriceSet": bag(total, order.money),
        "totalOutstandingSet": bag(max(ZERO, owed), order.money),
    }


def calculated_line(store: ShopifyStore, edit: EditSession, given: OrderLine | AddedLine) -> View:
    """CalculatedLineItem: what can be edited of a line are the units that were not shipped."""
    variant = given.variant
    if isinstance(given, AddedLine):
        quantity = editable = given.quantity
        before, price, restocking = 0, given.variant.price, False
    else:
        quantity, before, price = edit.quantity(given), given.unshipped, given.unit_price
        editable = before + quantity - given.current_quantity
        restocking = given.id in edit.restocked
    return {
        "__typename": "CalculatedLineItem",
        "id": gid("CalculatedLineItem", given.id),
        "title": variant.product.title if variant else "",
        "sku": variant.sku if variant else None,
        "quantity": quantity,
        "editableQuantity": editable,
        "editableQuantityBeforeChanges": before,
        "originalUnitPriceSet": bag(price, edit.order.money),
        "discountedUnitPriceSet": bag(price, edit.order.money),
        "restockable": variant is not None,
        "restocking": restocking,
        "variant": lambda _: goods.variant(store, variant) if variant else None,
        "variantTitle": variant.title if variant else None,
    }
