"""Erasure: a customer's keys are destroyed, and with them what they sealed, in every backup of the ledger too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from tradewind.ledger import audit
from tradewind.ledger.engine import Ledger
from tradewind.ledger.tables import inbox, orders

CHUNK = 500


@dataclass(frozen=True)
class Erasure:
    """order_ids: orders that no longer say whose they are. deliveries: payloads that can no longer be read."""

    order_ids: tuple[str, ...]
    deliveries: int


def erase_customer(ledger: Ledger, email: str, *, actor: str) -> Erasure:
    """Erase who the customer of this e-mail address was, in orders and in the payloads that told of them; audited.

    States, amounts, SKUs and times stay. Running processes may remember a key for a minute more. A provider that tells
    of the customer again is recorded again: erase there first. Raises ValueError for a blank address.
    """
    index = ledger.keys.blind("email", email)
    if index is None:
        raise ValueError("whom to erase: the e-mail address is blank")
    with ledger.write() as conn:
        found = conn.execute(select(orders.c.id, orders.c.personal).where(orders.c.email_index == index)).all()
        ids = tuple(sorted(row.id for row in found))
        payloads = _payloads(conn, ids)
        # Before the commit: should it fail, the orders are found again by their index.
        ledger.keys.erase([*(row.personal for row in found if row.personal is not None), *payloads])
        for start in range(0, len(ids), CHUNK):
            _forget(conn, ids[start : start + CHUNK])
        audit.append(conn, actor, "customer.erased", {"orders": ids, "deliveries": len(payloads)})
    return Erasure(order_ids=ids, deliveries=len(payloads))


def _payloads(conn: Connection, ids: Sequence[str]) -> list[bytes]:
    sealed: list[bytes] = []
    for start in range(0, len(ids), CHUNK):
        query = select(inbox.c.sealed).where(inbox.c.order_id.in_(ids[start : start + CHUNK]))
        sealed += conn.execute(query).scalars()
    return sealed


def _forget(conn: Connection, ids: Sequence[str]) -> None:
    """A worker that has read an order before must not write it back: the row gets a new version."""
    nothing = {"personal": None, "email_index": None, "phone_index": None, "address_index": None}
    statement = update(orders).where(orders.c.id.in_(ids))
    conn.execute(statement.values(row_version=orders.c.row_version + 1, **nothing))
