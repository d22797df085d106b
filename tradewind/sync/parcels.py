"""Parcels on their way: scans that no webhook told of are asked for at the carrier, label by label.

Every label that was shipped and has not arrived is asked after once a round. A round lasts an hour at least; a sweep
asks after a few, and goes on where the one before stopped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection as Database
from sqlalchemy import or_, select

from tradewind.domain.events import TrackingScanned
from tradewind.domain.fulfilment import LabelState, TrackingStatus
from tradewind.domain.roles import TracksParcels
from tradewind.governor import lane
from tradewind.ledger import cursors
from tradewind.ledger.engine import Ledger
from tradewind.ledger.tables import label
from tradewind.sync.seam import in_thread

CURSOR = "parcels"
"""Of each carrier: when the round began, and the last label that was asked after."""
ROUND = timedelta(hours=1)
AT_ONCE = 25
YOUNGEST = timedelta(hours=1)
OLDEST = timedelta(days=30)
ARRIVED = (TrackingStatus.DELIVERED, TrackingStatus.RETURNED_TO_SENDER)


async def told_by_carrier(
    ledger: Ledger, connection: str, carrier: TracksParcels, now: datetime
) -> AsyncIterator[Sequence[TrackingScanned]]:
    """The scans of the labels whose turn it is, one page each. Raises the provider's errors."""
    began_at, labels = await in_thread(_due, ledger, connection, now)
    for one in labels:
        with lane("deferred"):
            found = await carrier.track(one)
        yield found
        # Whoever reads the pages has stored this one by now.
        await in_thread(_asked, ledger, connection, began_at, one)


def _due(ledger: Ledger, connection: str, now: datetime) -> tuple[datetime, list[str]]:
    with ledger.read() as database:
        cursor = cursors.get(database, f"{connection}/{CURSOR}")
        if cursor is not None:
            rest = _on_their_way(database, connection, now, cursor.last_id)
            if rest or now - cursor.updated_at < ROUND:
                return cursor.updated_at, rest
        return now, _on_their_way(database, connection, now, "")


def _on_their_way(database: Database, connection: str, now: datetime, after: str) -> list[str]:
    query = select(label.c.external_id).where(
        label.c.connection == connection,
        label.c.external_id > after,
        label.c.state == LabelState.PURCHASED.value,
        label.c.tracking_number.is_not(None),
        or_(label.c.tracking_status.is_(None), label.c.tracking_status.not_in([one.value for one in ARRIVED])),
        label.c.created_at.between(now - OLDEST, now - YOUNGEST),
    )
    return list(database.execute(query.order_by(label.c.external_id).limit(AT_ONCE)).scalars())


def _asked(ledger: Ledger, connection: str, began_at: datetime, label_id: str) -> None:
    with ledger.write() as database:
        cursors.set(database, f"{connection}/{CURSOR}", cursors.Cursor(began_at, label_id))
