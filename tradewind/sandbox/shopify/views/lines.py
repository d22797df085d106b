"""Order lines, shipping lines, tax and discounts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import rounded
from tradewind.sandbox.shopify.order import OrderLine, StoreOrder
from tradewind.sandbox.shopify.views import goods
from tradewind.sandbox.shopify.views.base import View, bag

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def line_item(store: ShopifyStore, order: StoreOrder, given: OrderLine) -> View:
    """LineItem."""
    variant, currency = given.variant, given.currency
    open_ = given.unshipped
    unit_net = given.net / given.quantity if given.quantity else given.net
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", given.id),
        "name": given.title,
        "title": given.title,
        "sku": given.sku,
        "quantity": given.quantity,
        "currentQuantity": given.current_quantity,
        "unfulfilledQuantity": open_,
        "nonFulfillableQuantity": 0,
        "refundableQuantity": given.current_quantity,
        "originalUnitPriceSet": bag(given.unit_price, currency),
        "originalTotalSet": bag(given.gross, currency),
        "discountedUnitPriceSet": bag(rounded(unit_net, currency), currency),
        "discountedUnitPriceAfterAllDiscountsSet": bag(rounded(unit_net, currency), currency),
        "discountedTotalSet": lambda _, **__: bag(given.net, currency),
        "totalDiscountSet": bag(given.discount, currency),
        "unfulfilledOriginalTotalSet": bag(given.share(given.gross, open_), currency),
        "unfulfilledDiscountedTotalSet": bag(given.share(given.net, open_), currency),
        "discountAllocations": _allocations(order, given),
        "taxLines": lambda _, **__: tax_lines(given.tax, order),
        "taxable": bool(order.tax_rate),
        "requiresShipping": given.requires_shipping,
        "restockable": given.variant is not None,
        "isGiftCard": False,
        "merchantEditable": order.cancelled_at is None,
        "customAttributes": [],
        "variant": lambda _: goods.variant(store, variant) if variant else None,
        "variantTitle": variant.title if variant else None,
        "vendor": variant.product.vendor if variant else None,
        "product": lambda _: goods.product(store, variant.product) if variant else None,
    }


def shipping_line(order: StoreOrder) -> View:
    """ShippingLine: an order has one."""
    charge, currency = order.shipping_charge, order.currency
    return {
        "id": gid("ShippingLine", charge.id),
        "title": charge.title,
        "code": charge.title,
        "source": "shopify",
        "custom": False,
        "isRemoved": False,
        "carrierIdentifier": None,
        "phone": None,
        "deliveryCategory": None,
        "originalPriceSet": bag(charge.price, currency),
        "discountedPriceSet": bag(charge.price, currency),
        "currentDiscountedPriceSet": bag(order.current_shipping, currency),
        "discountAllocations": [],
        "taxLines": tax_lines(charge.tax, order),
    }


def tax_lines(amount: Decimal, order: StoreOrder) -> list[View]:
    """TaxLine, one of them; none where nothing is taxed."""
    if not order.tax_rate:
        return []
    return [
        {
            "priceSet": bag(amount, order.currency),
            "rate": float(order.tax_rate),
            "ratePercentage": float(order.tax_rate * 100),
            "source": "Shopify",
            "title": "VAT",
            "channelLiable": False,
        }
    ]


def discount(order: StoreOrder) -> View:
    """ManualDiscountApplication: all discounts of an order are one."""
    whole = sum((line.gross for line in order.lines), Decimal(0)) or Decimal(1)
    return {
        "__typename": "ManualDiscountApplication",
        "allocationMethod": "ACROSS",
        "description": "Discount",
        "index": 0,
        "targetSelection": "ALL",
        "targetType": "LINE_ITEM",
        "title": "Discount",
        "value": {
            "__typename": "PricingPercentageValue",
            "percentage": round(float(order.discounts / whole * 100), 4),
        },
    }


def _allocations(order: StoreOrder, given: OrderLine) -> list[View]:
    if not given.discount:
        return []
    return [
        {"allocatedAmountSet": bag(given.discount, given.currency), "discountApplication": lambda _: discount(order)}
    ]
