"""What apply has made of deliveries: their rows, the record, the commands that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from tests.unit.domain.orders import (
    AT,
    STORE,
    gbp,
)
from tests.unit.sync.desk import JOURNAL
from tradewind.domain.events import (
    JournalLine,
    JournalRecorded,
    Resource,
    ResourceChanged,
)
from tradewind.domain.order import Order
from tradewind.ledger import inbox, orders
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applied, Applier

ORDER = "shopify:north/1"


def row(ledger: Ledger, id: int) -> inbox.DeliveryRow:
    with ledger.read() as database:
        return inbox.get(database, ledger.keys, id).row


def states(ledger: Ledger, ids: Sequence[int]) -> list[str]:
    return [row(ledger, id).state for id in ids]


def recorded(ledger: Ledger, order_id: str = ORDER) -> Order:
    with ledger.read() as database:
        return orders.load(database, ledger.keys, [order_id])[order_id][0]


def row_version(ledger: Ledger) -> int:
    with ledger.read() as database:
        return orders.load(database, ledger.keys, [ORDER])[ORDER][1]


def wanted(ledger: Ledger, state: str = "pending") -> list[str]:
    """Verbs of the commands in a state, oldest first."""
    with ledger.read() as database:
        query = text("SELECT verb FROM outbox WHERE state = :state ORDER BY id")
        return list(database.execute(query, {"state": state}).scalars())


def document(name: str = "C1") -> JournalRecorded:
    line = JournalLine(sku="MUG", description="Mug", quantity=-1, unit_price="5.00")
    return JournalRecorded(
        connection=JOURNAL, document=name, kind="credit", reason="returned", occurred_at=AT, business_day=AT.date(),
        total=gbp(-500), lines=(line,),
    )  # fmt: skip


def hint(kind: Any = "order", external_id: str = "1", connection: str = STORE, **changes: Any) -> ResourceChanged:
    resource = Resource(connection=connection, kind=kind, external_id=external_id)
    return ResourceChanged(resource=resource, **changes)


def drain(applier: Applier) -> Applied:
    total = Applied()
    while (applied := applier.run_once()).taken:
        total += applied
    return total
