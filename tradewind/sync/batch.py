"""A micro-batch in memory: the records it touches, what it asks for, what becomes of each delivery."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection as Database

from tradewind.domain.commands import Command, Refetch
from tradewind.domain.connections import Connection
from tradewind.domain.events import (
    CommandSettled,
    ConnectionRevoked,
    DisputeObserved,
    Event,
    HoldReleased,
    Ignored,
    JournalRecorded,
    LabelObserved,
    OrderObserved,
    PaymentObserved,
    RefundRecorded,
    Resource,
    ResourceChanged,
    TrackingScanned,
)
from tradewind.domain.money import Money
from tradewind.domain.order import Order
from tradewind.domain.reducer import (
    OrderEvent,
    Snapshot,
    Verdict,
    is_news,
    links_of,
    links_to,
    new_order,
    reduce_order,
    resource_of,
)
from tradewind.domain.stock import StockMovement, movements_of
from tradewind.errors import InvalidTransition
from tradewind.ledger import journal, orders
from tradewind.ledger.changes import Touch
from tradewind.ledger.keyring import KeyRing

Mark = tuple[dict[str, int | None], dict[str, Order], set[str], dict[str, str], dict[str, Refetch]]


@dataclass(frozen=True)
class Effect:
    """What became of one event. waits_for: the link that must become known first, for a parked one.

    place: where a dead one failed.
    """

    state: Literal["applied", "superseded", "parked", "dead"]
    order_id: str | None = None
    waits_for: str | None = None
    reason: str | None = None
    place: str | None = None


@dataclass
class Batch:
    """Records are loaded once, changed in memory and saved once; deliveries are taken one after another."""

    database: Database
    keys: KeyRing
    connected: Mapping[str, Connection]
    loaded: dict[str, int | None] = field(default_factory=dict)
    records: dict[str, Order] = field(default_factory=dict)
    found: dict[str, Order] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    looked_up: dict[str, str | None] = field(default_factory=dict)
    refetches: dict[str, Refetch] = field(default_factory=dict)
    revoked: dict[str, ConnectionRevoked] = field(default_factory=dict)

    def preload(self, events: Iterable[Event], *, authoritative: Iterable[Event] = ()) -> None:
        """Load the records that the events name, all at once. authoritative: those that hold whatever is recorded."""
        every = list(events)
        replaced = {
            name for event in authoritative if isinstance(event, OrderObserved) and (name := self._named(event))
        }
        self._look_up({link for event in every for link in _links(event)})
        names = {order_id for event in every if (order_id := self._named(event)) is not None}
        found = orders.load(self.database, self.keys, names, replaced=replaced)
        self.loaded.update({name: found[name][1] if name in found else None for name in names})
        self.records.update({name: order for name, (order, _) in found.items()})
        self.found.update(self.records)

    def take(self, event: Event, *, authoritative: bool) -> Effect:
        """Bring one event into the batch. Raises InvalidTransition for an event that its order cannot take."""
        match event:
            case ResourceChanged():
                return self._hint(event)
            case JournalRecorded():
                added = journal.add(self.database, event)
                return Effect("applied" if added else "superseded")
            case ConnectionRevoked():
                self.revoked[event.connection] = event
                return Effect("applied")
            case Ignored():
                return Effect("superseded", reason=event.reason)
            case CommandSettled():
                return Effect("applied")
            case _:
                return self._reduce(event, authoritative)

    def mark(self) -> Mark:
        """The state before a delivery, to come back to when one of its events cannot be taken."""
        return dict(self.loaded), dict(self.records), set(self.changed), dict(self.links), dict(self.refetches)

    def reset(self, mark: Mark) -> None:
        self.loaded, self.records, self.changed, self.links, self.refetches = mark

    def touched(self, mark: Mark, delivery_id: int) -> Touch:
        """What a delivery has done since the mark, for the record of changes."""
        _, before, _, _, refetches = mark
        touched = [name for name in sorted(self.changed) if self.records[name] is not before.get(name)]
        asked = [one for address, one in self.refetches.items() if one is not refetches.get(address)]
        return Touch(delivery_id, tuple((before.get(name), self.records[name]) for name in touched), tuple(asked))

    def read_instead(self, resources: Iterable[Resource]) -> str | None:
        """Ask for what a dead delivery was about; gives an order that it belongs to, if one is known."""
        orders_known = []
        for resource in resources:
            order_id = self._order_of_resource(resource)
            self._refetch(resource, order_id)
            orders_known.append(order_id)
        return next(filter(None, orders_known), None)

    def commands(self) -> list[Command]:
        return list(self.refetches.values())

    def _hint(self, event: ResourceChanged) -> Effect:
        resource = event.resource
        if resource.kind in ("product", "inventory"):
            # The storefront's own stock counts and products are read by the catalog sync, in batches.
            return Effect("applied", reason="read by the next catalog sync")
        order_id = self._order_of_resource(resource)
        if resource.kind == "fulfillment_order":
            if order_id is None:
                return Effect(
                    "parked", waits_for=resource.address, reason=f"nothing is known of {resource.address} yet"
                )
            resource = Resource(connection=resource.connection, kind="order", external_id=order_id.partition("/")[2])
        record = self._record(order_id) if order_id else None
        if not is_news(record, resource.address, event.version, event.fingerprint):
            return Effect("superseded", order_id, reason="the record is as new")
        self._refetch(resource, order_id)
        return Effect("applied", order_id)

    def _reduce(self, event: OrderEvent, authoritative: bool) -> Effect:
        order_id, waits_for = self._order_of(event)
        if order_id is None:
            return Effect("parked", waits_for=waits_for, reason=f"nothing is known of {waits_for} yet")
        before = self._record(order_id) or self._begin(order_id)
        after, verdict = reduce_order(before, event, authoritative=authoritative)
        _guard_currency(before, after)
        if verdict is Verdict.TIE:
            self._refetch(_resource_of(event), order_id)
            return Effect("applied", order_id, reason="same version, other content: read again")
        if after != before:
            self._change(after)
        if after.placed is None:
            self._refetch(Resource(connection=after.connection, kind="order", external_id=after.external_id), order_id)
        return Effect("applied" if verdict is Verdict.APPLIED else "superseded", order_id)

    def _change(self, order: Order) -> None:
        placed, connection = order.placed, self.connected.get(order.connection)
        if placed is not None and not order.live and connection is not None and connection.accepts(placed.placed_at):
            order = order.model_copy(update={"live": True})
        self.records[order.id] = order
        self.changed.add(order.id)
        self.links.update(dict.fromkeys(links_of(order), order.id))

    def _order_of(self, event: OrderEvent) -> tuple[str | None, str | None]:
        named = self._named(event)
        return (named, None) if named is not None else (None, links_to(event)[-1])

    def _named(self, event: Event) -> str | None:
        """The order that an event names itself or by a link that is known already."""
        match event:
            case OrderObserved():
                return f"{event.connection}/{event.external_id}"
            case RefundRecorded():
                return f"{event.connection}/{event.order_external_id}"
            case ResourceChanged():
                return self._order_of_resource(event.resource)
            case DisputeObserved() if event.order_external_id is not None:
                return f"{event.connection}/{event.order_external_id}"
            case PaymentObserved() | LabelObserved() | DisputeObserved() | TrackingScanned() | HoldReleased():
                return next(filter(None, map(self._by_link, links_to(event))), None)
            case _:
                return None

    def movements(self) -> list[StockMovement]:
        """What the changes of the records move in stock, each change of a row once."""
        return [
            movement
            for order_id in sorted(self.changed)
            for movement in movements_of(
                self.records[order_id], self.found.get(order_id), step=str((self.loaded[order_id] or 0) + 1)
            )
        ]

    def _order_of_resource(self, resource: Resource) -> str | None:
        if resource.kind == "order":
            return f"{resource.connection}/{resource.external_id}"
        return self._by_link(resource.address)

    def _by_link(self, link: str) -> str | None:
        if link not in self.links and link not in self.looked_up:
            self._look_up({link})
        return self.links.get(link) or self.looked_up.get(link)

    def _look_up(self, links: Collection[str]) -> None:
        """One that becomes known meanwhile is seen when the delivery that waits for it is parked."""
        self.looked_up.update({**dict.fromkeys(links), **orders.find_by_links(self.database, links)})

    def _record(self, order_id: str) -> Order | None:
        if order_id not in self.loaded:
            found = orders.load(self.database, self.keys, [order_id]).get(order_id)
            self.loaded[order_id] = found[1] if found else None
            if found:
                self.records[order_id] = self.found[order_id] = found[0]
        return self.records.get(order_id)

    def _begin(self, order_id: str) -> Order:
        connection, _, external_id = order_id.partition("/")
        return new_order(connection, external_id)

    def _refetch(self, resource: Resource, order_id: str | None) -> None:
        # Once per resource and batch, however many hints ask for it.
        self.refetches[resource.address] = Refetch(connection=resource.connection, order_id=order_id, resource=resource)


def _links(event: Event) -> tuple[str, ...]:
    match event:
        case ResourceChanged():
            return () if event.resource.kind == "order" else (event.resource.address,)
        case PaymentObserved() | LabelObserved() | DisputeObserved() | TrackingScanned():
            return links_to(event)
        case _:
            return ()


def first_of(effects: Iterable[Effect]) -> Effect:
    """One verdict for a delivery of several events: what needs most attention wins."""
    rank: Collection[str] = ("parked", "applied", "superseded")
    return min(effects, key=lambda effect: tuple(rank).index(effect.state), default=Effect("superseded"))


def _resource_of(event: OrderEvent) -> Resource:
    """The resource to read when an event's snapshot ties with what is known."""
    if not isinstance(event, Snapshot):
        raise TypeError(f"a {event.type} is a fact: it cannot tie")
    return resource_of(event)


def _guard_currency(before: Order, after: Order) -> None:
    """An order's amounts are in its shop's currency or in its customer's, so that they can be added up and compared."""
    if after.placed is None:
        return
    known = after.placed if before.placed is None else before.placed
    told = {amount.currency for amount in _amounts(after)} | {after.placed.currency}
    others = told - {known.currency, known.presentment_total.currency}
    if others or after.placed.currency != known.currency:
        raise InvalidTransition(f"{after.id} would have amounts in {' and '.join(sorted({known.currency, *told}))}")


def _amounts(order: Order) -> Iterator[Money]:
    for payment in order.payments:
        yield from (payment.authorized, payment.captured, payment.refunded)
    yield from (refund.amount for refund in order.refunds)
    yield from (dispute.amount for dispute in order.disputes)
    if order.placed is not None:
        yield from (order.placed.total, order.placed.presentment_total)
        for transaction in order.placed.transactions:
            yield from (transaction.amount, transaction.presentment)
        for refund in order.placed.refunds:
            yield from (refund.amount, refund.presentment)
