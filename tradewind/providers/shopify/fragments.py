"""What the documents select, by the part of an order that it belongs to.

An order is read in two parts. The head is what changes while an order is worked on and costs a few points; the body is
its lines and amounts, whose cost grows with the lines. Sizes of nested pages are variables, so that one selection
serves a single order and a page of them.
"""

from __future__ import annotations

MONEY = "shopMoney { amount currencyCode }"
BOTH = f"{MONEY} presentmentMoney {{ amount currencyCode }}"

TRANSACTION = f"""
fragment TransactionParts on OrderTransaction {{
  id kind status gateway paymentId processedAt multiCapturable
  parentTransaction {{ id }}
  amountSet {{ {BOTH} }}
}}
"""

FULFILLMENT = """
fragment FulfillmentParts on Fulfillment {
  id status createdAt
  trackingInfo(first: 1) { number }
  fulfillmentOrders(first: 1) { nodes { id } }
}
"""

REFUND = f"""
fragment RefundHead on Refund {{
  id createdAt processedAt
  return {{ id }}
  totalRefundedSet {{ {BOTH} }}
  transactions(first: 3) {{ nodes {{ id }} }}
}}
"""

REFUND_LINES = """
fragment RefundLines on RefundLineItemConnection {
  nodes { quantity restockType lineItem { id } location { id } }
  pageInfo { hasNextPage endCursor }
}
"""

FULFILLMENT_ORDER = """
fragment FulfillmentOrderHead on FulfillmentOrder {
  id status updatedAt
  fulfillmentHolds { reason }
  assignedLocation { name location { id } }
}
"""

FULFILLMENT_ORDER_LINES = """
fragment FulfillmentOrderLines on FulfillmentOrderLineItemConnection {
  nodes { totalQuantity remainingQuantity lineItem { id } }
  pageInfo { hasNextPage endCursor }
}
"""

RETURN = """
fragment ReturnParts on Return {
  id status createdAt
  returnLineItems(first: 25) {
    nodes { quantity ... on ReturnLineItem { fulfillmentLineItem { lineItem { id } } } }
  }
  reverseFulfillmentOrders(first: 1) {
    nodes {
      lineItems(first: 25) {
        nodes {
          fulfillmentLineItem { lineItem { id } }
          dispositions { type quantity location { id } }
        }
      }
    }
  }
}
"""

LINES = f"""
fragment Lines on LineItemConnection {{
  nodes {{
    id sku title quantity currentQuantity requiresShipping
    originalUnitPriceSet {{ {MONEY} }}
    discountAllocations {{ allocatedAmountSet {{ {MONEY} }} }}
    taxLines {{ priceSet {{ {MONEY} }} }}
  }}
  pageInfo {{ hasNextPage endCursor }}
}}
"""

SHIPPING_LINES = f"""
fragment ShippingLines on ShippingLineConnection {{
  nodes {{ discountedPriceSet {{ {MONEY} }} }}
  pageInfo {{ hasNextPage endCursor }}
}}
"""

HEAD = (
    f"""
fragment OrderHead on Order {{
  id name test edited createdAt processedAt updatedAt cancelledAt
  currencyCode taxesIncluded fullyPaid displayFinancialStatus displayFulfillmentStatus returnStatus
  risk {{ recommendation assessments {{ riskLevel }} }}
  subtotalLineItemsQuantity currentSubtotalLineItemsQuantity
  totalPriceSet {{ {BOTH} }}
  currentTotalPriceSet {{ {BOTH} }}
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
    + TRANSACTION
    + FULFILLMENT_ORDER
    + FULFILLMENT
    + REFUND
)

BODY = (
    f"""
fragment OrderBody on Order {{
  subtotalPriceSet {{ {MONEY} }}
  totalDiscountsSet {{ {MONEY} }}
  totalTaxSet {{ {MONEY} }}
  totalTipReceivedSet {{ {MONEY} }}
  originalTotalDutiesSet {{ {MONEY} }}
  shippingLines(first: $shippingLines) {{ ...ShippingLines }}
  lineItems(first: $lines) {{ ...Lines }}
  fulfillmentOrders(first: $fulfillmentOrders) {{
    nodes {{ lineItems(first: $fulfillmentOrderLines) {{ ...FulfillmentOrderLines }} }}
  }}
  refunds(first: $refunds) {{ refundLineItems(first: $refundLines) {{ ...RefundLines }} }}
}}
"""
    + SHIPPING_LINES
    + LINES
    + FULFILLMENT_ORDER_LINES
    + REFUND_LINES
)

HEAD_SIZES = "$transactions: Int!, $fulfillmentOrders: Int!, $fulfillments: Int!, $refunds: Int!"
BODY_SIZES = "$shippingLines: Int!, $lines: Int!, $fulfillmentOrderLines: Int!, $refundLines: Int!"
