"""Stripe swept by its own list of events, on both databases: whichever of list and webhook comes first, it is one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.unit.providers.wire import pages as pages_of
from tests.unit.sandbox.inside import Inside, inside
from tests.unit.sync.desk import connection
from tradewind.domain.connections import Connection
from tradewind.errors import ProviderUnavailable
from tradewind.gateway.identity import delivery_of
from tradewind.governor import Governor
from tradewind.ledger import connections, cursors, hearing, inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.providers.hooks import HookRequest
from tradewind.providers.registry import PROVIDERS
from tradewind.providers.stripe.client import StripeClient
from tradewind.providers.stripe.event_log import LISTED_EVENTS
from tradewind.providers.stripe.webhooks import WANTED_EVENTS
from tradewind.sandbox.in_process import InProcess
from tradewind.sandbox.stripe.account import StripeAccount
from tradewind.sync.apply import Applier
from tradewind.sync.sweep import CURSOR, LAG, OVERLAP, Swept, measure, sweep

KEY = "stripe:main"


@dataclass
class Account(httpx.AsyncBaseTransport):
    """The sandbox's account and the way to it. refuse: which requests find nobody."""

    ledger: Ledger
    stage: Inside
    asked: list[httpx.Request] = field(default_factory=list)
    refuse: Callable[[httpx.Request], bool] = lambda _: False
    dated: bool = True

    def __post_init__(self) -> None:
        self._inner = InProcess(self.stage.sandbox)
        described = self.stripe.describe()
        self.connection: Connection = connection(
            KEY,
            live_from=self.now,
            settings={"base_url": described["base_url"]},
            secrets={"secret_key": described["secret_key"]},
        )
        self.client = StripeClient(self.connection, Governor(), client=httpx.AsyncClient(transport=self))
        with self.ledger.write() as database:
            connections.put(database, self.ledger.keys, self.connection, actor="test")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.refuse(request):
            raise httpx.ConnectError("nobody there", request=request)
        answer = await self._inner.handle_async_request(request)
        if self.dated:
            answer.headers["Date"] = format_datetime(self.now, usegmt=True)
        return answer

    @property
    def stripe(self) -> StripeAccount:
        return self.stage.sandbox.stripe["main"]

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    def pass_time(self, **span: float) -> None:
        self.stage.clock.advance(timedelta(**span).total_seconds())

    def paid(self) -> str:
        """A payment by card, taken at once, of which no webhook tells."""
        return self.stripe.charge_without_order(1000, "GBP")

    async def sweep(self, fast_by: timedelta = timedelta()) -> Swept:
        return await sweep(self.ledger, self.connection, self.client, now=self.now + fast_by)

    def webhook(self, kind: str) -> inbox.Stored:
        """The webhook of the newest event of this kind arrives."""
        event = next(one for one in self.stripe.events.newest_first() if one["type"] == kind)
        hook = HookRequest({}, json.dumps(event, indent=2).encode(), "http://gateway/hooks/stripe/main")
        delivery = delivery_of(PROVIDERS["stripe"], KEY, hook, self.now)
        with self.ledger.write() as database:
            return inbox.store(database, self.ledger.keys, [delivery])[0]

    def rows(self) -> list[inbox.DeliveryRow]:
        """Oldest first."""
        with self.ledger.read() as database:
            return inbox.search(database, limit=1000)[::-1]

    def cursor(self) -> datetime | None:
        with self.ledger.read() as database:
            found = cursors.get(database, f"{KEY}/{CURSOR}")
        return found.updated_at if found else None


@asynccontextmanager
async def opened(ledger: Ledger) -> AsyncIterator[Account]:
    async with inside() as stage:
        yield Account(ledger, stage)


async def test_a_refund_and_a_dispute_that_no_webhook_told_are_found(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        refunded, disputed = account.paid(), account.paid()
        account.pass_time(seconds=30)
        await account.sweep()
        account.pass_time(seconds=60)
        account.stripe.refund_from_dashboard(refunded, 200, notify=False)
        with account.stripe.events.muted():
            dispute = account.stripe.dispute_payment(disputed)
        account.pass_time(seconds=30)
        assert (await account.sweep()).new == 3
        found = account.rows()[-3:]
    assert {row.topic for row in found} == {
        "refund.created", "charge.dispute.created", "charge.dispute.funds_withdrawn"
    }  # fmt: skip
    assert {(row.source, row.format, row.lane, row.repeats) for row in found} == {("webhook", "listed", "normal", 0)}
    Applier(ledger, worker="a").run_once()
    with ledger.write() as database:
        due = outbox.claim_due(database, KEY, worker="w", limit=10, lease_s=1.0, writes=False)
    asked = {one.command.target.address for one in due}
    assert asked == {f"{KEY}/payment/{refunded}", f"{KEY}/payment/{disputed}", f"{KEY}/dispute/{dispute}"}


async def test_a_webhook_that_comes_after_the_sweep_is_a_duplicate(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        account.paid()
        account.pass_time(seconds=30)
        await account.sweep()
        late = account.webhook("payment_intent.succeeded")
        (row,) = [one for one in account.rows() if one.topic == "payment_intent.succeeded"]
    assert (late.duplicate, late.id, row.repeats) == (True, row.id, 1)


async def test_what_a_webhook_has_brought_is_neither_new_nor_a_repetition(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        account.paid()
        assert not account.webhook("payment_intent.succeeded").duplicate
        account.pass_time(seconds=30)
        for _ in range(2):
            swept = await account.sweep()
            assert (swept.listed, swept.new) == (1, 0)
        (row,) = account.rows()
    assert (row.format, row.lane, row.repeats) == ("raw", "critical", 0)


async def test_every_page_is_read_in_the_order_in_which_it_happened_and_moves_the_cursor(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        for _ in range(230):
            account.pass_time(seconds=1)
            account.paid()
        account.pass_time(seconds=30)

        def third_page(request: httpx.Request) -> bool:
            walked = [one for one in account.asked if "ending_before" in one.url.params]
            return len(walked) > 2 and request is walked[-1]

        account.refuse = third_page
        with pytest.raises(ProviderUnavailable):
            await account.sweep()
        reached = max(row.occurred_at for row in account.rows() if row.occurred_at)
        assert account.cursor() == reached
        account.refuse = lambda _: False
        swept = await account.sweep()
        assert (swept.since, swept.complete, account.cursor()) == (reached - OVERLAP, True, account.now - LAG)
        pages_read = await pages_of(account.client.deliveries(swept.since - timedelta(hours=1), swept.until))
        assert len(account.rows()) == len({row.occurred_at for row in account.rows()}) == 230
    assert [len(page) for page in pages_read] == [1, 100, 100, 29]  # the oldest alone leads to the rest
    happened = [kept.occurred_at for page in pages_read for kept in page]
    assert happened == sorted(set(happened))


async def test_what_is_older_than_stripe_keeps_is_listed_by_its_payments(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        account.paid()
        account.pass_time(days=40)
        account.paid()
        account.pass_time(seconds=30)
        assert (await account.sweep()).new == 2
        assert [(row.source, row.topic) for row in account.rows()] == [
            ("poll", "poll/payment_observed"), ("webhook", "payment_intent.succeeded")
        ]  # fmt: skip


async def test_an_account_without_events_begins_where_it_was_connected(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        began = account.now
        account.pass_time(hours=1)
        assert (await account.sweep()).listed == 0
        assert account.cursor() == began
        account.paid()
        account.pass_time(hours=1)
        assert (await account.sweep()).new == 1


@pytest.mark.parametrize("fast_by", [timedelta(minutes=10), timedelta(minutes=-10), timedelta(0)])
async def test_no_clock_of_ours_loses_what_happens_after_a_sweep(ledger: Ledger, fast_by: timedelta) -> None:
    """One worker's clock is wrong, the next one's is right."""
    async with opened(ledger) as account:
        account.paid()
        account.pass_time(seconds=30)
        await account.sweep(fast_by)
        cursor = account.cursor()
        assert cursor is not None
        assert cursor <= account.now - LAG
        account.pass_time(seconds=10)
        account.paid()
        account.pass_time(minutes=5)
        await account.sweep()
        assert len(account.rows()) == 2


async def test_without_a_date_our_own_clock_counts(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        account.dated = False
        account.paid()
        account.pass_time(seconds=30)
        fast_by = timedelta(minutes=10)
        swept = await account.sweep(fast_by)
        assert swept.until == account.cursor() == account.now + fast_by - LAG


async def test_the_share_that_webhooks_missed_is_measured(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        for _ in range(3):
            account.paid()
            account.webhook("payment_intent.succeeded")
        for _ in range(2):
            account.paid()
        account.pass_time(seconds=30)
        await account.sweep()
        account.webhook("payment_intent.succeeded")  # the last one, late
        account.webhook("charge.succeeded")  # of a kind that is not listed
        account.pass_time(seconds=10 + hearing.SETTLED_AFTER.total_seconds())
        for _ in range(2):
            found = await measure(ledger, KEY, account.client, now=account.now)
    assert (found.listed, found.missed, found.heard_at is not None) == (5, 1, True)


async def test_sweeps_are_no_webhooks_of_a_connection_that_has_fallen_silent(ledger: Ledger) -> None:
    async with opened(ledger) as account:
        account.paid()
        account.webhook("payment_intent.succeeded")
        heard_at = account.now
        for _ in range(hearing.SILENT_AFTER):
            account.pass_time(seconds=60)
            account.paid()
        account.pass_time(seconds=60)
        await account.sweep()
        account.pass_time(seconds=10 + hearing.SETTLED_AFTER.total_seconds())
        found = await measure(ledger, KEY, account.client, now=account.now)
    assert (found.heard_at, found.silent) == (heard_at, True)
    assert found.median_s is not None
    assert found.median_s < 60.0


def test_what_is_listed_is_what_webhooks_are_wanted_for_within_stripes_bound() -> None:
    said_by_another: Any = {"charge.captured", "charge.failed", "charge.refunded", "charge.succeeded"}
    assert set(LISTED_EVENTS) == set(WANTED_EVENTS) - said_by_another
    assert len(LISTED_EVENTS) <= 20
