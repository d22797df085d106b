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
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from tradewind.domain.commands import BuyLabel, Command, Refetch
from tradewind.domain.connections import Routes
from tradewind.domain.events import Event, Resource
from tradewind.domain.order import Order
from tradewind.domain.planner import plan
from tradewind.domain.reducer import links_of, shipment_link
from tradewind.errors import LeaseLost, LedgerError, PermanentError, SealBroken, VersionConflict
from tradewind.ledger import changes, connections, inbox, orders, outbox, stock, unsealing
from tradewind.ledger.engine import Ledger
from tradewind.sync import poison
from tradewind.sync.batch import Batch, Effect, first_of
from tradewind.sync.decode import REFETCH_TOPIC, decode

_log = logging.getLogger("tradewind.apply")


@dataclass(frozen=True)
class Applied:
    """What one micro-batch did. dead: reasons of the deliveries that could not be taken, by inbox id."""

    taken: int = 0
    changed_orders: int = 0
    commands: int = 0
    dead: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.taken + other.taken,
            self.changed_orders + other.changed_orders,
            self.commands + other.commands,
            self.dead + other.dead,
        )


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
        self._position = inbox.Position()
        self._now = now

    def run_once(self) -> Applied:
        """Apply one micro-batch; `taken == 0` when nothing waits.

        When another worker has taken over a row, nothing of the batch is written, and its rows are claimed again after
        their lease; when someone has changed an order meanwhile, they are given back and claimed again at once.
        """
        claimed, dead = inbox.opened(self._ledger.keys, self._take_batch())
        try:
            return self._bury(dead) + (self._apply(claimed) if claimed else Applied())
        except LeaseLost as error:
            _log.warning("batch of %d given up: %s", len(claimed), error)
            return Applied()
        except VersionConflict as error:
            _log.warning("batch of %d given back: %s", len(claimed), error)
            return self._give_back(claimed)

    def _take_batch(self) -> list[inbox.Held]:
        with self._ledger.write() as database:
            return inbox.take(
                database, worker=self._worker, limit=self._limit, lease_s=self._lease_s, position=self._position
            )

    def _bury(self, dead: Sequence[inbox.Outcome]) -> Applied:
        """Deliveries that cannot be opened. Erased on purpose, they are no dead letters; else what they were about, as
        far as it shows, is read instead."""
        broken = [one for one in dead if one.place is not None]
        if dead:
            with self._ledger.write() as database:
                _read_instead(database, (unsealing.about(database, one.id) for one in broken), self._now())
                inbox.finish(database, dead)
        for one in broken:
            _log.error("delivery %d is dead: %s", one.id, one.reason)
        return Applied(taken=len(dead), dead=tuple((one.id, one.reason or "") for one in broken))

    def _apply(self, claimed: Sequence[inbox.Claimed]) -> Applied:
        """A batch that cannot be committed is halved until the delivery at fault stands alone, and is dead."""
        try:
            with self._ledger.write() as database:
                return self._commit(database, claimed)
        except Exception as error:
            if not _is_of_a_delivery(error):
                raise
            if len(claimed) > 1:
                middle = len(claimed) // 2
                return self._apply(claimed[:middle]) + self._apply(claimed[middle:])
            _log.exception("delivery %d of %s is dead", claimed[0].id, claimed[0].connection)
            dead = _outcome(claimed[0], Effect("dead", reason=_reason(error), place="commit"))
            named: list[Resource | None] = [*poison.about(claimed[0], _decoded(claimed[0]))]
            if isinstance(error, SealBroken):
                named.append(unsealing.order_resource(error.order_id))
        with self._ledger.write() as database:
            _read_instead(database, named, self._now())
            inbox.finish(database, [dead])
        return Applied(taken=1, dead=((dead.id, dead.reason or ""),))

    def _give_back(self, claimed: Sequence[inbox.Claimed]) -> Applied:
        """What a part of the batch has settled by now is left as it is."""
        self._position.reset()
        for delivery in claimed:
            try:
                with self._ledger.write() as database:
                    inbox.finish(database, [inbox.Outcome(id=delivery.id, epoch=delivery.epoch, state="received")])
            except LeaseLost:
                continue
        return Applied()

    def _commit(self, database: Database, claimed: Sequence[inbox.Claimed]) -> Applied:
        """One transaction, a few dozen statements however many orders the batch touches."""
        keys = self._ledger.keys
        read = [(delivery, _decoded(delivery)) for delivery in claimed]
        batch = Batch(database, keys, connections.without_secrets(database))
        decoded = [(one, event) for one, events in read if not isinstance(events, Exception) for event in events]
        truth = [event for delivery, event in decoded if delivery.topic == REFETCH_TOPIC]
        batch.preload((event for _, event in decoded), authoritative=truth)
        outcomes, touches = [], []
        for delivery, events in read:
            mark = batch.mark()
            outcomes.append(_outcome(delivery, _take(batch, delivery, events)))
            touches.append(batch.touched(mark, delivery.id))
        changed = [batch.records[order_id] for order_id in sorted(batch.changed)]
        routes = connections.routes(database)
        commands = [command for order in changed for command in plan(order, routes.get(order.connection, Routes()))]
        orders.save_many(database, keys, [(order, batch.loaded[order.id]) for order in changed])
        links = _links(changed, commands)
        orders.add_links_many(database, links)
        if inbox.release_parked(database, links.keys()):
            self._position.reset()
        now = self._now()
        added = outbox.add(database, [*batch.commands(), *commands], now)
        changes.record(database, touches, commands, added, now)
        stock.add(database, batch.movements())
        for ended in batch.revoked.values():
            connections.revoke(database, ended.connection, reason=ended.reason, occurred_at=ended.occurred_at)
        inbox.finish(database, outcomes)
        dead = tuple((o.id, o.reason or "") for o in outcomes if o.state == "dead")
        return Applied(len(claimed), len(changed), len(added), dead)


def _read_instead(database: Database, resources: Iterable[Resource | None], now: datetime) -> None:
    named = [one for one in resources if one is not None]
    outbox.add(database, [Refetch(connection=one.connection, order_id=None, resource=one) for one in named], now)


def _outcome(delivery: inbox.Claimed, effect: Effect) -> inbox.Outcome:
    return inbox.Outcome(
        id=delivery.id,
        epoch=delivery.epoch,
        state=effect.state,
        reason=effect.reason,
        order_id=effect.order_id,
        waits_for=effect.waits_for,
        place=effect.place,
    )


def _decoded(delivery: inbox.Claimed) -> Sequence[Event] | Exception:
    try:
        return decode(delivery)
    except (PermanentError, ValueError) as error:
        return error


def _take(batch: Batch, delivery: inbox.Claimed, events: Sequence[Event] | Exception) -> Effect:
    mark = batch.mark()
    try:
        if isinstance(events, Exception):
            raise events
        authoritative = delivery.topic == REFETCH_TOPIC
        return first_of([batch.take(event, authoritative=authoritative) for event in events])
    except (PermanentError, ValueError) as error:
        batch.reset(mark)
        _log.error("delivery %d of %s is dead: %s", delivery.id, delivery.connection, error)
        order_id = batch.read_instead(poison.about(delivery, events))
        place = "decode" if error is events else "reduce"
        return Effect("dead", order_id=order_id, reason=_reason(error), place=place)


def _is_of_a_delivery(error: Exception) -> bool:
    """Whether it comes from what a delivery says, and not from the state that the ledger is in."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, StatementError)
    return isinstance(error, SealBroken) or not isinstance(error, LedgerError)


def _reason(error: Exception) -> str:
    # What SQLAlchemy says quotes the statement with its values.
    told = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(error).__name__}: {told}".replace("\0", "")


def _links(changed: Iterable[Order], commands: Iterable[Command]) -> dict[str, str]:
    """The orders' ids by every link under which other systems refer to them, or will."""
    links = {link: order.id for order in changed for link in links_of(order)}
    for command in commands:
        if isinstance(command, BuyLabel) and command.order_id is not None:
            links[shipment_link(command.external_shipment_id)] = command.order_id
    return links
