"""The body of every topic about an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import ZERO, text
from tradewind.sandbox.shopify.order import OrderLine, StoreOrder
from tradewind.sandbox.shopify.payloads.common import Body, address, line_item, money_set, tax_lines, when
from tradewind.sandbox.shopify.payloads.fulfilment import order_fulfillment
from tradewind.sandbox.shopify.payloads.payments import refund
from tradewind.sandbox.shopify.payment import financial_status, fulfillment_status, outstanding
from tradewind.sandbox.shopify.people import Customer

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

_FULFILLMENT = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial", "FULFILLED": "fulfilled"}


def order(store: ShopifyStore, given: StoreOrder) -> Body:
    """orders/create, updated, paid, cancelled, fulfilled, partially_fulfilled."""
    return {**_identity(store, given), **_state(store, given), **_amounts(given), **_parts(store, given)}


def _identity(store: ShopifyStore, given: StoreOrder) -> Body:
    token = f"{given.legacy_id:032x}"
    return {
        "id": given.legacy_id,
        "admin_graphql_api_id": gid("Order", given.legacy_id),
        "app_id": None,
        "browser_ip": None,
        "buyer_accepts_marketing": False,
        "cart_token": None,
        "checkout_token": None,
        "client_details": None,
        "confirmation_number": given.confirmation_number,
        "confirmed": True,
        "contact_email": given.email,
        "created_at": when(store, given.created_at),
        "currency": given.currency,
        "customer_locale": "en",
        "device_id": None,
        "discount_codes": [],
        "duties_included": False,
        "email": given.email,
        "estimated_taxes": False,
        "landing_site": None,
        "landing_site_ref": None,
        "location_id": None,
        "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
        "merchant_of_record_app_id": None,
        "name": given.name,
        "note": None,
        "note_attributes": [{"name": name, "value": value} for name, value in given.attributes.items()],
        "number": given.number,
        "order_number": 1000 + given.number,
        "order_status_url": f"https://{store.domain}/{store.shop_id}/orders/{token}/authenticate?key={token[:16]}",
        "phone": None,
        "po_number": None,
        "presentment_currency": given.money.presentment,
        "processed_at": when(store, given.processed_at),
        "reference": None,
        "referring_site": None,
        "source_identifier": None,
        "source_name": "web",
        "source_url": None,
        "tags": ", ".join(given.tags),
        "tax_exempt": False,
        "taxes_included": given.taxes_included,
        "test": False,
        "token": token,
        "user_id": None,
        "updated_at": when(store, given.updated_at),
    }


def _state(store: ShopifyStore, given: StoreOrder) -> Body:
    return {
        "cancel_reason": given.cancel_reason.lower() if given.cancel_reason else None,
        "cancelled_at": when(store, given.cancelled_at),
        "closed_at": when(store, given.closed_at),
        "financial_status": financial_status(given).lower(),
        "fulfillment_status": _FULFILLMENT[fulfillment_status(given)],
        "payment_gateway_names": given.gateways,
        "payment_terms": None,
    }


def _amounts(given: StoreOrder) -> Body:
    charge = given.shipping_charge
    amounts = {
        "current_subtotal_price": given.current_subtotal,
        "current_total_discounts": given.current_discounts,
        "current_total_price": given.current_total,
        "current_total_tax": given.current_tax,
        "subtotal_price": given.subtotal,
        "total_discounts": given.discounts,
        "total_line_items_price": sum((line.gross for line in given.lines), ZERO),
        "total_price": given.total,
        "total_tax": given.tax,
    }
    body: Body = {
        "current_shipping_price_set": money_set(given.current_shipping, given.money),
        "current_total_additional_fees_set": None,
        "current_total_duties_set": money_set(given.current_duties, given.money) if given.duties else None,
        "original_total_additional_fees_set": None,
        "original_total_duties_set": money_set(given.duties, given.money) if given.duties else None,
        "total_cash_rounding_payment_adjustment_set": money_set(ZERO, given.money),
        "total_cash_rounding_refund_adjustment_set": money_set(ZERO, given.money),
        "total_shipping_price_set": money_set(charge.price, given.money),
        "total_outstanding": text(max(ZERO, outstanding(given)), given.currency),
        "total_tip_received": text(given.tip, given.currency),
        "total_weight": 0,
    }
    for name, amount in amounts.items():
        body[name] = text(amount, given.currency)
        body[f"{name}_set"] = money_set(amount, given.money)
    return body


def _parts(store: ShopifyStore, given: StoreOrder) -> Body:
    return {
        "billing_address": address(given.shipping_address),
        "customer": _customer(store, given.customer, given.currency),
        "discount_applications": _discounts(given),
        "fulfillments": [order_fulfillment(store, given, each) for each in given.fulfillments],
        "line_items": [_line(given, line) for line in given.lines],
        "line_item_groups": [],
        "refunds": [refund(store, given, each) for each in given.refunds],
        "returns": [],
        "shipping_address": address(given.shipping_address),
        "shipping_lines": [_shipping_line(given)],
        "tax_lines": tax_lines(given.tax, given.tax_rate, given.money),
    }


def _line(given: StoreOrder, line: OrderLine) -> Body:
    return {
        **line_item(line, remaining=line.unshipped, tax_rate=given.tax_rate),
        "attributed_staffs": [],
        "current_quantity": line.current_quantity,
        "sales_line_item_group_id": None,
    }


def _shipping_line(given: StoreOrder) -> Body:
    charge, money, currency = given.shipping_charge, given.money, given.currency
    return {
        "id": charge.id,
        "carrier_identifier": None,
        "code": charge.title,
        "current_discounted_price_set": money_set(given.current_shipping, money),
        "discounted_price": text(charge.price, currency),
        "discounted_price_set": money_set(charge.price, money),
        "is_removed": False,
        "phone": None,
        "price": text(charge.price, currency),
        "price_set": money_set(charge.price, money),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": charge.title,
        "tax_lines": tax_lines(charge.tax, given.tax_rate, money),
        "discount_allocations": [],
    }


def _discounts(given: StoreOrder) -> list[Body]:
    if not given.discounts:
        return []
    return [
        {
            "target_type": "line_item",
            "type": "manual",
            "value": text(given.discounts, given.currency),
            "value_type": "fixed_amount",
            "allocation_method": "across",
            "target_selection": "all",
            "title": "Discount",
            "description": "Discount",
        }
    ]


def _customer(store: ShopifyStore, given: Customer | None, currency: str) -> Body | None:
    if given is None:
        return None
    home = given.default_address
    default_address = home and {
        "id": home.id,
        "customer_id": given.id,
        **{name: value for name, value in (address(home) or {}).items() if name not in ("latitude", "longitude")},
        "country_name": home.country,
        "default": True,
    }
    return {
        "id": given.id,
        "created_at": when(store, given.created_at),
        "updated_at": when(store, given.updated_at),
        "first_name": given.first_name,
        "last_name": given.last_name,
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": given.email,
        "phone": given.phone,
        "currency": currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", given.id),
        "default_address": default_address,
    }
