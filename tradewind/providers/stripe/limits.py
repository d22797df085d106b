"""Stripe's published limits: 100 API requests a second in live mode, 25 in a sandbox or in test mode, per account.

Source: docs.stripe.com/rate-limits. Single endpoints may be limited to 25 a second in live mode too; a 429 from one of
them is waited out like any other.
"""

from __future__ import annotations

from tradewind.domain.connections import Connection
from tradewind.governor import Budget


def budget(connection: Connection) -> Budget:
    """Capacity plus one second's refill stay below the limit: the rest is for leases that processes hold."""
    name = str(connection.key)
    if is_live(connection.secrets.get("secret_key", "")):
        return Budget(name, capacity=16, per_second=72, max_concurrency=16)
    return Budget(name, capacity=4, per_second=17, max_concurrency=8)


def is_live(secret_key: str) -> bool:
    """Whether a secret (`sk_`) or restricted (`rk_`) key moves real money."""
    return livemode_of(secret_key) is True


def livemode(connection: Connection) -> bool | None:
    """Whether the connection's key moves real money; None when it does not tell."""
    return livemode_of(connection.secrets.get("secret_key", ""))


def livemode_of(secret_key: str) -> bool | None:
    """What Stripe's objects say in `livemode` to this key; None for a key that does not tell (an organisation's)."""
    if secret_key.startswith(("sk_live_", "rk_live_")):
        return True
    return False if secret_key.startswith(("sk_test_", "rk_test_")) else None
