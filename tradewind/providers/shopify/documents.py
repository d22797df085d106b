"""Every GraphQL document that the client can send, for Admin API version 2026-10.

Whatever of an order does not fit into its first answer is read by the `…Rest` and `…All` documents.
"""

from __future__ import annotations

from dataclasses import dataclass

from tradewind.providers.shopify.fragments import (
    BODY,
    BODY_SIZES,
    FULFILLMENT,
    FULFILLMENT_ORDER,
    FULFILLMENT_ORDER_LINES,
    HEAD,
    HEAD_SIZES,
    LINES,
    MONEY,
    REFUND,
    REFUND_LINES,
    RETURN,
    SHIPPING_LINES,
    TRANSACTION,
)

API_VERSION = "2026-10"


@dataclass(frozen=True)
class Document:
    """name: the operation's name, also in logs and metrics. text: with every fragment that it uses."""

    name: str
    text: str


SHOP = Document(
    "Shop",
    "query Shop { shop { name myshopifyDomain } currentAppInstallation { accessScopes { handle } } }",
)

ORDER = Document(
    "Order",
    f"query Order($id: ID!, {HEAD_SIZES}, {BODY_SIZES}) {{ order(id: $id) {{ ...OrderHead ...OrderBody }} }}"
    + HEAD
    + BODY,
)

ORDER_HEAD = Document(
    "OrderHead",
    f"query OrderHead($id: ID!, {HEAD_SIZES}) {{ order(id: $id) {{ ...OrderHead }} }}" + HEAD,
)

ORDERS = Document(
    "Orders",
    f"""
query Orders($query: String!, $first: Int!, $after: String, {HEAD_SIZES}, {BODY_SIZES}) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{ ...OrderHead ...OrderBody }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
    + HEAD
    + BODY,
)

CHANGES = Document(
    "Changes",
    f"""
query Changes($query: String!, $first: Int!, $after: String) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{
      id updatedAt cancelledAt displayFinancialStatus currentSubtotalLineItemsQuantity
      totalPriceSet {{ {MONEY} }}
      currentTotalPriceSet {{ {MONEY} }}
      fulfillments(first: 10) {{ status }}
      refunds(first: 10) {{ id }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
""",
)

LINES_REST = Document(
    "LinesRest",
    """
query LinesRest($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 50, after: $after) { ...Lines } }
}
"""
    + LINES,
)

SHIPPING_LINES_REST = Document(
    "ShippingLinesRest",
    """
query ShippingLinesRest($id: ID!, $after: String) {
  order(id: $id) { shippingLines(first: 50, after: $after) { ...ShippingLines } }
}
"""
    + SHIPPING_LINES,
)

FULFILLMENT_ORDERS_REST = Document(
    "FulfillmentOrdersRest",
    """
query FulfillmentOrdersRest($id: ID!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: 10, after: $after) {
      nodes { ...FulfillmentOrderHead lineItems(first: 20) { ...FulfillmentOrderLines } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + FULFILLMENT_ORDER
    + FULFILLMENT_ORDER_LINES,
)

FULFILLMENT_ORDER_LINES_REST = Document(
    "FulfillmentOrderLinesRest",
    """
query FulfillmentOrderLinesRest($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) { lineItems(first: 100, after: $after) { ...FulfillmentOrderLines } }
}
"""
    + FULFILLMENT_ORDER_LINES,
)

REFUND_LINES_REST = Document(
    "RefundLinesRest",
    """
query RefundLinesRest($id: ID!, $after: String) {
  node(id: $id) { ... on Refund { refundLineItems(first: 100, after: $after) { ...RefundLines } } }
}
"""
    + REFUND_LINES,
)

# These are lists without pages: read again in one piece when the first selection came back full.
TRANSACTIONS_ALL = Document(
    "TransactionsAll",
    "query TransactionsAll($id: ID!) { order(id: $id) { transactions(first: 100) { ...TransactionParts } } }"
    + TRANSACTION,
)

FULFILLMENTS_ALL = Document(
    "FulfillmentsAll",
    "query FulfillmentsAll($id: ID!) { order(id: $id) { fulfillments(first: 150) { ...FulfillmentParts } } }"
    + FULFILLMENT,
)

REFUNDS_ALL = Document(
    "RefundsAll",
    """
query RefundsAll($id: ID!) {
  order(id: $id) { refunds(first: 40) { ...RefundHead refundLineItems(first: 5) { ...RefundLines } } }
}
"""
    + REFUND
    + REFUND_LINES,
)

# Few orders have any: their head says so.
RETURNS = Document(
    "Returns",
    """
query Returns($id: ID!, $after: String) {
  order(id: $id) { returns(first: 3, after: $after) { nodes { ...ReturnParts } pageInfo { hasNextPage endCursor } } }
}
"""
    + RETURN,
)

CAPTURE_GUARD = Document(
    "CaptureGuard",
    """
query CaptureGuard($id: ID!) {
  order(id: $id) {
    transactions(first: 20) {
      id kind status
      parentTransaction { id }
      amountSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
    }
  }
}
""",
)

PAID_GUARD = Document("PaidGuard", "query PaidGuard($id: ID!) { order(id: $id) { fullyPaid } }")

FULFILLMENT_GUARD = Document(
    "FulfillmentGuard",
    """
query FulfillmentGuard($id: ID!) {
  fulfillmentOrder(id: $id) {
    status
    lineItems(first: 50) { nodes { remainingQuantity } pageInfo { hasNextPage } }
  }
}
""",
)

CAPTURE = Document(
    "OrderCapture",
    f"""
mutation OrderCapture($input: OrderCaptureInput!, {HEAD_SIZES}) {{
  orderCapture(input: $input) {{
    transaction {{ status order {{ ...OrderHead }} }}
    userErrors {{ field message }}
  }}
}}
"""
    + HEAD,
)

MARK_AS_PAID = Document(
    "OrderMarkAsPaid",
    f"""
mutation OrderMarkAsPaid($input: OrderMarkAsPaidInput!, {HEAD_SIZES}) {{
  orderMarkAsPaid(input: $input) {{
    order {{ ...OrderHead }}
    userErrors {{ field message }}
  }}
}}
"""
    + HEAD,
)

FULFILL = Document(
    "FulfillmentCreate",
    f"""
mutation FulfillmentCreate($fulfillment: FulfillmentInput!, {HEAD_SIZES}) {{
  fulfillmentCreate(fulfillment: $fulfillment) {{
    fulfillment {{ order {{ ...OrderHead }} }}
    userErrors {{ field message }}
  }}
}}
"""
    + HEAD,
)

VARIANTS = Document(
    "Variants",
    """
query Variants($first: Int!, $after: String, $levels: Int!) {
  shop { currencyCode }
  productVariants(first: $first, after: $after, sortKey: ID) {
    nodes {
      id sku displayName price updatedAt inventoryPolicy
      inventoryItem { id tracked inventoryLevels(first: $levels) { ...Levels } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
fragment Levels on InventoryLevelConnection {
  nodes { location { id name } quantities(names: ["on_hand", "available"]) { name quantity } }
  pageInfo { hasNextPage endCursor }
}
""",
)

LEVELS_REST = Document(
    "LevelsRest",
    """
query LevelsRest($id: ID!, $after: String) {
  inventoryItem(id: $id) {
    inventoryLevels(first: 50, after: $after) {
      nodes { location { id name } quantities(names: ["on_hand", "available"]) { name quantity } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
""",
)

SUBSCRIPTIONS = Document(
    "Subscriptions",
    """
query Subscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri }
    pageInfo { hasNextPage endCursor }
  }
}
""",
)

SUBSCRIBE = Document(
    "Subscribe",
    """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $webhookSubscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhookSubscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
""",
)

UNSUBSCRIBE = Document(
    "Unsubscribe",
    """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}
""",
)

DOCUMENTS = (
    SHOP,
    ORDER,
    ORDER_HEAD,
    ORDERS,
    CHANGES,
    LINES_REST,
    SHIPPING_LINES_REST,
    FULFILLMENT_ORDERS_REST,
    FULFILLMENT_ORDER_LINES_REST,
    REFUND_LINES_REST,
    TRANSACTIONS_ALL,
    FULFILLMENTS_ALL,
    REFUNDS_ALL,
    RETURNS,
    CAPTURE_GUARD,
    PAID_GUARD,
    FULFILLMENT_GUARD,
    CAPTURE,
    MARK_AS_PAID,
    FULFILL,
    VARIANTS,
    LEVELS_REST,
    SUBSCRIPTIONS,
    SUBSCRIBE,
    UNSUBSCRIBE,
)
"""All of them: what tests hold against the published schema."""
