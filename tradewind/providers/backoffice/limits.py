"""The back office publishes no limit; it is the merchant's own machine, so it is asked gently."""

from __future__ import annotations

from tradewind.domain.connections import Connection
from tradewind.governor import Budget


def budget(connection: Connection) -> Budget:
    return Budget(str(connection.key), capacity=10, per_second=10, max_concurrency=2, initial=1.0)
