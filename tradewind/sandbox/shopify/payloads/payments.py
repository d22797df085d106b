"""Bodies about transactions and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradewind.sandbox.shopify.ids import gid
from tradewind.sandbox.shopify.money import ZERO, Currencies, text
from tradewind.sandbox.shopify.order import Refund, RefundLine, StoreOrder, Transaction
from tradewind.sandbox.shopify.payloads.common import Body, line_item, money_set, when
from tradewind.sandbox.shopify.payment import OWN_GATEWAYS, capturable

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def transaction(store: ShopifyStore, order: StoreOrder, given: Transaction) -> Body:
    """A transaction as refunds list it."""
    unsettled = capturable(order, given)
    shown = order.money.presentment
    return {
        "id": given.id,
        "order_id": order.legacy_id,
        "kind": given.kind.lower(),
        "gateway": given.gateway,
        "status": given.status.lower(),
        "message": None,
        "created_at": when(store, given.created_at),
        "test": False,
        "authorization": _authorization(given),
        "location_id": None,
        "user_id": None,
        "parent_id": given.parent.id if given.parent else None,
        "processed_at": when(store, given.created_at),
        "device_id": None,
        "error_code": None,
        "source_name": "web",
        "receipt": {},
        # In the currency of the transaction: the shopper's. Source: shopify.dev, Transaction (REST).
        "amount": text(given.presented, shown),
        "currency": shown,
        "payment_id": given.payment_id,
        "total_unsettled_set": {
            "presentment_money": {"amount": text(given.presented if unsettled else ZERO, shown), "currency": shown},
            "shop_money": {"amount": text(unsettled, order.currency), "currency": order.currency},
        },
        "manual_payment_gateway": given.gateway == "manual",
        "amount_rounding": None,
        "admin_graphql_api_id": gid("OrderTransaction", given.id),
    }


def transaction_message(store: ShopifyStore, order: StoreOrder, given: Transaction) -> Body:
    """order_transactions/create."""
    return {**transaction(store, order, given), "payment_details": _card()}


def refund(store: ShopifyStore, order: StoreOrder, given: Refund) -> Body:
    """refunds/create."""
    return {
        "id": given.id,
        "order_id": order.legacy_id,
        "created_at": when(store, given.created_at),
        "note": given.note,
        "user_id": None,
        "processed_at": when(store, given.processed_at),
        "duties": [
            {"duty_id": line.duty_id, "amount_set": money_set(amount, order.money)} for line, amount in given.duties
        ],
        "total_duties_set": money_set(sum((amount for _, amount in given.duties), ZERO), order.money),
        "return": _return(given.return_id),
        "refund_shipping_lines": _shipping(given, order.money),
        "restock": any(line.restock_type != "NO_RESTOCK" for line in given.lines),
        "admin_graphql_api_id": gid("Refund", given.id),
        "order_adjustments": [],
        "refund_line_items": [_line(order, line) for line in given.lines],
        "transactions": [transaction(store, order, each) for each in given.transactions],
    }


def _line(order: StoreOrder, given: RefundLine) -> Body:
    quoted = line_item(given.line, remaining=given.line.unshipped, tax_rate=order.tax_rate)
    return {
        "id": given.id,
        "quantity": given.quantity,
        "line_item_id": given.line.id,
        "location_id": given.location.id if given.location else None,
        "restock_type": given.restock_type.lower(),
        # Numbers, not strings: so the published sample has them.
        "subtotal": float(given.subtotal),
        "total_tax": float(given.tax),
        "subtotal_set": money_set(given.subtotal, order.money),
        "total_tax_set": money_set(given.tax, order.money),
        "line_item": quoted,
    }


def _shipping(given: Refund, money: Currencies) -> list[Body]:
    if given.shipping_line_id is None:
        return []
    return [
        {
            "id": given.id,
            "shipping_line_id": given.shipping_line_id,
            "subtotal_amount_set": money_set(given.shipping, money),
            "tax_amount_set": money_set(given.shipping_tax, money),
        }
    ]


def _return(number: int | None) -> Body | None:
    return {"id": number, "admin_graphql_api_id": gid("Return", number)} if number else None


def _authorization(given: Transaction) -> str | None:
    return str(given.id)[-8:] if given.gateway in OWN_GATEWAYS else None


def _card() -> Body:
    return {
        "credit_card_bin": "424242",
        "avs_result_code": None,
        "cvv_result_code": None,
        "credit_card_number": "•••• •••• •••• 4242",
        "credit_card_company": "Visa",
        "buyer_action_info": None,
        "credit_card_name": None,
        "credit_card_wallet": None,
        "credit_card_expiration_month": 12,
        "credit_card_expiration_year": 2030,
        "payment_method_name": "visa",
    }
