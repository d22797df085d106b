"""Parts that several bodies share."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import Currencies, text
from tradewind.sandbox.shopify.order import OrderLine
from tradewind.sandbox.shopify.people import Address

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

Body = dict[str, Any]


def when(store: ShopifyStore, at: datetime | None) -> str | None:
    """A time in the shop's own zone, in whole seconds."""
    return at.astimezone(store.zone).isoformat(timespec="seconds") if at else None


def money_set(amount: Decimal, money: Currencies) -> Body:
    """An amount of the shop's currency in that and in the shopper's currency."""
    shown = text(money.presented(amount), money.presentment)
    return {
        "shop_money": {"amount": text(amount, money.shop), "currency_code": money.shop},
        "presentment_money": {"amount": shown, "currency_code": money.presentment},
    }


def address(given: Address | None) -> Body | None:
    """A postal address."""
    if given is None:
        return None
    return {
        "first_name": given.first_name,
        "address1": given.address1,
        "phone": given.phone,
        "city": given.city,
        "zip": given.zip,
        "province": given.province,
        "country": given.country,
        "last_name": given.last_name,
        "address2": given.address2,
        "company": given.company,
        "latitude": None,
        "longitude": None,
        "name": given.name,
        "country_code": given.country_code,
        "province_code": given.province_code,
    }


def tax_lines(amount: Decimal, rate: Decimal, money: Currencies) -> list[Body]:
    """Tax as a list of one, or of none where nothing is taxed."""
    if not rate:
        return []
    return [
        {
            "channel_liable": False,
            "price": text(amount, money.shop),
            "price_set": money_set(amount, money),
            "rate": float(rate),
            "title": "VAT",
        }
    ]


def discount_allocations(line: OrderLine) -> list[Body]:
    """The line's part of the order's one discount."""
    if not line.discount:
        return []
    amount = line.discount
    return [
        {
            "amount": text(amount, line.currency),
            "amount_set": money_set(amount, line.money),
            "discount_application_index": 0,
        }
    ]


def line_item(line: OrderLine, *, remaining: int, tax_rate: Decimal) -> Body:
    """An order line as refunds and fulfilments quote it. remaining: units that can still be shipped."""
    variant, money, currency = line.variant, line.money, line.currency
    return {
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "fulfillable_quantity": remaining,
        "fulfillment_service": "manual",
        "fulfillment_status": _status(line, remaining),
        "gift_card": False,
        "grams": 0,
        "name": line.title,
        "price": text(line.unit_price, currency),
        "price_set": money_set(line.unit_price, money),
        "product_exists": variant is not None,
        "product_id": variant.product.id if variant else None,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": line.requires_shipping,
        "sku": line.sku,
        "taxable": bool(tax_rate),
        "title": line.title,
        "total_discount": text(line.discount, currency),
        "total_discount_set": money_set(line.discount, money),
        "variant_id": variant.id if variant else None,
        "variant_inventory_management": "shopify" if variant else None,
        "variant_title": variant.title if variant else None,
        "vendor": variant.product.vendor if variant else None,
        "tax_lines": tax_lines(line.tax, tax_rate, money),
        "duties": [_duty(line)] if line.duty else [],
        "discount_allocations": discount_allocations(line),
    }


def _duty(line: OrderLine) -> Body:
    charged = money_set(line.duty, line.money)
    return {
        "id": str(line.duty_id),
        "harmonized_system_code": "691110",
        "country_code_of_origin": "GB",
        "shop_money": charged["shop_money"],
        "presentment_money": charged["presentment_money"],
        "tax_lines": [],
        "admin_graphql_api_id": gid("Duty", line.duty_id),
    }


def _status(line: OrderLine, remaining: int) -> str | None:
    if not line.fulfilled:
        return None
    return "partial" if remaining else "fulfilled"
