"""API budgets that all processes share: one token bucket per connection, by the database's clock.

The grants of any span of t seconds never exceed capacity + per_second x t, whoever asks.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from tradewind.ledger.dialect import db_now, insert_new
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.tables import budget as table

_SHORTEST_WAIT_S = 0.02
_HELD = Prepared(
    select(table.c.tokens, table.c.updated_at).where(table.c.connection == bindparam("connection")).with_for_update()
)
_LEFT = Prepared(
    update(table)
    .where(table.c.connection == bindparam("_connection"))
    .values(tokens=bindparam("tokens"), updated_at=bindparam("updated_at"))
)


def take(
    conn: Connection,
    connection: str,
    amount: float,
    *,
    capacity: float,
    per_second: float,
    initial: float,
    keep: float = 0.0,
    returned: float = 0.0,
) -> float:
    """Take `amount` and give 0.0, or take nothing and give the seconds to wait before asking again.

    initial: tokens in a bucket that is asked for the first time. keep: what must remain afterwards; a full bucket
    grants any amount up to its capacity regardless. returned: put back first, what an earlier grant did not need.
    """
    now = db_now(conn)
    at_hand = min(capacity, _at_hand(conn, connection, now, initial, capacity, per_second) + returned)
    missing = min(amount + keep, capacity) - at_hand
    tokens = at_hand if missing > 0 else at_hand - amount
    _LEFT.count(conn, _connection=connection, tokens=tokens, updated_at=now)
    return 0.0 if missing <= 0 else max(missing / per_second, _SHORTEST_WAIT_S)


def _at_hand(
    conn: Connection, connection: str, now: datetime, initial: float, capacity: float, per_second: float
) -> float:
    row = _HELD.first(conn, connection=connection)
    if row is None:
        # Another process may be first: what its row holds counts.
        new = {"connection": connection, "tokens": initial, "updated_at": now}
        insert_new(conn, table, [new], table.c.connection)
        row = _HELD.first(conn, connection=connection)
        assert row is not None
    elapsed_s: float = max(0.0, (now - row.updated_at).total_seconds())
    return min(capacity, float(row.tokens) + elapsed_s * per_second)
