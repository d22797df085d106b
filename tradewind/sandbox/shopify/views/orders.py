"""Orders, with the people who placed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import ZERO
from tradewind.sandbox.shopify.order import StoreOrder
from tradewind.sandbox.shopify.pages import by_id, page
from tradewind.sandbox.shopify.payment import (
    can_be_marked_as_paid,
    financial_status,
    fulfillment_status,
    outstanding,
    presented,
    received,
    refunded,
    total_capturable,
)
from tradewind.sandbox.shopify.people import Address, Customer
from tradewind.sandbox.shopify.views import fulfilment, lines, payments, returns
from tradewind.sandbox.shopify.views.base import View, bag, money, time

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def order(store: ShopifyStore, given: StoreOrder) -> View:
    """Order."""
    return {**_identity(given), **_people(given), **_state(given), **_amounts(given), **_parts(store, given)}


def _identity(given: StoreOrder) -> View:
    return {
        "__typename": "Order",
        "id": gid("Order", given.legacy_id),
        "legacyResourceId": given.id,
        "name": given.name,
        "number": given.number,
        "createdAt": time(given.created_at),
        "processedAt": time(given.processed_at),
        "updatedAt": time(given.updated_at),
        "confirmed": True,
        "confirmationNumber": given.confirmation_number,
        "currencyCode": given.currency,
        "presentmentCurrencyCode": given.money.presentment,
        "note": None,
        "customAttributes": [{"key": key, "value": value} for key, value in given.attributes.items()],
        "tags": list(given.tags),
        "test": False,
        "edited": given.edited,
        "taxesIncluded": given.taxes_included,
        "taxExempt": False,
        "estimatedTaxes": False,
        "dutiesIncluded": False,
        "sourceName": "web",
        "sourceIdentifier": None,
        "poNumber": None,
        "discountCode": None,
        "discountCodes": [],
        "customerLocale": "en",
        "paymentGatewayNames": given.gateways,
        "totalWeight": "0",
    }


def _people(given: StoreOrder) -> View:
    address = given.shipping_address
    return {
        "email": given.email,
        "phone": None,
        "customer": customer(given.customer, given.currency) if given.customer else None,
        "shippingAddress": _address(address),
        "billingAddress": _address(address),
        "billingAddressMatchesShippingAddress": True,
        "displayAddress": _address(address),
    }


def _state(given: StoreOrder) -> View:
    money_status, goods_status = financial_status(given), fulfillment_status(given)
    remains = any(line.unshipped for line in given.lines)
    return {
        "displayFinancialStatus": money_status,
        "displayFulfillmentStatus": goods_status,
        "cancelledAt": time(given.cancelled_at),
        "cancelReason": given.cancel_reason,
        "cancellation": {"staffNote": given.staff_note} if given.cancelled_at else None,
        "closed": given.closed_at is not None,
        "closedAt": time(given.closed_at),
        "capturable": total_capturable(given) > 0,
        "canMarkAsPaid": can_be_marked_as_paid(given),
        "fullyPaid": (received(given) > 0 and outstanding(given) <= 0) or not given.total,
        "unpaid": received(given) == 0 and given.total > 0,
        "refundable": received(given) > refunded(given),
        "fulfillable": remains,
        "restockable": remains and given.cancelled_at is None,
        "requiresShipping": any(line.requires_shipping for line in given.lines),
        "subtotalLineItemsQuantity": sum(line.quantity for line in given.lines),
        "currentSubtotalLineItemsQuantity": sum(line.current_quantity for line in given.lines),
        "merchantEditable": given.cancelled_at is None,
        "returnStatus": returns.return_status(given),
        "risk": {
            "recommendation": given.risk.recommendation,
            "assessments": [{"riskLevel": given.risk.level, "facts": []}],
        },
    }


def _amounts(given: StoreOrder) -> View:
    taken, returned = received(given), refunded(given)
    amounts = {
        "totalPriceSet": given.total,
        "originalTotalPriceSet": given.original_total,
        "currentTotalPriceSet": given.current_total,
        "subtotalPriceSet": given.subtotal,
        "currentSubtotalPriceSet": given.current_subtotal,
        "totalTaxSet": given.tax,
        "currentTotalTaxSet": given.current_tax,
        "totalShippingPriceSet": given.shipping_charge.price,
        "currentShippingPriceSet": given.current_shipping,
        "totalDiscountsSet": given.discounts,
        "currentTotalDiscountsSet": given.current_discounts,
        "cartDiscountAmountSet": given.discounts,
        "currentCartDiscountAmountSet": given.current_discounts,
        "totalReceivedSet": taken,
        "totalRefundedSet": returned,
        "totalRefundedShippingSet": given.shipping_charge.refunded,
        "totalOutstandingSet": max(ZERO, outstanding(given)),
        "totalCapturableSet": total_capturable(given),
        "netPaymentSet": taken - returned,
        "totalTipReceivedSet": given.tip,
    }
    bags = {name: bag(amount, given.money) for name, amount in amounts.items()}
    presented_taken, presented_back = presented(given, "SALE", "CAPTURE"), presented(given, "REFUND")
    return {
        **bags,
        "totalReceivedSet": bag(taken, given.money, presented_taken),
        "totalRefundedSet": bag(returned, given.money, presented_back),
        "netPaymentSet": bag(taken - returned, given.money, presented_taken - presented_back),
        "originalTotalDutiesSet": bag(given.duties, given.money) if given.duties else None,
        "currentTotalDutiesSet": bag(given.current_duties, given.money) if given.duties else None,
    }


def _parts(store: ShopifyStore, given: StoreOrder) -> View:
    def transactions(_: Any, first: int | None = None, **wanted: Any) -> list[View]:
        shown = [payments.transaction(store, given, each) for each in given.transactions]
        if wanted.get("capturable") is not None:
            shown = [each for each in shown if each["manuallyCapturable"] is wanted["capturable"]]
        return shown[:first]

    return {
        "lineItems": lambda _, **arguments: page(
            given.lines, lambda each: lines.line_item(store, given, each), arguments, by_id
        ),
        "shippingLine": lines.shipping_line(given),
        "shippingLines": lambda _, **arguments: page(
            [given.shipping_charge], lambda each: lines.shipping_line(given), arguments, by_id
        ),
        "taxLines": lines.tax_lines(given.tax, given),
        "currentTaxLines": lines.tax_lines(given.current_tax, given),
        "discountApplications": lambda _, **arguments: page(
            [given] if given.discounts else [], lines.discount, arguments, lambda each: (each.legacy_id,)
        ),
        "transactions": transactions,
        "transactionsCount": _count(given.transactions),
        "fulfillments": lambda _, first=None, **__: [
            fulfilment.fulfillment(store, given, each) for each in given.fulfillments[:first]
        ],
        "fulfillmentsCount": _count(given.fulfillments),
        "fulfillmentOrders": lambda _, **arguments: page(
            given.fulfillment_orders, lambda each: fulfilment.fulfillment_order(store, given, each), arguments, by_id
        ),
        "returns": lambda _, **arguments: page(
            given.returns, lambda each: returns.return_(store, given, each), arguments, by_id
        ),
        "refunds": lambda _, first=None: [payments.refund(store, given, each) for each in given.refunds[:first]],
    }


def customer(given: Customer, currency: str) -> View:
    """Customer."""
    return {
        "__typename": "Customer",
        "id": gid("Customer", given.id),
        "legacyResourceId": str(given.id),
        "createdAt": time(given.created_at),
        "updatedAt": time(given.updated_at),
        "firstName": given.first_name,
        "lastName": given.last_name,
        "displayName": given.name,
        "defaultEmailAddress": {"emailAddress": given.email} if given.email else None,
        "defaultPhoneNumber": {"phoneNumber": given.phone} if given.phone else None,
        "defaultAddress": _address(given.default_address),
        "numberOfOrders": str(given.orders),
        "amountSpent": money(given.spent, currency),
        "note": None,
        "tags": [],
        "taxExempt": False,
        "verifiedEmail": True,
        "state": "DISABLED",
        "locale": "en",
    }


def _count(records: list[Any]) -> View:
    return {"count": len(records), "precision": "EXACT"}


def _address(given: Address | None) -> View | None:
    if given is None:
        return None
    area = ", ".join(part for part in (given.city, given.province, given.country) if part)
    parts = [given.name, given.company, given.address1, given.address2, given.city, given.zip, given.country]
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", given.id),
        "address1": given.address1,
        "address2": given.address2,
        "city": given.city,
        "company": given.company,
        "country": given.country,
        "countryCodeV2": given.country_code,
        "firstName": given.first_name,
        "formatted": lambda _, **__: [part for part in parts if part],
        "formattedArea": area or None,
        "lastName": given.last_name,
        "latitude": None,
        "longitude": None,
        "name": given.name or None,
        "phone": given.phone,
        "province": given.province,
        "provinceCode": given.province_code,
        "zip": given.zip,
        "coordinatesValidated": False,
        "timeZone": None,
    }
