"""The states and totals of an order that the GraphQL order and the order webhooks both show, as one string.

Shopify stamps whole seconds: of two changes within one second the webhook of the later is told from the echo of the
earlier only by what it shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tradewind.domain.money import Money


def fingerprint(
    *,
    financial_status: str | None,
    cancelled: bool,
    total: Money,
    current_total: Money,
    current_quantity: int,
    refunds: int,
    fulfillments: Iterable[str],
) -> str:
    """current_quantity: units of all lines now. fulfillments: the status of each. Case does not matter."""
    parts = (
        (financial_status or "pending").lower(),
        "cancelled" if cancelled else "open",
        str(total),
        str(current_total),
        str(current_quantity),
        str(refunds),
        ",".join(sorted(status.lower() for status in fulfillments)),
    )
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]
