"""What makes two deliveries one: connection, source and delivery key, as the ledger has them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select, tuple_

from tradewind.ledger.delivery import Delivery
from tradewind.ledger.dialect import AnyRow
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.prepared import driven
from tradewind.ledger.pruned_tables import pruned_delivery
from tradewind.ledger.tables import inbox as table
from tradewind.ledger.types import plain

Identity = tuple[str, str, str]
"""connection, source, delivery key"""

CHUNK = 500
KEY_LIMIT = 512  # characters; an index row of PostgreSQL holds 2,700 bytes


def identity_of(delivery: Delivery) -> Identity:
    """As the row has it: a key longer than an index takes is shortened, with the digest of the whole."""
    key = plain(delivery.delivery_key)
    if len(key) > KEY_LIMIT:
        key = f"{key[: KEY_LIMIT - 64]}{hashlib.sha256(key.encode()).hexdigest()}"
    return delivery.connection, delivery.source, key


def row_name(row: AnyRow) -> str:
    """Under which the row's content is sealed."""
    return name_of((row.connection, row.source, row.delivery_key))


def name_of(identity: Identity) -> str:
    return "/".join(("inbox", *identity))


def existing(conn: Connection, identities: Sequence[Identity]) -> dict[Identity, int]:
    """Those of which there is a row, each with its id."""
    columns = (table.c.connection, table.c.source, table.c.delivery_key)
    found: dict[Identity, int] = {}
    for start in range(0, len(identities), CHUNK):
        query = select(table.c.id, *columns).where(tuple_(*columns).in_(identities[start : start + CHUNK]))
        found.update({(row[1], row[2], row[3]): row[0] for row in conn.execute(query)})
    return found


def pruned(conn: Connection, keys: KeyRing, identities: Collection[Identity]) -> dict[Identity, int]:
    """Those of which the row was pruned, each with the id that it had."""
    digests = {keys.identity(name_of(identity)): identity for identity in identities}
    ordered = sorted(digests)
    found: dict[Identity, int] = {}
    for start in range(0, len(ordered), CHUNK):
        found.update({digests[digest]: id for digest, id in _remembered(conn, ordered[start : start + CHUNK])})
    return found


def _remembered(conn: Connection, digests: Sequence[bytes]) -> Iterable[tuple[bytes, int]]:
    if conn.dialect.name == "sqlite":
        places = ", ".join("?" for _ in digests)
        statement = f"SELECT digest, inbox_id FROM pruned_delivery WHERE digest IN ({places})"  # noqa: S608 places
        return driven(conn, statement, digests)
    query = select(pruned_delivery.c.digest, pruned_delivery.c.inbox_id).where(pruned_delivery.c.digest.in_(digests))
    return [(row.digest, row.inbox_id) for row in conn.execute(query)]
