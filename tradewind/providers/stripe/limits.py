"""Stripe's published limits: 100 API requests a second in live mode, 25 in a sandbox or in test mode, per account.

Source: docs.stripe.com/rate-limits. Single endpoints may be limited to 25 a second in live mode too; a 429 from one of
them is waited out like any other.
"""

from __future__ import annotations

from tradewind.domain.connections import Connection
from tradewind.governor import Budget


def budget(connection: Connection) -> Budget:
    """Capacity plus one second's refill is the published limit, so that no second can exceed it."""
    name = str(connection.key)
    if is_live(connection.secrets.get("secret_key", "")):
        return Budget(name, capacity=20, per_second=80, max_concurrency=16)
    return Budget(name, capacity=5, per_second=20, max_concurrency=8)


def is_live(secret_key: str) -> bool:
    """Whether a secret (`sk_`) or restricted (`rk_`) key moves real money."""
    return secret_key.startswith(("sk_live_", "rk_live_"))
