"""Stock: movements, each recorded once by its cause, and the levels that they add up to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Case, Connection, case, func, select

from tradewind.domain.stock import Availability, MovementKind, StockMovement
from tradewind.ledger.dialect import db_now, insert_new
from tradewind.ledger.tables import stock_movement as table

ON_HAND_SIGN = {
    MovementKind.COUNTED: 1,
    MovementKind.ADJUSTED: 1,
    MovementKind.RETURNED: 1,
    MovementKind.SHIPPED: -1,
}
RESERVED_SIGN = {MovementKind.RESERVED: 1, MovementKind.RELEASED: -1, MovementKind.SHIPPED: -1}


def add(conn: Connection, movements: Iterable[StockMovement]) -> int:
    """Record the movements whose cause is new; gives how many were."""
    wanted = {movement.cause: movement for movement in movements}
    if not wanted:
        return 0
    now = db_now(conn)
    rows = [wanted[cause].model_dump(mode="json") | {"recorded_at": now} for cause in sorted(wanted)]
    return len(insert_new(conn, table, rows, table.c.id))


def levels(conn: Connection, *, sku: str | None = None) -> dict[tuple[str, str], Availability]:
    """What stands where, by (sku, location)."""
    on_hand = func.coalesce(func.sum(_signed(ON_HAND_SIGN)), 0)
    reserved = func.coalesce(func.sum(_signed(RESERVED_SIGN)), 0)
    query = select(table.c.sku, table.c.location, on_hand, reserved).group_by(table.c.sku, table.c.location)
    if sku is not None:
        query = query.where(table.c.sku == sku)
    return {
        (row[0], row[1]): Availability(on_hand=int(row[2]), reserved=int(row[3])) for row in conn.execute(query).all()
    }


def _signed(signs: dict[MovementKind, int]) -> Case[int]:
    return case(*((table.c.kind == kind.value, table.c.quantity * sign) for kind, sign in signs.items()), else_=0)
