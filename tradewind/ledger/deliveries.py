"""Deliveries as people look at them: counted, found, shown, and taken in once more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from tradewind.errors import SealBroken
from tradewind.ledger import deaths
from tradewind.ledger.delivery import STATES, Delivery, DeliveryContent, DeliveryRow, unpack
from tradewind.ledger.dialect import AnyRow, db_now
from tradewind.ledger.identity import row_name
from tradewind.ledger.intake import store
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import LANES
from tradewind.ledger.tables import inbox as table
from tradewind.ledger.unsealing import open_each

STUCK = "stuck"
STUCK_AFTER = timedelta(hours=1)
"""By then the missing part was asked for in vain, and sweeps have listed every order: a person should look."""


def replay(conn: Connection, keys: KeyRing, id: int) -> int:
    """Store a copy of a delivery as a new one that names it; gives the new id.

    Raises LookupError when there is no such delivery, or when its content can no longer be opened.
    """
    content = get(conn, keys, id)
    if content.body is None:
        raise LookupError(f"the content of delivery {id} was erased, or cannot be opened any more")
    made = conn.execute(select(func.count()).where(table.c.replay_of == id)).scalar_one()
    while True:
        copy = Delivery(
            connection=content.row.connection,
            source="replay",
            delivery_key=f"{id}/{made}",
            topic=content.row.topic,
            body=content.body,
            format=content.row.format,
            headers=content.headers,
            occurred_at=content.row.occurred_at,
            received_at=db_now(conn),
            lane=content.row.lane,
            replay_of=id,
            correlation=content.row.correlation,
        )
        stored = store(conn, keys, [copy])[0]
        if not stored.duplicate:
            deaths.replayed(conn, "delivery", str(id))
            return stored.id
        made += 1


def counts(conn: Connection) -> dict[str, int]:
    """How many deliveries are in each state, zeros included; `stuck`, no longer `parked`, are those parked for long."""
    found = conn.execute(select(table.c.state, func.count().label("rows")).group_by(table.c.state))
    every = {**dict.fromkeys(STATES, 0), **{row.state: row.rows for row in found}}
    stuck = conn.execute(select(func.count()).where(table.c.state == "parked", _is_stuck(conn))).scalar_one()
    return {**every, "parked": every["parked"] - stuck, STUCK: stuck}


def search(
    conn: Connection,
    *,
    state: str | None = None,
    connection: str | None = None,
    topic: str | None = None,
    order_id: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[DeliveryRow]:
    """The newest deliveries that fit, newest first. since: received at or after."""
    query = select(*_LISTED).order_by(table.c.id.desc()).limit(limit)
    wanted = {table.c.state: state, table.c.connection: connection, table.c.topic: topic, table.c.order_id: order_id}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(table.c.received_at >= since)
    return [_listed(row) for row in conn.execute(query)]


def dead_letters(conn: Connection, *, connection: str | None = None, limit: int = 500) -> list[int]:
    """Ids of the dead deliveries that nobody has replayed yet, oldest first."""
    replayed = select(table.c.replay_of).where(table.c.replay_of.is_not(None))
    query = select(table.c.id).where(table.c.state == "dead", table.c.id.not_in(replayed))
    if connection is not None:
        query = query.where(table.c.connection == connection)
    return list(conn.execute(query.order_by(table.c.id).limit(limit)).scalars())


def get(conn: Connection, keys: KeyRing, id: int) -> DeliveryContent:
    """One delivery with its content. Raises LookupError when there is none."""
    row = conn.execute(select(table).where(table.c.id == id)).one_or_none()
    if row is None:
        raise LookupError(f"there is no delivery {id}: it never was, or is kept no longer")
    (opened,) = open_each(keys, [(row.sealed, row_name(row))])
    listed = _listed(row)
    if opened is None or isinstance(opened, SealBroken):
        return DeliveryContent(row=listed, body=None, headers={})
    headers, body = unpack(opened)
    return DeliveryContent(row=listed, body=body, headers=headers)


def _is_stuck(conn: Connection) -> ColumnElement[bool]:
    return table.c.finished_at <= db_now(conn) - STUCK_AFTER


_LISTED = [column for column in table.c if column.name in DeliveryRow.__dataclass_fields__]


def _listed(row: AnyRow) -> DeliveryRow:
    values = {name: getattr(row, name) for name in DeliveryRow.__dataclass_fields__}
    return DeliveryRow(**{**values, "lane": LANES[row.lane]})
