"""Apply: claim a micro-batch from the inbox, reduce it, commit record and commands in one transaction. No HTTP.

Events of one order go one after another; orders never wait for each other. A delivery that cannot be read or taken is
marked dead with its reason and the rest goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection as Database

from tradewind.domain.commands import BuyLabel, Command
from tradewind.domain.connections import ConnectionState, Routes
from tradewind.domain.planner import plan
from tradewind.domain.reducer import links_of, shipment_link
from tradewind.domain.stock import movements_of
from tradewind.errors import LeaseLost, PermanentError, VersionConflict
from tradewind.ledger import connections, inbox, orders, outbox, stock
from tradewind.ledger.engine import Ledger
from tradewind.sync.batch import Batch, Effect, first_of, live_connections
from tradewind.sync.decode import REFETCH_TOPIC, decode

_log = logging.getLogger("tradewind.apply")


@dataclass(frozen=True)
class Applied:
    """What one micro-batch did. dead: reasons of the deliveries that could not be taken, by inbox id."""

    taken: int = 0
    changed_orders: int = 0
    commands: int = 0
    dead: tuple[tuple[int, str], ...] = ()


class Applier:
    """Applies the inbox of one ledger. worker: unique per process; lease_s: after it another worker takes over."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        worker: str,
        limit: int = 100,
        lease_s: float = 30.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._worker = worker
        self._limit = limit
        self._lease_s = lease_s
        self._now = now

    def run_once(self) -> Applied:
        """Apply one micro-batch; `taken == 0` when nothing waits.

        When another worker has taken over a row, or has changed an order meanwhile, nothing of the batch is written and
        its rows are claimed again after their lease.
        """
        with self._ledger.write() as database:
            claimed = inbox.claim(
                database, self._ledger.keys, worker=self._worker, limit=self._limit, lease_s=self._lease_s
            )
        if not claimed:
            return Applied()
        try:
            with self._ledger.write() as database:
                return self._commit(database, claimed)
        except (LeaseLost, VersionConflict) as error:
            _log.warning("batch of %d given up: %s", len(claimed), error)
            return Applied()

    def _commit(self, database: Database, claimed: Sequence[inbox.Claimed]) -> Applied:
        keys = self._ledger.keys
        batch = Batch(database, keys, live_connections(database, keys))
        outcomes = [self._outcome(delivery, _take(batch, delivery)) for delivery in claimed]
        added = outbox.add(database, batch.commands(), self._now())
        routes = connections.routes(database)
        for order_id in sorted(batch.changed):
            order = batch.records[order_id]
            orders.save(database, keys, order, batch.loaded[order_id])
            commands = plan(order, routes.get(order.connection, Routes()))
            added += outbox.add(database, commands, self._now())
            links = links_of(order) | _links_of_commands(commands)
            orders.add_links(database, order_id, links)
            inbox.release_parked(database, links)
            stock.add(database, movements_of(order))
        for connection, reason in batch.revoked.items():
            connections.set_state(database, connection, ConnectionState.PAUSED, actor="provider", reason=reason)
        inbox.finish(database, outcomes)
        dead = tuple((o.id, o.reason or "") for o in outcomes if o.state == "dead")
        return Applied(len(claimed), len(batch.changed), len(added), dead)

    def _outcome(self, delivery: inbox.Claimed, effect: Effect) -> inbox.Outcome:
        return inbox.Outcome(
            id=delivery.id,
            epoch=delivery.epoch,
            state=effect.state,
            reason=effect.reason,
            order_id=effect.order_id,
            waits_for=effect.waits_for,
        )


def _take(batch: Batch, delivery: inbox.Claimed) -> Effect:
    mark = batch.mark()
    try:
        authoritative = delivery.topic == REFETCH_TOPIC
        return first_of([batch.take(event, authoritative=authoritative) for event in decode(delivery)])
    except (PermanentError, ValueError) as error:
        batch.reset(mark)
        _log.error("delivery %d of %s is dead: %s", delivery.id, delivery.connection, error)
        return Effect("dead", reason=f"{type(error).__name__}: {error}")


def _links_of_commands(commands: Iterable[Command]) -> frozenset[str]:
    return frozenset(shipment_link(c.external_shipment_id) for c in commands if isinstance(c, BuyLabel))
