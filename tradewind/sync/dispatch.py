"""Dispatch: what the outbox wants, sent to one connection. Commit intent → call → commit outcome.

No transaction is held across HTTP. The events that an answer gives are stored in the inbox in the same transaction that
settles the command, so that the applier stays the only writer of orders.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection as Database
from sqlalchemy.exc import OperationalError

from tradewind.domain.commands import (
    BuyLabel,
    CancelPayment,
    CapturePayment,
    Command,
    CreateFulfillment,
    MarkOrderPaid,
    Refetch,
    RefundPayment,
    VoidLabel,
)
from tradewind.domain.connections import ConnectionState, Routes
from tradewind.domain.events import CommandSettled, Event, OrderObserved, events_adapter
from tradewind.domain.order import Order
from tradewind.domain.planner import plan
from tradewind.domain.roles import Carrier, Client, PaymentProcessor, ShippingDetails, Storefront
from tradewind.errors import LeaseLost, OutcomeUnknown, PermanentError, RequestRejected, TransientError
from tradewind.ledger import connections, inbox, orders, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.backoff import backoff_s
from tradewind.sync.clients import Clients
from tradewind.sync.seam import in_thread, patiently

_log = logging.getLogger("tradewind.dispatch")

LAST_GENERATION = 2
"""A command that is refused in its third generation is dead."""

OnDead = Callable[[str, str], None]
"""Told the key of a command that is dead, and why."""
Settle = Callable[[Database], None]


class NotWanted(Exception):
    """The record no longer asks for the command. seen: what was read on the way to that insight."""

    def __init__(self, reason: str, seen: Sequence[Event] = ()) -> None:
        super().__init__(reason)
        self.seen = tuple(seen)


class Dispatcher:
    """Sends the commands of every connection. clients: gives the client of a connection."""

    def __init__(
        self,
        ledger: Ledger,
        clients: Clients,
        *,
        worker: str,
        lease_s: float = 120.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rng: random.Random | None = None,
        on_dead: OnDead = lambda _key, _reason: None,
    ) -> None:
        self._ledger = ledger
        self._clients = clients
        self._worker = worker
        self._lease_s = lease_s
        self._now = now
        self._on_dead = on_dead
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret

    async def claim(self, connection: str, limit: int) -> list[outbox.Due]:
        """The commands of the connection that may go now: reads always, writes only while it is live."""
        return await in_thread(self._claim, connection, limit)

    async def send(self, due: outbox.Due) -> None:
        """Make one call and commit what became of it. Never raises for what a provider does."""
        events, settle = await self._attempt(due)
        await self._settle(due, events, settle)

    async def _attempt(self, due: outbox.Due) -> tuple[Sequence[Event], Settle]:
        try:
            events = await self._perform(due)
        except NotWanted as error:
            return error.seen, partial(outbox.cancel, due=due, reason=str(error))
        except (TransientError, OutcomeUnknown, OperationalError) as error:
            return (), self._postponed(due, error)
        except RequestRejected as error:
            if isinstance(due.command, Refetch) or due.generation >= LAST_GENERATION:
                return (), self._dead(due, error)
            return await self._look_up(due, error)
        except PermanentError as error:
            return (), self._dead(due, error)
        except Exception as error:
            # A fault of our own: the command is kept with its reason, an alert follows, and it can be tried again.
            _log.exception("%s failed in tradewind itself", due.key)
            return (), self._dead(due, error)
        return events, partial(outbox.succeed, due=due)

    async def _look_up(self, due: outbox.Due, rejected: RequestRejected) -> tuple[Sequence[Event], Settle]:
        """A definite refusal often means that the world has moved on: read the target, and let the record decide.

        The next generation, under a new idempotency key, goes only if the record still asks for it then.
        """
        target = due.command.target
        try:
            seen = await self._clients(target.connection).fetch(target)
        except (TransientError, OutcomeUnknown, OperationalError) as error:
            return (), self._postponed(due, error)
        except Exception:
            _log.exception("the target of %s cannot be read", due.key)
            return (), self._dead(due, rejected)
        delay_s = backoff_s(due.generation + 2, self._rng)
        return seen, partial(outbox.fail, due=due, reason=_reason(rejected), next_generation=True, delay_s=delay_s)

    def _postponed(self, due: outbox.Due, error: Exception) -> Settle:
        delay_s = self._delay_s(due, error)
        _log.info("%s waits %.1f s: %s", due.key, delay_s, error)
        return partial(outbox.postpone, due=due, reason=_reason(error), delay_s=delay_s)

    def _dead(self, due: outbox.Due, error: Exception) -> Settle:
        _log.error("%s is dead: %s", due.key, error)
        self._on_dead(due.key, _reason(error))
        return partial(outbox.fail, due=due, reason=_reason(error), next_generation=False)

    def _claim(self, connection: str, limit: int) -> list[outbox.Due]:
        with self._ledger.write() as database:
            writes = connections.get(database, self._ledger.keys, connection).state is ConnectionState.LIVE
            return outbox.claim_due(
                database, connection, worker=self._worker, limit=limit, lease_s=self._lease_s, writes=writes
            )

    async def _perform(self, due: outbox.Due) -> Sequence[Event]:
        command = due.command
        if isinstance(command, Refetch):
            return await self._clients(command.connection).fetch(command.resource)
        if isinstance(command, BuyLabel):
            return await self._buy_label(due, command)
        await self._wanted(command)
        events = await call(self._clients(command.connection), command, due.idempotency_key)
        return events or (CommandSettled(connection=command.connection, command_key=due.key),)

    async def _buy_label(self, due: outbox.Due, command: BuyLabel) -> Sequence[Event]:
        carrier = _as(Carrier, self._clients(command.connection))
        if due.attempts > 1 or due.generation > 0:
            # The carrier keys nothing: an earlier attempt may have bought the label although its answer was lost. One
            # that is not wanted any more must be known, or it would never be given back.
            found = await carrier.find_label(command)
            if found:
                return found
        order = await self._wanted(command)
        seen = await self._check_storefront(command)
        placed = order.placed
        if placed is None or placed.ship_to is None:
            raise NotWanted("the order has no address to ship to", seen)
        email = placed.customer.email if placed.customer else None
        details = ShippingDetails(order_name=placed.name, ship_to=placed.ship_to, email=email)
        return (*seen, *await carrier.buy_label(command, details))

    async def _check_storefront(self, command: BuyLabel) -> Sequence[Event]:
        """A label for an order just cancelled must not be bought: ask the storefront right before the call."""
        target = command.target
        seen = await self._clients(target.connection).fetch(target)
        for event in seen:
            if isinstance(event, OrderObserved) and not _still_to_ship(event, command):
                raise NotWanted("the storefront no longer wants it shipped", seen)
        return seen

    async def _wanted(self, command: Command) -> Order:
        order = await in_thread(self._planned, command)
        if order is None:
            raise NotWanted("the record no longer asks for it")
        return order

    def _planned(self, command: Command) -> Order | None:
        if command.order_id is None:
            return None
        with self._ledger.read() as database:
            found = orders.load(database, self._ledger.keys, [command.order_id]).get(command.order_id)
            routes = connections.routes(database)
        if found is None:
            return None
        order = found[0]
        keys = {wanted.key for wanted in plan(order, routes.get(order.connection, Routes()))}
        return order if command.key in keys else None

    async def _settle(self, due: outbox.Due, events: Sequence[Event], settle: Settle) -> None:
        """Commit what became of the call. Only this step is repeated while the ledger is away, never the call."""
        await patiently(partial(in_thread, self._commit, due, events, settle))

    def _commit(self, due: outbox.Due, events: Sequence[Event], settle: Settle) -> None:
        try:
            with self._ledger.write() as database:
                settle(database)
                inbox.store(database, self._ledger.keys, self._outcomes(due, events))
        except LeaseLost:
            _log.warning("%s was taken over by another worker; its outcome here is not written", due.key)

    def _outcomes(self, due: outbox.Due, events: Sequence[Event]) -> list[inbox.Delivery]:
        topic = f"outcome/{due.command.verb}"
        return [self._outcome(due, event, topic) for event in events]

    def _outcome(self, due: outbox.Due, event: Event, topic: str) -> inbox.Delivery:
        body = events_adapter.dump_json((event,))
        digest = hashlib.sha256(body).hexdigest()[:16]
        return inbox.Delivery(
            connection=due.command.connection,
            source="outcome",
            delivery_key=f"{due.idempotency_key}/{due.attempts}/{digest}",
            topic=topic,
            body=body,
            format="event",
            headers={},
            occurred_at=None,
            received_at=self._now(),
            correlation=due.key,
        )

    def _delay_s(self, due: outbox.Due, error: Exception) -> float:
        asked = error.retry_after_s if isinstance(error, TransientError) else None
        return max(asked or 0.0, backoff_s(due.attempts, self._rng))


async def call(client: Client, command: Command, key: str) -> Sequence[Event]:
    """Hand a command to the role that performs it. Raises TypeError when the connection has another role."""
    match command:
        case CapturePayment() if isinstance(client, PaymentProcessor):
            return await client.capture(command, key)
        case CapturePayment():
            return await _as(Storefront, client).capture(command, key)
        case CancelPayment():
            return await _as(PaymentProcessor, client).cancel(command, key)
        case RefundPayment():
            return await _as(PaymentProcessor, client).refund(command, key)
        case MarkOrderPaid():
            return await _as(Storefront, client).mark_paid(command, key)
        case CreateFulfillment():
            return await _as(Storefront, client).fulfill(command, key)
        case VoidLabel():
            return await _as(Carrier, client).void_label(command)
        case _:
            raise TypeError(f"{command.verb} is not performed by a single call")


R = TypeVar("R")


def _as(role: type[R], client: Client) -> R:
    if not isinstance(client, role):
        raise TypeError(f"{type(client).__name__} is no {role.__name__}")
    return client


def _still_to_ship(event: OrderObserved, command: BuyLabel) -> bool:
    if event.placed.cancelled_at is not None or event.placed.on_hold:
        return False
    work = next((w for w in event.placed.fulfillment_orders if w.external_id == command.fulfillment_order), None)
    return work is not None and any(quantity for _, quantity in work.remaining)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\0", "")
