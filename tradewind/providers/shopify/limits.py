"""Shopify's published budget: points of calculated query cost, per app and store.

Source: shopify.dev, "GraphQL Admin API rate limits" (points restored each second by plan; an object costs 1, a mutation
10, a connection by its `first`; the bucket must hold the requested cost, and what was not used is given back; no single
query above 1,000 points). The bucket holds 20 seconds' worth, as `throttleStatus.maximumAvailable` says on every plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tradewind.domain.connections import Connection
from tradewind.errors import ConfigurationError
from tradewind.governor import Budget

SINGLE_QUERY_MAXIMUM = 1000

RESTORE_PER_S: Mapping[str, float] = MappingProxyType(
    {"standard": 100.0, "advanced": 200.0, "plus": 1000.0, "enterprise": 2000.0}
)
_BUCKET_S = 20

# Sizes of an order's nested pages when it is read alone: most orders fit.
ORDER_HEAD_SIZES = MappingProxyType({"transactions": 8, "fulfillmentOrders": 3, "fulfillments": 4, "refunds": 2})
ORDER_SIZES = MappingProxyType(
    {**ORDER_HEAD_SIZES, "shippingLines": 2, "lines": 30, "fulfillmentOrderLines": 30, "refundLines": 4}
)
# Smaller when several orders share a query; what does not fit costs one more query for that order.
ORDERS_PER_PAGE = 3
PAGE_SIZES = MappingProxyType(
    {
        "transactions": 4,
        "fulfillmentOrders": 2,
        "fulfillments": 2,
        "refunds": 1,
        "shippingLines": 1,
        "lines": 5,
        "fulfillmentOrderLines": 5,
        "refundLines": 2,
    }
)
CHANGES_PER_PAGE = 30
VARIANTS_PER_PAGE = 25
LEVELS_PER_VARIANT = 5

COSTS: Mapping[str, float] = MappingProxyType(
    {
        "Shop": 10,
        "Order": 620,
        "OrderHead": 100,
        "Orders": 460,
        "Changes": 850,
        "LinesRest": 500,
        "ShippingLinesRest": 170,
        "FulfillmentOrdersRest": 500,
        "FulfillmentOrderLinesRest": 220,
        "RefundLinesRest": 320,
        "TransactionsAll": 550,
        "FulfillmentsAll": 800,
        "RefundsAll": 980,
        "Returns": 650,
        "CaptureGuard": 130,
        "PaidGuard": 2,
        "FulfillmentGuard": 60,
        "OrderCapture": 110,
        "OrderMarkAsPaid": 110,
        "FulfillmentCreate": 110,
        "Variants": 520,
        "LevelsRest": 170,
        "Subscriptions": 120,
        "Subscribe": 14,
        "Unsubscribe": 12,
    }
)
"""Requested cost of each document at the sizes above, by the published rule and a little more. Shopify's own count is

often far below; once it has been seen it is used instead."""


def budget(connection: Connection) -> Budget:
    """Points by the connection's `plan` setting, standard unless given. Raises ConfigurationError for another word.

    A fifth of the bucket is left alone: other processes of the same store spend from it too, unseen until an answer
    tells what remains.
    """
    plan = connection.settings.get("plan", "standard")
    if plan not in RESTORE_PER_S:
        known = ", ".join(RESTORE_PER_S)
        raise ConfigurationError("plan", f"connection {connection.key}", f"one of {known}, not {plan!r}")
    restore = RESTORE_PER_S[plan]
    return Budget(
        str(connection.key),
        capacity=restore * _BUCKET_S * 0.8,
        per_second=restore * 0.95,
        max_concurrency=6,
        initial=0.5,
    )
