"""Dispatch: what the outbox wants, sent to one connection. Commit intent → call → commit outcome.

No transaction is held across HTTP. The events that an answer gives are stored in the inbox in the same transaction that
settles the command, so that the applier stays the only writer of orders.

An attempt may have had its effect although nobody heard of it. Under the same key the provider knows it again; under
another key, one that has expired, or where a provider knows no keys, the effect is looked up before the command goes.
"""

from __future__ import annotations

import asyncio
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
from tradewind.domain.connections import ConnectionState
from tradewind.domain.events import CommandSettled, Event, events_adapter
from tradewind.domain.order import Order
from tradewind.domain.roles import Carrier, Client, PaymentProcessor, ShippingDetails, Storefront
from tradewind.errors import (
    KeySpent,
    LeaseLost,
    OutcomeUnknown,
    PermanentError,
    RequestRejected,
    SealBroken,
    TransientError,
)
from tradewind.ledger import connections, inbox, outbox, unsealing
from tradewind.ledger.engine import Ledger
from tradewind.sync.backoff import backoff_s
from tradewind.sync.clients import Clients
from tradewind.sync.recheck import Wanted, hold, wanted, wanted_after, witnesses
from tradewind.sync.seam import in_thread, patiently

_log = logging.getLogger("tradewind.dispatch")

LAST_GENERATION = 2
"""A command that is refused in its third generation, or in a later one, is dead."""
KEY_LIFE_S = 23 * 3600.0
"""Stripe may forget a key that is 24 hours old (docs.stripe.com/api/idempotent_requests); an hour is for the call."""
LONGEST_ASKED_S = 3600.0
"""What a provider's `Retry-After` is followed to; asking once an hour does no harm, waiting for ever would."""
SHARE_OF_LEASE = 0.75
"""An attempt ends well before its lease does, so that no other worker makes the same call beside it."""

OnDead = Callable[[str, str], None]
"""Told the key of a command that is dead, and why."""
Settle = Callable[[Database], None]


class NotWanted(Exception):
    """The record no longer asks for the command. seen: what was read on the way to that insight."""

    def __init__(self, reason: str, seen: Sequence[Event] = ()) -> None:
        super().__init__(reason)
        self.seen = tuple(seen)


class Replanned(Exception):
    """The order asks for the command with other parameters, and it has had no effect yet."""

    def __init__(self, command: Command, seen: Sequence[Event] = ()) -> None:
        super().__init__(command.key)
        self.command = command
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
        try:
            events, settle = await self._attempt(due)
        except LeaseLost:
            _log.warning("%s was taken over by another worker before it was sent here", due.key)
            return
        await self._settle(due, events, settle)

    async def _attempt(self, due: outbox.Due) -> tuple[Sequence[Event], Settle]:
        try:
            async with asyncio.timeout(self._lease_s * SHARE_OF_LEASE):
                events = await self._perform(due)
        except NotWanted as error:
            return error.seen, partial(self._cancel, due=due, error=error)
        except Replanned as error:
            return error.seen, partial(outbox.replan, due=due, command=error.command)
        except (TransientError, OutcomeUnknown, OperationalError, TimeoutError) as error:
            return (), self._postponed(due, error)
        except KeySpent as error:
            return await self._look_up(due, error)
        except RequestRejected as error:
            if error.ends_access:  # says nothing of the command, which waits as the connection does
                return (), self._postponed(due, error)
            if isinstance(due.command, Refetch) or due.generation >= LAST_GENERATION:
                return (), self._dead(due, error)
            return await self._look_up(due, error)
        except SealBroken as error:
            return (), self._unreadable(due, error)
        except PermanentError as error:
            return (), self._dead(due, error)
        except LeaseLost:
            raise
        except Exception as error:
            # A fault of our own: the command is kept with its reason, an alert follows, and it can be tried again.
            _log.exception("%s failed in tradewind itself", due.key)
            return (), self._dead(due, error)
        return events, partial(outbox.succeed, due=due)

    async def _look_up(self, due: outbox.Due, rejected: RequestRejected | KeySpent) -> tuple[Sequence[Event], Settle]:
        """A definite refusal often means that the world has moved on: read the target, and let the record decide.

        The next generation, under a new idempotency key, goes only if the record still asks for it then. A failure that
        is stored under the key says nothing of the command: generations of those are not counted out. Nor is that key
        asked for again where the target cannot be read now: the next generation looks before it acts.
        """
        target = due.command.target
        try:
            seen = await (await self._client(target.connection)).fetch(target)
        except (TransientError, OutcomeUnknown, OperationalError) as error:
            if not isinstance(rejected, KeySpent):
                return (), self._postponed(due, error)
            seen = ()
        except Exception:
            _log.exception("the target of %s cannot be read", due.key)
            return (), self._dead(due, rejected)
        delay_s = backoff_s(due.generation + 2, self._rng)
        return seen, partial(outbox.fail, due=due, reason=_reason(rejected), next_generation=True, delay_s=delay_s)

    def _cancel(self, database: Database, due: outbox.Due, error: NotWanted) -> None:
        """Unless the record asks for it again by now.

        Nobody would ask for a command that is cancelled behind the back of a plan that found it in flight.
        """
        hold(database, due.command)
        found = wanted(database, self._ledger.keys, due.command)
        if found is None or wanted_after(found, error.seen) is None:
            outbox.cancel(database, due, str(error))
        else:
            outbox.postpone(database, due, reason=str(error), delay_s=backoff_s(due.attempts, self._rng))

    def _postponed(self, due: outbox.Due, error: Exception) -> Settle:
        delay_s = self._delay_s(due, error)
        _log.info("%s waits %.1f s: %s", due.key, delay_s, error)
        return partial(outbox.postpone, due=due, reason=_reason(error), delay_s=delay_s)

    def _dead(self, due: outbox.Due, error: Exception) -> Settle:
        _log.error("%s is dead: %s", due.key, error)
        self._on_dead(due.key, _reason(error))
        return partial(outbox.fail, due=due, reason=_reason(error), next_generation=False)

    def _unreadable(self, due: outbox.Due, error: SealBroken) -> Settle:
        """What the order's record holds sealed cannot be opened: the order is read again, and the command waits for a
        person."""
        died, order = self._dead(due, error), unsealing.order_resource(error.order_id)

        def settle(database: Database) -> None:
            died(database)
            if order is not None:
                read = Refetch(connection=order.connection, order_id=error.order_id, resource=order)
                outbox.add(database, [read], self._now())

        return settle

    def _claim(self, connection: str, limit: int) -> list[outbox.Due]:
        # Looked for by reading first: a database with one writer at a time must not be taken by those who find nothing.
        with self._ledger.read() as database:
            if not outbox.has_due(database, connection, writes=_may_write(database, connection)):
                return []
        with self._ledger.write() as database:
            writes = _may_write(database, connection)
            return outbox.claim_due(
                database, connection, worker=self._worker, limit=limit, lease_s=self._lease_s, writes=writes
            )

    async def _client(self, connection: str) -> Client:
        # A pool may have to look into the ledger.
        return await in_thread(self._clients, connection)

    async def _perform(self, due: outbox.Due) -> Sequence[Event]:
        command, client = due.command, await self._client(due.command.connection)
        if isinstance(command, Refetch):
            return await client.fetch(command.resource)
        if isinstance(command, BuyLabel):
            return await self._buy_label(due, command, _as(Carrier, client))
        before = await self._wanted(due)
        found = await self._found(due, client)
        if found:
            return found
        seen = await self._seen(due, before)
        events = await call(client, command, due.idempotency_key)
        return (*seen, *(events or (CommandSettled(connection=command.connection, command_key=due.key),)))

    async def _seen(self, due: outbox.Due, before: Wanted) -> Sequence[Event]:
        """What was read again right before the call, and the command is still wanted after it as it is.

        Raises NotWanted, Replanned, or KeySpent when other parameters are wanted than those that may have been sent.
        """
        seen: list[Event] = []
        for witness in witnesses(before, due.age_s):
            seen += await (await self._client(witness.connection)).fetch(witness)
        found = wanted_after(before, seen) if seen else before
        if found is None:
            raise NotWanted("it is not wanted any more", seen)
        if found.command != due.command and due.fresh:
            raise Replanned(found.command, seen)
        if seen and found.command != due.command:
            raise KeySpent("the order asks for it with other parameters by now")
        return seen

    async def _found(self, due: outbox.Due, client: Client) -> Sequence[Event]:
        """The effect of an earlier attempt against which the key of this one may not protect.

        Storefronts guard each of their writes by what they hold, so only processors are asked.
        """
        exposed = due.attempts > 1 and (due.generation > 0 or due.key_age_s >= KEY_LIFE_S)
        if not exposed or not isinstance(client, PaymentProcessor):
            return ()
        if not isinstance(due.command, CapturePayment | CancelPayment | RefundPayment):
            return ()
        return await client.find_effect(due.command)

    async def _buy_label(self, due: outbox.Due, command: BuyLabel, carrier: Carrier) -> Sequence[Event]:
        if due.attempts > 1 or due.generation > 0:
            # The carrier keys nothing: an earlier attempt may have bought the label although its answer was lost. One
            # that is not wanted any more must be known, or it would never be given back.
            found = await carrier.find_label(command)
            if found:
                return found
        seen, details = await self._check_storefront(await self._wanted(due), command)
        # Nothing but the lease keeps two workers from buying side by side: one that slept through its own stops here.
        await in_thread(self._renew, due)
        return (*seen, *await carrier.buy_label(command, details))

    def _renew(self, due: outbox.Due) -> None:
        with self._ledger.write() as database:
            outbox.renew(database, due, lease_s=self._lease_s)

    async def _check_storefront(self, before: Wanted, command: BuyLabel) -> tuple[Sequence[Event], ShippingDetails]:
        """A label for an order just cancelled must not be bought: ask the storefront right before the call."""
        target = command.target
        seen = await (await self._client(target.connection)).fetch(target)
        found = wanted_after(before, seen)
        if found is None:
            raise NotWanted("the storefront no longer wants it shipped", seen)
        if found.command != command:
            raise Replanned(found.command, seen)
        return seen, _details(found.order, command)

    async def _wanted(self, due: outbox.Due) -> Wanted:
        """The order that asks for the command. Raises NotWanted, or Replanned while it can have had no effect.

        A label that an earlier attempt bought has been looked for by now.
        """
        found = await in_thread(self._asked_for, due.command)
        if found is None:
            raise NotWanted("the record no longer asks for it")
        if found.command != due.command and (due.fresh or isinstance(due.command, BuyLabel)):
            raise Replanned(found.command)
        return found

    def _asked_for(self, command: Command) -> Wanted | None:
        with self._ledger.read() as database:
            return wanted(database, self._ledger.keys, command)

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
        return max(min(asked or 0.0, LONGEST_ASKED_S), backoff_s(due.attempts, self._rng))


def _may_write(database: Database, connection: str) -> bool:
    return connections.state(database, connection) is ConnectionState.LIVE


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


def _details(order: Order, command: BuyLabel) -> ShippingDetails:
    placed = order.placed
    if placed is None or placed.ship_to is None:
        raise NotWanted("the order has no address to ship to")
    email = placed.customer.email if placed.customer and command.notify_customer else None
    return ShippingDetails(order_name=placed.name, ship_to=placed.ship_to, email=email)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\0", "")
