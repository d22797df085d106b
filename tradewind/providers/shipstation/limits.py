"""ShipStation's published limit: 200 requests a minute per account, 20 with a sandbox key (`TEST_…`).

Source: docs.shipstation.com/rate-limits. Whether the minute is fixed or rolling is not said: capacity plus a minute's
refill stays below the limit, so that neither can exceed it.
"""

from __future__ import annotations

from tradewind.domain.connections import Connection
from tradewind.governor import Budget


def budget(connection: Connection) -> Budget:
    name = str(connection.key)
    if connection.secrets.get("api_key", "").startswith("TEST_"):
        return Budget(name, capacity=4, per_second=0.25, max_concurrency=2)
    return Budget(name, capacity=15, per_second=3, max_concurrency=6)
