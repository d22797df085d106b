"""What it costs to remember a delivery whose row is pruned."""

from __future__ import annotations

import os

from sqlalchemy import text

from tradewind.ledger.engine import Ledger
from tradewind.ledger.tables import pruned_delivery

BATCH = 500  # as retention prunes


def bytes_per_million_keys(ledger: Ledger, *, keys: int) -> int:
    """Bytes on the disk, indexes included, for a million pruned deliveries: measured with so many."""
    for start in range(0, keys, BATCH * 20):
        rows = sorted(os.urandom(16) for _ in range(BATCH * 20))
        with ledger.write() as conn:
            values = [{"digest": digest, "inbox_id": start + n} for n, digest in enumerate(rows)]
            conn.execute(pruned_delivery.insert(), values)
    with ledger.write() as conn:
        if ledger.dialect == "postgresql":
            size = conn.execute(text("SELECT pg_total_relation_size('pruned_delivery')")).scalar_one()
        else:
            size = conn.execute(text("SELECT sum(pgsize) FROM dbstat WHERE name = 'pruned_delivery'")).scalar_one()
    return int(size * 1_000_000 / keys)
