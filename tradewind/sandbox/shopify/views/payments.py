"""Transactions and refunds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import ZERO
from tradewind.sandbox.shopify.order import Refund, RefundLine, StoreOrder, Transaction
from tradewind.sandbox.shopify.pages import page
from tradewind.sandbox.shopify.payment import capturable, presented_left
from tradewind.sandbox.shopify.views import goods, lines
from tradewind.sandbox.shopify.views.base import View, bag, money, time, whole_order

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

# Source: help.shopify.com, Shopify Payments: an authorisation can be captured for seven days.
_AUTHORIZED_FOR: Final = timedelta(days=7)


def transaction(store: ShopifyStore, order: StoreOrder, given: Transaction) -> View:
    """OrderTransaction."""
    open_ = capturable(order, given)
    expires = given.kind == "AUTHORIZATION" and given.gateway == "shopify_payments"
    own = given.gateway == "shopify_payments"
    return {
        "__typename": "OrderTransaction",
        "id": gid("OrderTransaction", given.id),
        "kind": given.kind,
        "status": given.status,
        "gateway": given.gateway,
        "formattedGateway": given.gateway.replace("_", " ").title(),
        "amountSet": bag(given.amount, order.money, given.presented),
        "createdAt": time(given.created_at),
        "processedAt": time(given.created_at),
        "parentTransaction": lambda _: transaction(store, order, given.parent) if given.parent else None,
        "paymentId": given.payment_id,
        "authorizationExpiresAt": time(given.created_at + _AUTHORIZED_FOR) if expires else None,
        "errorCode": None,
        "manualPaymentGateway": given.gateway == "manual",
        "manuallyCapturable": open_ > 0,
        "multiCapturable": False,
        "maximumRefundableV2": money(presented_left(order, given), order.money.presentment),
        "totalUnsettledSet": bag(open_, order.money, given.presented if open_ else None),
        "test": False,
        "accountNumber": "•••• •••• •••• 4242" if own else None,
        "order": lambda _: whole_order(store, order),
        "receiptJson": "{}",
        "settlementCurrency": order.currency if own else None,
        "settlementCurrencyRate": "1.0" if own else None,
    }


def refund(store: ShopifyStore, order: StoreOrder, given: Refund) -> View:
    """Refund."""
    returned = sum((each.amount for each in given.transactions), ZERO)
    presented = sum((each.presented for each in given.transactions), ZERO)
    return {
        "__typename": "Refund",
        "id": gid("Refund", given.id),
        "legacyResourceId": str(given.id),
        "createdAt": time(given.created_at),
        "processedAt": time(given.processed_at),
        "updatedAt": time(given.created_at),
        "note": given.note,
        "order": lambda _: whole_order(store, order),
        "totalRefundedSet": bag(returned, order.money, presented),
        "return": lambda _: _return(store, order, given),
        "duties": [
            {"amountSet": bag(amount, order.money), "originalDuty": lines.duties(order, [line])[0]}
            for line, amount in given.duties
        ],
        "refundLineItems": lambda _, **arguments: page(
            given.lines, lambda each: _refund_line(store, order, each), arguments, lambda each: (each.id,)
        ),
        "refundShippingLines": lambda _, **arguments: page(
            [given] if given.shipping_line_id else [],
            lambda each: _shipping(order, each),
            arguments,
            lambda each: (each.id,),
        ),
        "orderAdjustments": lambda _, **arguments: page([], lambda each: each, arguments, lambda each: (0,)),
        "transactions": lambda _, **arguments: page(
            given.transactions, lambda each: transaction(store, order, each), arguments, lambda each: (each.id,)
        ),
    }


def _refund_line(store: ShopifyStore, order: StoreOrder, given: RefundLine) -> View:
    money_of = order.money
    return {
        "id": gid("RefundLineItem", given.id),
        "lineItem": lambda _: lines.line_item(store, order, given.line),
        "location": lambda _: goods.location(store, given.location) if given.location else None,
        "priceSet": bag(given.line.unit_price, money_of),
        "quantity": given.quantity,
        "restockType": given.restock_type,
        "restocked": given.restock_type != "NO_RESTOCK",
        "subtotalSet": bag(given.subtotal, money_of),
        "totalTaxSet": bag(given.tax, money_of),
    }


def _shipping(order: StoreOrder, given: Refund) -> View:
    return {
        "id": gid("RefundShippingLine", given.id),
        "shippingLine": lines.shipping_line(order),
        "subtotalAmountSet": bag(given.shipping, order.money),
        "taxAmountSet": bag(given.shipping_tax, order.money),
    }


def _return(store: ShopifyStore, order: StoreOrder, given: Refund) -> View | None:
    # A return shows its refunds, and they show their return: one of the two imports must wait.
    from tradewind.sandbox.shopify.views import returns

    found = next((each for each in order.returns if each.id == given.return_id), None)
    return returns.return_(store, order, found) if found else None
