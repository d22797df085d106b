"""Every GraphQL document that the client can send, for Admin API version 2026-10.

An order is read in two parts. The head is what changes while an order is worked on and costs a few points; the body is
its lines and amounts, whose cost grows with the lines. Sizes of nested pages are variables, so that one selection
serves a single order and a page of them; whatever does not fit is read by the `…Rest` and `…All` documents.
"""

from __future__ import annotations

from dataclasses import dataclass

API_VERSION = "2026-10"


@dataclass(frozen=True)
class Document:
    """name: the operation's name, also in logs and metrics. text: with every fragment that it uses."""

    name: str
    text: str


_MONEY = "shopMoney { amount currencyCode }"

_TRANSACTION = f"""
fragment TransactionParts on OrderTransaction {{
  id kind status gateway paymentId processedAt
  parentTransaction {{ id }}
  amountSet {{ {_MONEY} }}
}}
"""

_FULFILLMENT = """
fragment FulfillmentParts on Fulfillment {
  id status createdAt
  trackingInfo(first: 1) { number }
  fulfillmentOrders(first: 1) { nodes { id } }
}
"""

_REFUND = f"""
fragment RefundHead on Refund {{
  id createdAt processedAt
  totalRefundedSet {{ {_MONEY} }}
}}
"""

_REFUND_LINES = """
fragment RefundLines on RefundLineItemConnection {
  nodes { quantity restocked lineItem { id } }
  pageInfo { hasNextPage endCursor }
}
"""

_FULFILLMENT_ORDER = """
fragment FulfillmentOrderHead on FulfillmentOrder {
  id status updatedAt
  assignedLocation { name location { id } }
}
"""

_FULFILLMENT_ORDER_LINES = """
fragment FulfillmentOrderLines on FulfillmentOrderLineItemConnection {
  nodes { totalQuantity remainingQuantity lineItem { id } }
  pageInfo { hasNextPage endCursor }
}
"""

_LINES = f"""
fragment Lines on LineItemConnection {{
  nodes {{
    id sku title quantity currentQuantity requiresShipping
    originalUnitPriceSet {{ {_MONEY} }}
    discountAllocations {{ allocatedAmountSet {{ {_MONEY} }} }}
    taxLines {{ priceSet {{ {_MONEY} }} }}
  }}
  pageInfo {{ hasNextPage endCursor }}
}}
"""

_SHIPPING_LINES = f"""
fragment ShippingLines on ShippingLineConnection {{
  nodes {{ discountedPriceSet {{ {_MONEY} }} }}
  pageInfo {{ hasNextPage endCursor }}
}}
"""

_HEAD = (
    f"""
fragment OrderHead on Order {{
  id name test edited createdAt processedAt updatedAt cancelledAt
  currencyCode taxesIncluded fullyPaid displayFinancialStatus displayFulfillmentStatus
  subtotalLineItemsQuantity currentSubtotalLineItemsQuantity
  totalPriceSet {{ {_MONEY} presentmentMoney {{ amount currencyCode }} }}
  currentTotalPriceSet {{ {_MONEY} }}
  email phone
  customer {{ id firstName lastName }}
  shippingAddress {{ ...AddressParts }}
  billingAddress {{ ...AddressParts }}
  transactions(first: $transactions) {{ ...TransactionParts }}
  fulfillmentOrders(first: $fulfillmentOrders) {{
    nodes {{ ...FulfillmentOrderHead }}
    pageInfo {{ hasNextPage endCursor }}
  }}
  fulfillments(first: $fulfillments) {{ ...FulfillmentParts }}
  refunds(first: $refunds) {{ ...RefundHead }}
}}
fragment AddressParts on MailingAddress {{
  name company address1 address2 city provinceCode zip countryCodeV2 phone
}}
"""
    + _TRANSACTION
    + _FULFILLMENT_ORDER
    + _FULFILLMENT
    + _REFUND
)

_BODY = (
    f"""
fragment OrderBody on Order {{
  subtotalPriceSet {{ {_MONEY} }}
  totalDiscountsSet {{ {_MONEY} }}
  totalTaxSet {{ {_MONEY} }}
  totalTipReceivedSet {{ {_MONEY} }}
  originalTotalDutiesSet {{ {_MONEY} }}
  shippingLines(first: $shippingLines) {{ ...ShippingLines }}
  lineItems(first: $lines) {{ ...Lines }}
  fulfillmentOrders(first: $fulfillmentOrders) {{
    nodes {{ lineItems(first: $fulfillmentOrderLines) {{ ...FulfillmentOrderLines }} }}
  }}
  refunds(first: $refunds) {{ refundLineItems(first: $refundLines) {{ ...RefundLines }} }}
}}
"""
    + _SHIPPING_LINES
    + _LINES
    + _FULFILLMENT_ORDER_LINES
    + _REFUND_LINES
)

_HEAD_SIZES = "$transactions: Int!, $fulfillmentOrders: Int!, $fulfillments: Int!, $refunds: Int!"
_BODY_SIZES = "$shippingLines: Int!, $lines: Int!, $fulfillmentOrderLines: Int!, $refundLines: Int!"

SHOP = Document(
    "Shop",
    "query Shop { shop { name myshopifyDomain } currentAppInstallation { accessScopes { handle } } }",
)

ORDER = Document(
    "Order",
    f"query Order($id: ID!, {_HEAD_SIZES}, {_BODY_SIZES}) {{ order(id: $id) {{ ...OrderHead ...OrderBody }} }}"
    + _HEAD
    + _BODY,
)

ORDER_HEAD = Document(
    "OrderHead",
    f"query OrderHead($id: ID!, {_HEAD_SIZES}) {{ order(id: $id) {{ ...OrderHead }} }}" + _HEAD,
)

ORDERS = Document(
    "Orders",
    f"""
query Orders($query: String!, $first: Int!, $after: String, {_HEAD_SIZES}, {_BODY_SIZES}) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{ ...OrderHead ...OrderBody }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
    + _HEAD
    + _BODY,
)

CHANGES = Document(
    "Changes",
    f"""
query Changes($query: String!, $first: Int!, $after: String) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{
      id updatedAt cancelledAt displayFinancialStatus currentSubtotalLineItemsQuantity
      totalPriceSet {{ {_MONEY} }}
      currentTotalPriceSet {{ {_MONEY} }}
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
    + _LINES,
)

SHIPPING_LINES_REST = Document(
    "ShippingLinesRest",
    """
query ShippingLinesRest($id: ID!, $after: String) {
  order(id: $id) { shippingLines(first: 50, after: $after) { ...ShippingLines } }
}
"""
    + _SHIPPING_LINES,
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
    + _FULFILLMENT_ORDER
    + _FULFILLMENT_ORDER_LINES,
)

FULFILLMENT_ORDER_LINES_REST = Document(
    "FulfillmentOrderLinesRest",
    """
query FulfillmentOrderLinesRest($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) { lineItems(first: 100, after: $after) { ...FulfillmentOrderLines } }
}
"""
    + _FULFILLMENT_ORDER_LINES,
)

REFUND_LINES_REST = Document(
    "RefundLinesRest",
    """
query RefundLinesRest($id: ID!, $after: String) {
  node(id: $id) { ... on Refund { refundLineItems(first: 100, after: $after) { ...RefundLines } } }
}
"""
    + _REFUND_LINES,
)

# These are lists without pages: read again in one piece when the first selection came back full.
TRANSACTIONS_ALL = Document(
    "TransactionsAll",
    "query TransactionsAll($id: ID!) { order(id: $id) { transactions(first: 150) { ...TransactionParts } } }"
    + _TRANSACTION,
)

FULFILLMENTS_ALL = Document(
    "FulfillmentsAll",
    "query FulfillmentsAll($id: ID!) { order(id: $id) { fulfillments(first: 150) { ...FulfillmentParts } } }"
    + _FULFILLMENT,
)

REFUNDS_ALL = Document(
    "RefundsAll",
    """
query RefundsAll($id: ID!) {
  order(id: $id) { refunds(first: 50) { ...RefundHead refundLineItems(first: 5) { ...RefundLines } } }
}
"""
    + _REFUND
    + _REFUND_LINES,
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

PAID_GUARD = Document("PaidGuard", "query PaidGuard($id: ID!) { order(id: $id) { fullyPaid cancelledAt } }")

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
mutation OrderCapture($input: OrderCaptureInput!, {_HEAD_SIZES}) {{
  orderCapture(input: $input) {{
    transaction {{ status order {{ ...OrderHead }} }}
    userErrors {{ field message }}
  }}
}}
"""
    + _HEAD,
)

MARK_AS_PAID = Document(
    "OrderMarkAsPaid",
    f"""
mutation OrderMarkAsPaid($input: OrderMarkAsPaidInput!, {_HEAD_SIZES}) {{
  orderMarkAsPaid(input: $input) {{
    order {{ ...OrderHead }}
    userErrors {{ field message }}
  }}
}}
"""
    + _HEAD,
)

FULFILL = Document(
    "FulfillmentCreate",
    f"""
mutation FulfillmentCreate($fulfillment: FulfillmentInput!, {_HEAD_SIZES}) {{
  fulfillmentCreate(fulfillment: $fulfillment) {{
    fulfillment {{ order {{ ...OrderHead }} }}
    userErrors {{ field message }}
  }}
}}
"""
    + _HEAD,
)

VARIANTS = Document(
    "Variants",
    """
query Variants($first: Int!, $after: String, $levels: Int!) {
  shop { currencyCode }
  productVariants(first: $first, after: $after, sortKey: ID) {
    nodes {
      id sku displayName price updatedAt inventoryPolicy
      inventoryItem { id inventoryLevels(first: $levels) { ...Levels } }
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
