"""The two statements that every delivery passes, written out: building them anew each time costs more than they do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from tradewind.ledger.prepared import driven

# The database's clock, in the form in which the columns hold it: leases expire by it, whatever the workers' clocks say.
_NOW = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'",
    "postgresql": "clock_timestamp()",
}
_LEASE_UNTIL = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%.3f seconds', :lease_s)) || '000'",
    "postgresql": "clock_timestamp() + make_interval(secs => :lease_s)",
}
# Workers that claim at the same time pass over each other's rows; SQLite's are one at a time already.
_TAKE = {
    "sqlite": """
UPDATE inbox SET state = 'claimed', claimed_by = :worker, lease_until = {lease_until}, epoch = epoch + 1,
                 attempts = attempts + 1
WHERE id IN (SELECT id FROM inbox WHERE {free} ORDER BY lane, id LIMIT :limit)
RETURNING {columns}""",
    "postgresql": """
WITH due AS MATERIALIZED (SELECT id FROM inbox WHERE {free} ORDER BY lane, id LIMIT :limit FOR UPDATE SKIP LOCKED)
UPDATE inbox SET state = 'claimed', claimed_by = :worker, lease_until = {lease_until}, epoch = epoch + 1,
                 attempts = attempts + 1
WHERE id = ANY (ARRAY (SELECT id FROM due))
RETURNING {columns}""",
}
_FREE = {
    "received": "state = 'received' AND id > :after",
    "claimed": "state = 'claimed' AND lease_until <= {now} AND id > :after",
}
_FINISH = {
    # By the driver's own loop: it is as fast as one statement for all, and is planned once.
    "sqlite": """
UPDATE inbox SET state = :state, reason = :reason, order_id = coalesce(:order_id, order_id), waits_for = :waits_for,
                 finished_at = CASE WHEN :state <> 'received' THEN {now} END, lease_until = NULL
WHERE id = :id AND epoch = :epoch AND state = 'claimed'""",
    # One round trip for all of them.
    "postgresql": """
UPDATE inbox SET state = told.state, reason = told.reason, order_id = coalesce(told.order_id, inbox.order_id),
                 waits_for = told.waits_for, finished_at = CASE WHEN told.state <> 'received' THEN {now} END,
                 lease_until = NULL
FROM json_to_recordset(CAST(:told AS json))
     AS told(id bigint, epoch integer, state text, reason text, order_id text, waits_for text)
WHERE inbox.id = told.id AND inbox.epoch = told.epoch AND inbox.state = 'claimed'""",
}


def finish(conn: Connection, told: Sequence[Mapping[str, object]]) -> int:
    """Writes what is told of claimed rows (id, epoch, state, reason, order_id, waits_for); gives how many it were."""
    dialect = conn.dialect.name
    statement = _FINISH[dialect].format(now=_NOW[dialect])
    if dialect == "postgresql":
        return conn.execute(text(statement), {"told": json.dumps(told)}).rowcount
    return driven(conn, statement, list(told), many=True).rowcount


def take(
    conn: Connection, state: str, columns: tuple[str, ...], prefixes: int | None, told: Mapping[str, object]
) -> Sequence[Sequence[Any]]:
    """Takes rows in a state; gives these columns. told: worker, lease_s, limit, after, prefix_0 … of the prefixes."""
    statement = _taking(conn.dialect.name, state, columns, prefixes)
    if conn.dialect.name == "sqlite":
        return driven(conn, statement.text, told).fetchall()
    return conn.execute(statement, told).all()


@cache
def _taking(dialect: str, state: str, columns: tuple[str, ...], prefixes: int | None) -> TextClause:
    free = _FREE[state].format(now=_NOW[dialect])
    if prefixes is not None:
        begin = (f"substr(connection, 1, length(:prefix_{n})) = :prefix_{n}" for n in range(prefixes))
        free += f" AND ({' OR '.join(begin)})"
    return text(_TAKE[dialect].format(free=free, lease_until=_LEASE_UNTIL[dialect], columns=", ".join(columns)))
