"""ShipStation's published limit: 200 requests a minute and account, more by arrangement; 20 for a ShipEngine sandbox.

Source: docs.shipstation.com/rate-limits. Whether the minute is fixed or rolling is not said: capacity plus a minute's
refill stays below the limit, so that neither can exceed it.
"""

from __future__ import annotations

from tradewind.domain.connections import Connection
from tradewind.errors import ConfigurationError
from tradewind.governor import Budget

PER_MINUTE = 200
SANDBOX_PER_MINUTE = 20


def budget(connection: Connection) -> Budget:
    """Of a minute's requests 88 % come evenly and 6 % may come at once; the rest is for leases that processes hold.

    A limit by arrangement is the connection's setting `calls_per_minute`. Raises ConfigurationError for a bad one.
    """
    calls = _calls_per_minute(connection)
    return Budget(str(connection.key), capacity=calls * 0.06, per_second=calls * 0.88 / 60, max_concurrency=6)


def _calls_per_minute(connection: Connection) -> int:
    agreed = connection.settings.get("calls_per_minute")
    if agreed is None:
        is_sandbox = connection.secrets.get("api_key", "").startswith("TEST_")
        return SANDBOX_PER_MINUTE if is_sandbox and connection.settings.get("prefix") == "v1" else PER_MINUTE
    if not agreed.isdecimal() or int(agreed) < SANDBOX_PER_MINUTE:
        raise ConfigurationError("calls_per_minute", f"connection {connection.key}", "a whole number from 20 up")
    return int(agreed)
