"""Bugs that the simulation must find, each a patch that is in force for a while. No code of the core knows of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection as Database
from sqlalchemy import update

from tests.simulation import core
from tests.simulation.ledger import SimLedger
from tradewind.domain import planner, reducer
from tradewind.domain.commands import BuyLabel, RefundPayment, _Command
from tradewind.errors import KeySpent, ProviderUnavailable, TradewindError, VersionConflict
from tradewind.gateway import hooks as gateway_hooks
from tradewind.gateway import store as gateway_store
from tradewind.ledger import claim_statements, inbox, outbox
from tradewind.ledger.delivery import Stored
from tradewind.ledger.tables import outbox as outbox_table
from tradewind.providers.shipstation.client import ShipStationClient
from tradewind.sync import apply, batch, dispatch, recheck, sweep

BUGS: dict[str, Callable[[], Any]] = {}
_numbers = itertools.count()


def bug(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def named(plant: Callable[[], Any]) -> Callable[[], Any]:
        BUGS[name] = plant
        return plant

    return named


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The core with one bug. Raises KeyError for one that is not known."""
    with ExitStack() as stack:
        for one in BUGS[name]():
            stack.enter_context(one)
        yield


@bug("dedupe off")
def _() -> Any:
    store = inbox.store

    def storing(conn: Any, keys: Any, deliveries: Sequence[Any]) -> Any:
        fresh = [dataclasses.replace(one, delivery_key=f"{one.delivery_key}#{next(_numbers)}") for one in deliveries]
        return store(conn, keys, fresh)

    yield patch.object(gateway_store.inbox, "store", storing)


@bug("dedupe by event id")
def _() -> Any:
    delivery_of = gateway_hooks.delivery_of

    def identified(provider: Any, key: str, hook: Any, *rest: Any, **more: Any) -> Any:
        delivery = delivery_of(provider, key, hook, *rest, **more)
        event = {name.lower(): value for name, value in hook.headers.items()}.get("x-shopify-event-id")
        return dataclasses.replace(delivery, delivery_key=event) if event else delivery

    yield patch.object(gateway_hooks, "delivery_of", identified)


@bug("ack before commit")
def _() -> Any:
    put = core.InlineWriter.put

    async def putting(self: Any, delivery: Any) -> Stored:
        core.asyncio.get_running_loop().create_task(_ignoring(put(self, delivery)))
        return Stored(id=0, duplicate=False)

    yield patch.object(core.InlineWriter, "put", putting)


async def _ignoring(work: Any) -> None:
    try:
        await work
    except Exception:
        return


def _is_newer(order: Any, resource: str, version: Any, _: Any) -> bool:
    known = order.versions.get(resource) if order is not None and version is not None else None
    return known is None or version > known[0]


@bug("`<` on versions")
def _() -> Any:
    snapshot = reducer._reduce_snapshot

    def reduced(order: Any, resource: str, event: Any, authoritative: bool) -> Any:
        if resource in order.versions and event.version <= order.versions[resource][0]:
            return reducer.Reduction(order, reducer.Verdict.SUPERSEDED)
        return snapshot(order, resource, event, authoritative)

    yield patch.object(reducer, "_reduce_snapshot", reduced)
    yield patch.object(batch, "is_news", _is_newer)


@bug("versions compared per order instead of per resource")
def _() -> Any:
    snapshot = reducer._reduce_snapshot
    yield patch.object(reducer, "_reduce_snapshot", lambda order, _, *rest: snapshot(order, order.id, *rest))


@bug("fact superseded")
def _() -> Any:
    """A scan that is older than any snapshot of its order is taken for old news."""
    add_scan = reducer._add_scan

    def adding(order: Any, scan: Any) -> Any:
        if any(scan.occurred_at < version for version, _ in order.versions.values()):
            return reducer.Reduction(order, reducer.Verdict.SUPERSEDED)
        return add_scan(order, scan)

    yield patch.object(reducer, "_add_scan", adding)


@bug("tie not refetched")
def _() -> Any:
    yield patch.object(batch, "is_news", _is_newer)


@bug("echo triggers a command")
def _() -> Any:
    plan = planner.plan

    def planned(order: Any, routes: Any) -> list[Any]:
        wanted = list(plan(order, routes))
        done = next((label for label in order.labels), None)
        work = order.placed and next((w for w in order.placed.fulfillment_orders if w.status == "open"), None)
        if done is None or work is None or routes.carrier is None or order.placed.cancelled_at is not None:
            return wanted
        fields = {"connection": order.connection, "storefront": order.connection, "order": order.external_id}
        again = BuyLabel(order_id=order.id, ordinal=7, fulfillment_order=work.external_id, items=(),
                         external_shipment_id=f"{done.external_shipment_id}-7",
                         **{**fields, "connection": routes.carrier})  # fmt: skip
        return [*wanted, again]

    yield patch.object(apply, "plan", planned)
    yield patch.object(recheck, "plan", planned)


@bug("key without connection")
def _() -> Any:
    yield patch.object(_Command, "key", property(lambda self: f"{self.subject}/{self.verb}/{self.ordinal}"))


@bug("key regenerated on retry")
def _() -> Any:
    yield patch.object(outbox, "idempotency_key", lambda key, generation: f"{key}/{generation}/{next(_numbers)}"[-250:])


@bug("same key after a stored failure")
def _() -> Any:
    perform = dispatch.Dispatcher._perform

    async def performing(self: Any, due: Any) -> Any:
        try:
            return await perform(self, due)
        except KeySpent as error:
            raise ProviderUnavailable(str(error)) from error

    yield patch.object(dispatch.Dispatcher, "_perform", performing)


@bug("no look-up before an unkeyed effect")
def _() -> Any:
    async def finding(*_: Any) -> tuple[()]:
        return ()

    yield patch.object(ShipStationClient, "find_label", finding)


@bug("lease without fencing")
def _() -> Any:
    finish = claim_statements._FINISH["sqlite"].replace("AND epoch = :epoch AND state = 'claimed'", "")

    def settling(conn: Database, due: Any, **values: Any) -> None:
        conn.execute(update(outbox_table).where(outbox_table.c.key == due.key).values({"lease_until": None, **values}))

    yield patch.dict(claim_statements._FINISH, {"sqlite": finish})
    yield patch.object(outbox, "_settle", settling)


@bug("lease by application clock")
def _() -> Any:
    write = SimLedger.write

    @contextmanager
    def writing(self: SimLedger) -> Iterator[Any]:
        with write(self) as conn:
            self.store.clock.database_skew = self.process.skew
            try:
                yield conn
            finally:
                self.store.clock.database_skew = timedelta(0)

    yield patch.object(SimLedger, "write", writing)


@bug("commit of record without commands")
def _() -> Any:
    applying, add = apply.Applier._apply, outbox.add
    later: list[Any] = []

    def put_off(_: Any, commands: Sequence[Any], now: Any) -> list[str]:
        later.append((list(commands), now))
        return [command.key for command in commands]

    def apply_then_add(self: Any, claimed: Any) -> Any:
        del later[:]
        with patch.object(apply.outbox, "add", put_off):
            applied = applying(self, claimed)
        wanted = list(later)
        with self._ledger.write() as database:
            for commands, now in wanted:
                add(database, commands, now)
        return applied

    yield patch.object(apply.Applier, "_apply", apply_then_add)


@bug("outbox retried without backoff bound")
def _() -> Any:
    yield patch.object(dispatch, "backoff_s", lambda attempts, rng: 0.5 * 2.0 ** min(attempts, 20))


@bug("cursor moved on a short page")
def _() -> Any:
    swept = core.sweep

    async def sweeping(ledger: Any, connection: Any, client: Any, *, now: Any, **more: Any) -> Any:
        try:
            return await swept(ledger, connection, client, now=now, **more)
        except TradewindError:
            sweep._advance(ledger, str(connection.key), now)
            raise

    yield patch.object(core, "sweep", sweeping)


@bug("sweep without overlap")
def _() -> Any:
    yield patch.object(sweep, "OVERLAP", timedelta(0))
    yield patch.object(sweep, "LAG", timedelta(0))


@bug("poison blocks the lane")
def _() -> Any:
    decoded = apply._decoded

    def decoding(delivery: Any) -> Any:
        events = decoded(delivery)
        if isinstance(events, Exception):
            raise VersionConflict(str(events))
        return events

    yield patch.object(apply, "_decoded", decoding)


@bug("cancel not rechecked before the label")
def _() -> Any:
    async def unchecked(_: Any, before: Any, command: Any) -> Any:
        return (), dispatch._details(before.order, command)

    yield patch.object(dispatch.Dispatcher, "_check_storefront", unchecked)


@bug("refund applied twice")
def _() -> Any:
    plan = planner.plan

    def planned(order: Any, routes: Any) -> list[Any]:
        wanted = list(plan(order, routes))
        twice = [one.model_copy(update={"ordinal": 1}) for one in wanted if isinstance(one, RefundPayment)]
        return [*wanted, *twice]

    yield patch.object(apply, "plan", planned)
    yield patch.object(recheck, "plan", planned)


@bug("stock movement without cause")
def _() -> Any:
    """What the record said before is forgotten, and so is what was moved for it."""
    moved = batch.movements_of
    yield patch.object(batch, "movements_of", lambda order, _=None, *, step="": moved(order, None, step=step))


@bug("paused connection still writes")
def _() -> Any:
    yield patch.object(dispatch, "_may_write", lambda *_: True)


@bug("subscription not recreated")
def _() -> Any:
    """What the provider has removed once is not asked for again."""
    check, checked = core.check_subscriptions, set()

    async def checking(ledger: Any, connection: Any, *rest: Any, **more: Any) -> int:
        if connection.key in checked:
            return 0
        made = await check(ledger, connection, *rest, **more)
        checked.add(connection.key)
        return made

    yield patch.object(core, "check_subscriptions", checking)


@bug("gap not read")
def _() -> Any:
    """What the provider lists is read and thrown away."""
    yield patch.object(sweep, "store_page", lambda *_, **__: 0)
