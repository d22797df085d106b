"""Rotate a connection's secret: the old one stays good for its grace, and the audit trail names neither."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection as SqlConnection

from tradewind.domain.connections import ConnectionKey
from tradewind.domain.rotation import rotated
from tradewind.ledger import audit, connections
from tradewind.ledger.dialect import db_now
from tradewind.ledger.keyring import KeyRing


def rotate_secret(
    conn: SqlConnection, keys: KeyRing, key: str | ConnectionKey, name: str, value: str, *, grace: timedelta, actor: str
) -> bool:
    """Make `value` the current secret under `name`; gives whether it was another.

    The connection gets a newer revision, so that its Prefect block is the older one and does not bring the old secret
    back. Raises LookupError when there is no such connection.
    """
    known = connections.get(conn, keys, key)
    changes = rotated(known.secrets, name, value, now=db_now(conn), grace=grace)
    if not changes:
        return False
    update = {"secrets": {**known.secrets, **changes}, "revision": known.revision + 1}
    connections.put(conn, keys, known.model_copy(update=update), actor=actor)
    detail = {"connection": str(key), "secret": name, "old_for_s": int(grace.total_seconds())}
    audit.append(conn, actor, "connection.secret_rotated", detail)
    return True
