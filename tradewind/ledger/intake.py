"""What comes in: every delivery stored once, whoever sends it how often, and however long ago it was first sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, update

from tradewind.ledger.bulk import insert_numbered
from tradewind.ledger.delivery import Delivery, Stored, pack
from tradewind.ledger.identity import Identity, existing, identity_of, name_of, pruned
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import LANES
from tradewind.ledger.tables import inbox as table

IDENTITY = ("connection", "source", "delivery_key")


class Sealed(NamedTuple):
    """Deliveries that are ready to be stored. identities: of each, in order; rows: of each identity the first."""

    identities: list[Identity]
    rows: dict[Identity, dict[str, Any]]


def seal(keys: KeyRing, deliveries: Sequence[Delivery]) -> Sealed:
    """What can be done before the transaction that stores them: whoever seals in it keeps other writers waiting."""
    identities = [identity_of(delivery) for delivery in deliveries]
    rows: dict[Identity, dict[str, Any]] = {}
    for identity, delivery in zip(identities, deliveries, strict=True):
        if identity not in rows:
            rows[identity] = _new_row(keys, identity, delivery)
    return Sealed(identities, rows)


def store(conn: Connection, keys: KeyRing, deliveries: Sequence[Delivery]) -> list[Stored]:
    """Store what is new and count what is repeated; one result each, in order.

    A repetition of a delivery whose row was pruned is a duplicate too, with the id that the row had.
    """
    return store_sealed(conn, keys, seal(keys, deliveries))


def store_sealed(conn: Connection, keys: KeyRing, sealed: Sealed) -> list[Stored]:
    """`store` of what was sealed before."""
    # Sorted, so that parallel writers of the same keys wait for each other in one order.
    rows = [sealed.rows[identity] for identity in sorted(sealed.rows)]
    new = insert_numbered(conn, table, rows, IDENTITY)
    there = existing(conn, [identity for identity in sealed.rows if identity not in new])
    # Last: a row that was pruned while this transaction waited for it is remembered by now.
    gone = pruned(conn, keys, [identity for identity in sealed.rows if identity not in there])
    _take_back(conn, [new.pop(identity) for identity in gone if identity in new])
    ids = {**new, **there, **gone}
    results, unseen = [], set(new)
    for identity in sealed.identities:
        results.append(Stored(ids[identity], identity not in unseen))
        unseen.discard(identity)
    _count_repeats(conn, sorted(stored.id for stored in results if stored.duplicate))
    return results


def _new_row(keys: KeyRing, identity: Identity, delivery: Delivery) -> dict[str, Any]:
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
