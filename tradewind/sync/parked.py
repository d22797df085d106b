"""Parked deliveries: the missing part is fetched where a provider can be asked for it; what does not come is stuck.

A scan names a parcel by its tracking number, and a carrier can be asked for that parcel's label: it names the shipment,
and so the order. A payment whose order is not known yet names it by a payment id, which no store can be asked for: the
order comes with its own webhook, or with the next sweep. A label of a shipment that nobody here asked for was bought by
hand, and nothing tells more of it than it tells itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection as Database
from sqlalchemy import Select, func, select

from tradewind.domain.commands import Refetch
from tradewind.domain.events import Resource
from tradewind.domain.reducer import tracking_link
from tradewind.ledger import outbox, tables
from tradewind.ledger.deliveries import STUCK_AFTER
from tradewind.ledger.dialect import AnyRow, db_now
from tradewind.ledger.engine import Ledger

FETCH_AFTER = (timedelta(minutes=2), timedelta(minutes=10))
"""How long a delivery has been parked when the missing part is asked for, each time: the first answer may be too early,
and what the provider does not know after the second, it will not know."""
AT_ONCE = 50
"""Calls that one look asks for: they spend the budget of a connection that has orders to ship."""
LOOKED_AT = 500

_SCAN = tracking_link("")


def fetch_missing(ledger: Ledger, now: datetime) -> int:
    """Ask for the missing part of what has been parked for some minutes; gives how many reads the outbox took up."""
    with ledger.write() as database:
        at = db_now(database)
        waiting = {_parcel(row): at - row.parked_at for row in database.execute(_waiting_scans(at))}
        asked = _asked_before(database, list(waiting))
        due = [parcel for parcel, age in waiting.items() if _is_due(age, asked.get(parcel.address, 0))]
        reads = [Refetch(connection=one.connection, order_id=None, resource=one) for one in due[:AT_ONCE]]
        return len(outbox.add(database, reads, now))


def _waiting_scans(now: datetime) -> Select[str, str | None, datetime | None]:
    parked = tables.inbox
    since = func.min(parked.c.finished_at).label("parked_at")
    return (
        select(parked.c.connection, parked.c.waits_for, since)
        .where(
            parked.c.state == "parked",
            parked.c.waits_for.startswith(_SCAN, autoescape=True),
            parked.c.finished_at <= now - FETCH_AFTER[0],
            parked.c.finished_at > now - STUCK_AFTER,
        )
        .group_by(parked.c.connection, parked.c.waits_for)
        .order_by(since)
        .limit(LOOKED_AT)
    )


def _parcel(row: AnyRow) -> Resource:
    """The label of the parcel, as a carrier is asked for it: `tracking_number=…` (see `Carrier.fetch`)."""
    number = row.waits_for.removeprefix(_SCAN)
    return Resource(connection=row.connection, kind="label", external_id=f"tracking_number={number}")


def _asked_before(database: Database, parcels: Sequence[Resource]) -> Mapping[str, int]:
    """How often each was asked for, by its address."""
    table = tables.outbox
    wanted = table.c.resource.in_([one.address for one in parcels])
    query = select(table.c.resource, func.count()).where(wanted, table.c.verb == "refetch").group_by(table.c.resource)
    return {row[0]: row[1] for row in database.execute(query)}


def _is_due(age: timedelta, asked: int) -> bool:
    return asked < len(FETCH_AFTER) and age >= FETCH_AFTER[asked]
