"""What comes in: every delivery stored once, whoever sends it how often, and however long ago it was first sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, update

from tradewind.ledger.bulk import insert_numbered
from tradewind.ledger.delivery import Delivery, Stored, pack
from tradewind.ledger.identity import Identity, existing, identity_of, name_of, pruned
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import LANES
from tradewind.ledger.tables import inbox as table


def store(conn: Connection, keys: KeyRing, deliveries: Sequence[Delivery]) -> list[Stored]:
    """Store what is new and count what is repeated; one result each, in order.

    A repetition of a delivery whose row was pruned is a duplicate too, with the id that the row had.
    """
    first: dict[Identity, Delivery] = {}
    for delivery in deliveries:
        first.setdefault(identity_of(delivery), delivery)
    # Sorted, so that parallel writers of the same keys wait for each other in one order.
    rows = [_new_row(keys, first[identity]) for identity in sorted(first)]
    columns = (table.c.id, table.c.connection, table.c.source, table.c.delivery_key)
    new = {(row[1], row[2], row[3]): row[0] for row in insert_numbered(conn, table, rows, *columns)}
    there = existing(conn, [identity for identity in first if identity not in new])
    # Last: a row that was pruned while this transaction waited for it is remembered by now.
    gone = pruned(conn, keys, [identity for identity in first if identity not in there])
    _take_back(conn, [new.pop(identity) for identity in gone if identity in new])
    ids = {**new, **there, **gone}
    results, unseen = [], set(new)
    for delivery in deliveries:
        identity = identity_of(delivery)
        results.append(Stored(id=ids[identity], duplicate=identity not in unseen))
        unseen.discard(identity)
    _count_repeats(conn, sorted(stored.id for stored in results if stored.duplicate))
    return results


def _new_row(keys: KeyRing, delivery: Delivery) -> dict[str, Any]:
    identity = identity_of(delivery)
    return {
        "connection": identity[0],
        "source": identity[1],
        "delivery_key": identity[2],
        "topic": delivery.topic,
        "format": delivery.format,
        "lane": LANES.index(delivery.lane),
        "sealed": keys.seal(pack(delivery), row=name_of(identity)),
        "occurred_at": delivery.occurred_at,
        "received_at": delivery.received_at,
        "state": "received",
        "replay_of": delivery.replay_of,
        "correlation": delivery.correlation,
    }


def unseen(conn: Connection, keys: KeyRing, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Those that never came: there is no row of them, and none was pruned."""
    named = {identity_of(delivery): delivery for delivery in deliveries}
    missing = named.keys() - existing(conn, list(named)).keys()
    gone = pruned(conn, keys, missing)
    return [delivery for identity, delivery in named.items() if identity in missing and identity not in gone]


def _take_back(conn: Connection, ids: Collection[int]) -> None:
    """Rows that this transaction has made of deliveries that were pruned."""
    if ids:
        conn.execute(delete(table).where(table.c.id.in_(ids)))


def _count_repeats(conn: Connection, ids: Sequence[int]) -> None:
    if ids:
        statement = update(table).where(table.c.id == bindparam("_id")).values(repeats=table.c.repeats + 1)
        conn.execute(statement, [{"_id": id} for id in ids])
