"""Order lines, shipping lines, tax and discounts."""

from __future__ import annotations

from collections.abc import Iterable
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
    variant, money = given.variant, given.money
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
        "originalUnitPriceSet": bag(given.unit_price, money),
        "originalTotalSet": bag(given.gross, money),
        "discountedUnitPriceSet": bag(rounded(unit_net, money.shop), money),
        "discountedUnitPriceAfterAllDiscountsSet": bag(rounded(unit_net, money.shop), money),
        "discountedTotalSet": lambda _, **__: bag(given.net, money),
        "totalDiscountSet": bag(given.discount, money),
        "unfulfilledOriginalTotalSet": bag(given.share(given.gross, open_), money),
        "unfulfilledDiscountedTotalSet": bag(given.share(given.net, open_), money),
        "discountAllocations": _allocations(order, given),
        "taxLines": lambda _, **__: tax_lines(given.tax, order),
        "duties": duties(order, [given]),
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
    charge, money = order.shipping_charge, order.money
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
        "originalPriceSet": bag(charge.price, money),
        "discountedPriceSet": bag(charge.price, money),
        "currentDiscountedPriceSet": bag(order.current_shipping, money),
        "discountAllocations": [],
        "taxLines": tax_lines(charge.tax, order),
    }


def tax_lines(amount: Decimal, order: StoreOrder) -> list[View]:
    """TaxLine, one of them; none where nothing is taxed."""
    if not order.tax_rate:
        return []
    return [
        {
            "priceSet": bag(amount, order.money),
            "rate": float(order.tax_rate),
            "ratePercentage": float(order.tax_rate * 100),
            "source": "Shopify",
            "title": "VAT",
            "channelLiable": False,
        }
    ]


def duties(order: StoreOrder, of: Iterable[OrderLine]) -> list[View]:
    """Duty: what customs ask for these lines."""
    return [
        {
            "__typename": "Duty",
            "id": gid("Duty", line.duty_id),
            "countryCodeOfOrigin": "GB",
            "harmonizedSystemCode": "691110",
            "price": bag(line.duty, line.money),
            "taxLines": [],
        }
        for line in of
        if line.duty
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
    return [{"allocatedAmountSet": bag(given.discount, given.money), "discountApplication": lambda _: discount(order)}]
