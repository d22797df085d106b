"""Orders: one record each, changed by compare-and-set; lines, payments, labels … are projected from it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select, update

from tradewind.domain.balance import Balance, shop_balance_of
from tradewind.domain.money import Money
from tradewind.domain.order import Order
from tradewind.domain.overcapture import kept
from tradewind.domain.states import fulfilment_state, payment_state, state_of
from tradewind.errors import SealBroken, VersionConflict
from tradewind.ledger.dialect import AnyRow, db_now, insert_new
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.prepared import Prepared
from tradewind.ledger.projections import write_projections
from tradewind.ledger.tables import order_link
from tradewind.ledger.tables import orders as table
from tradewind.ledger.unsealing import Opened, open_each

PERSONAL = ("customer", "ship_to", "bill_to")
CHUNK = 500


@dataclass(frozen=True)
class OrderRow:
    """An order as it is listed, without personal data; amounts in minor units of `currency`."""

    id: str
    connection: str
    external_id: str
    name: str | None
    state: str
    live: bool
    placed_at: datetime | None
    cancelled_at: datetime | None
    currency: str | None
    total: int | None
    captured: int | None
    refunded: int | None
    row_version: int
    recorded_at: datetime
    changed_at: datetime


def load(
    conn: Connection, keys: KeyRing, ids: Collection[str], *, replaced: Collection[str] = ()
) -> dict[str, tuple[Order, int]]:
    """The orders that are there, each with its row version. Personal data whose key was erased is missing.

    replaced: those of which the personal data is about to be written anew, so that nobody needs what is there.
    Raises SealBroken for personal data of any other that cannot be opened.
    """
    rows: list[AnyRow] = []
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        rows += _LOAD.rows(conn, ids=ordered[start : start + CHUNK])
    described = [row for row in rows if row.personal is not None]
    opened = open_each(keys, [(row.personal, _row_name(row.id)) for row in described])
    personal = {row.id: _personal(row.id, one, replaced) for row, one in zip(described, opened, strict=True)}
    return {row.id: (_order(row.record, personal.get(row.id)), row.row_version) for row in rows}


def save(conn: Connection, keys: KeyRing, order: Order, expected: int | None) -> int:
    """Write the order if its row still has the version that `load` gave, None for a new one; gives the new version.

    Raises VersionConflict when someone else wrote it meanwhile.
    """
    save_many(conn, keys, [(order, expected)])
    return (expected or 0) + 1


def save_many(conn: Connection, keys: KeyRing, orders: Iterable[tuple[Order, int | None]]) -> None:
    """Write orders with the row versions that `load` gave, a dozen statements for all of them.

    Raises VersionConflict, and nothing may be committed, when someone else wrote one of them meanwhile.
    """
    if not (chosen := list(orders)):
        return
    now = db_now(conn)
    # Sorted, so that parallel writers of the same orders wait for each other in one order.
    pairs = sorted(chosen, key=lambda pair: pair[0].id)
    new = [_row(keys, one, now) | {"row_version": 1, "recorded_at": now} for one, expected in pairs if expected is None]
    changed = [
        _row(keys, one, now) | {"row_version": expected + 1, "_id": one.id, "_expected": expected}
        for one, expected in pairs
        if expected is not None
    ]
    written = len(insert_new(conn, table, new, table.c.id))
    if changed:
        written += _UPDATE.each(conn, changed)
    if written != len(pairs):
        raise VersionConflict(f"{len(pairs) - written} of {len(pairs)} orders were changed by someone else")
    write_projections(conn, [one for one, _ in pairs])


def add_links(conn: Connection, order_id: str, links: Collection[str]) -> None:
    """Let events of other systems find the order. A link that another order has already stays there."""
    add_links_many(conn, dict.fromkeys(links, order_id))


def add_links_many(conn: Connection, links: Mapping[str, str]) -> None:
    """The same for many orders: their ids by link."""
    rows = [{"link": link, "order_id": links[link]} for link in sorted(links)]
    insert_new(conn, order_link, rows, order_link.c.link)


def find_by_links(conn: Connection, links: Collection[str]) -> dict[str, str]:
    """The ids of the orders that have these links, by link; links that no order has are left out."""
    found: dict[str, str] = {}
    ordered = sorted(links)
    for start in range(0, len(ordered), CHUNK):
        rows = _LINKED.rows(conn, links=ordered[start : start + CHUNK])
        found.update({row.link: row.order_id for row in rows})
    return found


def by_name(conn: Connection, name: str) -> list[OrderRow]:
    """Orders of that name, e.g. `#1042`: each storefront may have one."""
    return _list(conn, select(*_LISTED).where(table.c.name == name).order_by(table.c.id))


def by_email(conn: Connection, keys: KeyRing, email: str) -> list[OrderRow]:
    """A customer's orders, newest first."""
    return _found_by(conn, table.c.email_index, keys.blind("email", email))


def by_phone(conn: Connection, keys: KeyRing, phone: str) -> list[OrderRow]:
    """A customer's orders, newest first."""
    return _found_by(conn, table.c.phone_index, keys.blind("phone", phone))


def recent(
    conn: Connection, *, limit: int = 50, connection: str | None = None, state: str | None = None
) -> list[OrderRow]:
    """The orders changed last, latest first."""
    query = select(*_LISTED).order_by(table.c.changed_at.desc(), table.c.id).limit(limit)
    if connection is not None:
        query = query.where(table.c.connection == connection)
    if state is not None:
        query = query.where(table.c.state == state)
    return _list(conn, query)


_PLAIN = (
    "name",
    "test",
    "on_hold",
    "placed_at",
    "processed_at",
    "updated_at",
    "cancelled_at",
    "currency",
    "taxes_included",
    "fully_paid",
)
_AMOUNTS = ("subtotal", "discounts", "shipping", "tax", "tip", "duties", "total")
_WRITTEN = [column.name for column in table.c if column.name not in ("row_version", "recorded_at")]
_UPDATE = Prepared(
    update(table)
    .where(table.c.id == bindparam("_id"), table.c.row_version == bindparam("_expected"))
    .values({name: bindparam(name) for name in (*_WRITTEN, "row_version")})
)
_LOAD = Prepared(
    select(table.c.id, table.c.record, table.c.personal, table.c.row_version)
    .where(table.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(table.c.id)
)
_LINKED = Prepared(select(order_link).where(order_link.c.link.in_(bindparam("links", expanding=True))))
_LISTED = [column for column in table.c if column.name in OrderRow.__dataclass_fields__]


def _found_by(conn: Connection, column: ColumnElement[str | None], index: str | None) -> list[OrderRow]:
    # A blank value has no index, and comparing with none would find every order without one.
    if index is None:
        return []
    return _list(conn, select(*_LISTED).where(column == index).order_by(table.c.placed_at.desc()))


def _list(conn: Connection, query: Select[Any]) -> list[OrderRow]:
    return [OrderRow(**row) for row in conn.execute(query).mappings()]


def _personal(order_id: str, opened: Opened, replaced: Collection[str]) -> bytes | None:
    if isinstance(opened, SealBroken):
        if order_id not in replaced:
            raise SealBroken(str(opened), order_id=order_id)
        return None
    return opened


def _row_name(order_id: str) -> str:
    return f"orders/{order_id}/personal"


def _order(record: str, personal: bytes | None) -> Order:
    content = json.loads(record)
    if content["placed"] is not None and personal is not None:
        content["placed"].update(json.loads(personal))
    return Order.model_validate_json(json.dumps(content))


def _row(keys: KeyRing, order: Order, now: datetime) -> dict[str, Any]:
    """Every column but those that only one kind of write has."""
    values: dict[str, Any] = dict.fromkeys(_WRITTEN)
    return values | _plain_columns(order) | _sealed_columns(keys, order) | {"changed_at": now}


def _plain_columns(order: Order) -> dict[str, Any]:
    placed = order.placed
    values: dict[str, Any] = {
        "id": order.id,
        "connection": order.connection,
        "external_id": order.external_id,
        "state": state_of(order).value,
        "live": order.live,
        "test": False,
        "on_hold": False,
        "record": order.model_dump_json(exclude={"placed": set(PERSONAL)}),
    }
    if placed is None:
        return values
    balance = shop_balance_of(placed, order.payments)
    return (
        values
        | {name: getattr(placed, name) for name in _PLAIN}
        | {name: getattr(placed, name).minor for name in _AMOUNTS}
        | {
            "presentment_total": placed.presentment_total.minor,
            "presentment_currency": placed.presentment_total.currency,
            "due": _claimed(balance, kept(placed, placed.currency)).minor,
            "captured": balance.taken.minor,
            "refunded": balance.given_back.minor,
            "payment_state": payment_state(order).value,
            "fulfilment_state": fulfilment_state(order).value,
            "risk": placed.risk.value,
        }
    )


def _claimed(balance: Balance, fees: Money) -> Money:
    """What is due, and what was taken beyond it and is kept."""
    return max(balance.due, min(balance.taken, balance.due + fees))


def _sealed_columns(keys: KeyRing, order: Order) -> dict[str, Any]:
    placed = order.placed
    if placed is None or not (placed.customer or placed.ship_to or placed.bill_to):
        return {}
    customer, address = placed.customer, placed.ship_to or placed.bill_to
    email = keys.blind("email", customer.email if customer else None)
    phone = (customer.phone if customer else None) or (address.phone if address else None)
    where = (address.line1, address.postal_code, address.country) if address else ()
    personal = placed.model_dump_json(include=set(PERSONAL))
    return {
        "personal": keys.seal(personal.encode(), row=_row_name(order.id), subject=_subject(order, email)),
        "email_index": email,
        "phone_index": keys.blind("phone", phone),
        "address_index": keys.blind("address", "".join(part or "" for part in where)),
    }


def _subject(order: Order, email_index: str | None) -> str:
    """Whose key it is: the storefront's customer, else whoever has the e-mail address, else this order alone."""
    assert order.placed is not None
    customer = order.placed.customer
    if customer is not None and customer.external_id:
        return f"customer/{order.connection}/{customer.external_id}"
    return f"customer/email/{email_index}" if email_index else f"customer/order/{order.id}"
