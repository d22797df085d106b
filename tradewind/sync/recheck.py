"""Whether a command is still asked for: by the record, and by what providers say right before the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection as Database
from sqlalchemy import select

from tradewind.domain.commands import CapturePayment, Command, RefundPayment
from tradewind.domain.connections import Routes
from tradewind.domain.events import Event, OrderObserved, PaymentObserved, Resource
from tradewind.domain.order import Order
from tradewind.domain.overcapture import is_edited
from tradewind.domain.planner import plan
from tradewind.domain.reducer import reduce_order
from tradewind.domain.refunds import is_of_excess
from tradewind.ledger import connections, orders
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.tables import orders as orders_table

SOON_S = 2.0
"""A command that goes within this time is asked for by a record that is as new."""


class Wanted(NamedTuple):
    """command: as the order asks for it now; its parameters may differ from those that were stored."""

    order: Order
    routes: Routes
    command: Command


def wanted(database: Database, keys: KeyRing, command: Command) -> Wanted | None:
    """The order that asks for the command; None when none does."""
    if command.order_id is None:
        return None
    found = orders.load(database, keys, [command.order_id]).get(command.order_id)
    if found is None:
        return None
    return _wanted(found[0], connections.routes(database).get(found[0].connection, Routes()), command)


def witnesses(before: Wanted, age_s: float) -> tuple[Resource, ...]:
    """What must be read again right before the call. age_s: how long ago the command was asked for.

    Of an edited order a refund may be made for more than one reason: what was just made, and is not in the record yet,
    counts. What was captured too much may be refunded by the storefront at this moment. A capture that had to wait may
    be of more than the order costs by now; of one that goes at once the order was read a moment ago.
    """
    command, order = before.command, before.order
    storefront = Resource(connection=order.connection, kind="order", external_id=order.external_id)
    match command:
        case RefundPayment() if is_of_excess(command):
            return storefront, command.target
        case RefundPayment() if order.placed is not None and is_edited(order.placed):
            return (command.target,)
        case CapturePayment() if age_s > SOON_S:
            return (storefront,)
        case _:
            return ()


def wanted_after(before: Wanted, seen: Sequence[Event]) -> Wanted | None:
    """The same in the light of fresh reads of the order or its payment, which its record does not hold yet."""
    order = before.order
    for event in seen:
        if isinstance(event, OrderObserved | PaymentObserved):
            order = reduce_order(order, event, authoritative=True).order
    return _wanted(order, before.routes, before.command)


def hold(database: Database, command: Command) -> None:
    """Until the end of the transaction nobody else changes the order that the command serves.

    Whoever changes it saves it before it plans: either we see the change, or its plan sees what we do to the command.
    """
    database.execute(select(orders_table.c.id).where(orders_table.c.id == command.order_id).with_for_update())


def _wanted(order: Order, routes: Routes, command: Command) -> Wanted | None:
    planned = next((one for one in plan(order, routes) if one.key == command.key), None)
    return Wanted(order, routes, planned) if planned is not None else None
