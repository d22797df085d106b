"""The Shopify client against the sandbox, over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.integration.providers.served import receiver, sandbox
from tests.unit.providers.wire import connection, pages
from tradewind.domain.commands import CapturePayment, CreateFulfillment, MarkOrderPaid
from tradewind.domain.connections import Role
from tradewind.domain.events import ConnectionRevoked, RefundRecorded, Resource
from tradewind.domain.money import Money
from tradewind.domain.order import CapturedBy, FulfillmentOrderStatus, HoldReason, Risk, TransactionKind
from tradewind.domain.reducer import new_order, reduce_order
from tradewind.errors import OutcomeUnknown, RequestRejected, TransientError
from tradewind.governor import Governor
from tradewind.providers.shopify import authenticate, events, identify
from tradewind.providers.shopify.client import ShopifyClient
from tradewind.providers.shopify.webhooks import WANTED_TOPICS
from tradewind.sandbox.shopify import ShopifyStore
from tradewind.sandbox.shopify.order import IN_DOUBT, PlacedLine, StoreOrder

NAME = "shopify:north"


def connect(store: ShopifyStore, **secrets: str) -> ShopifyClient:
    described = store.describe()
    made = connection(
        NAME,
        Role.STOREFRONT,
        settings={"base_url": described["base_url"], "shop_domain": described["shop_domain"]},
        secrets={"client_id": described["client_id"], "client_secret": described["client_secret"], **secrets},
    )
    return ShopifyClient(made, Governor())


@contextlib.asynccontextmanager
async def north() -> AsyncIterator[tuple[ShopifyStore, ShopifyClient]]:
    async with sandbox() as made:
        store = made.shopify["north"]
        client = connect(store)
        try:
            yield store, client
        finally:
            await client.aclose()
        assert made.truth.as_dict()["throttled"] == 0


def skus(store: ShopifyStore) -> list[str]:
    return sorted(variant.sku for product in store.catalog.products.values() for variant in product.variants)


def place(store: ShopifyStore, *lines: PlacedLine, gateway: str = "shopify_payments", kind: str = "sale", **terms):
    chosen = lines or tuple(PlacedLine(sku, 2, Decimal("10.00"), title="Mug") for sku in skus(store)[:2])
    address = {
        "first_name": "Ada", "last_name": "Ames", "address1": "1 High Street", "city": "Leeds", "zip": "LS1 1AA",
        "country_code": "GB",
    }  # fmt: skip
    asked = {
        "lines": chosen,
        "customer": {"first_name": "Ada", "last_name": "Ames", "email": "ada@example.com"},
        "shipping_address": address,
        "email": "ada@example.com",
        "shipping": Decimal("4.99"),
        "tax_rate": Decimal("0.2"),
        "taxes_included": True,
        "payment_id": "pay-1",
        **terms,
    }
    return store.place_order(gateway=gateway, kind=kind, **asked)


def gid(order: StoreOrder) -> str:
    return f"gid://shopify/Order/{order.id}"


async def fetched(client: ShopifyClient, order: StoreOrder):
    (event,) = await client.fetch(Resource(connection=NAME, kind="order", external_id=gid(order)))
    return event.placed


def fulfillment(order: StoreOrder, work) -> CreateFulfillment:
    return CreateFulfillment(
        connection=NAME,
        order_id="o",
        order=gid(order),
        fulfillment_order=work.external_id,
        tracking_number="TRACK1",
        tracking_url="https://carrier.example/TRACK1",
        carrier="UPS",
    )


async def test_the_app_is_healthy_with_its_scopes():
    async with north() as (store, client):
        health = await client.health()
        assert health.missing_scopes == ()
        assert abs(health.clock_skew_s) < 2
        store.scopes.discard("write_orders")
        assert (await client.health()).missing_scopes == ("write_orders",)


async def test_wrong_credentials_are_a_rejection_with_the_oauth_error():
    async with sandbox() as made:
        client = connect(made.shopify["north"], client_secret="guess")
        with pytest.raises(RequestRejected) as caught:
            await client.health()
        await client.aclose()
    assert caught.value.code == "invalid_client"


async def test_an_ended_token_is_replaced_without_notice():
    async with north() as (store, client):
        await client.health()
        store.tokens.revoke()
        await client.health()


async def test_a_placed_order_adds_up_to_the_penny():
    async with north() as (store, client):
        first, second = skus(store)[:2]
        order = place(
            store,
            PlacedLine(first, 3, Decimal("7.35"), discount=Decimal("2.05"), title="Mug"),
            PlacedLine(second, 1, Decimal("19.99"), title="Jug"),
            taxes_included=False,
        )
        seen = await fetched(client, order)
    assert seen.subtotal == Money.total(
        (line.unit_price * line.quantity - line.discount for line in seen.lines), seen.currency
    )
    assert seen.total == seen.subtotal + seen.shipping + seen.tax + seen.tip + seen.duties
    assert seen.total == seen.presentment_total
    assert seen.discounts == Money(minor=205, currency="GBP")
    assert seen.shipping == Money(minor=499, currency="GBP")
    assert seen.ship_to is not None
    assert (seen.ship_to.city, seen.ship_to.country) == ("Leeds", "GB")
    assert seen.customer is not None
    assert (seen.customer.name, seen.customer.email) == ("Ada Ames", "ada@example.com")


async def test_an_order_of_many_lines_is_read_to_its_end():
    async with north() as (store, client):
        lines = [PlacedLine(sku, 1, Decimal("1.00"), title="Mug") for sku in skus(store)[:120]]
        seen = await fetched(client, place(store, *lines))
    assert len(seen.lines) == 120
    assert sum(len(work.assigned) for work in seen.fulfillment_orders) == 120
    assert Money.total((line.unit_price for line in seen.lines), "GBP") == seen.subtotal


async def test_an_authorisation_is_captured_once():
    async with north() as (store, client):
        order = place(store, kind="authorization")
        before = await fetched(client, order)
        (authorization,) = before.transactions
        assert authorization.captured_by is CapturedBy.STOREFRONT
        command = capture_of(order, before)
        for _ in range(2):
            (event,) = await client.capture(command, "key")
            assert event.placed.fully_paid
            assert [t.kind for t in event.placed.transactions].count(TransactionKind.CAPTURE) == 1


async def test_a_direct_charge_is_marked_as_paid_once():
    async with north() as (store, client):
        order = place(store, gateway="stripe", kind="pending")
        before = await fetched(client, order)
        assert not before.fully_paid
        assert before.transactions[0].payment_id == "pay-1"
        for _ in range(2):
            (event,) = await client.mark_paid(MarkOrderPaid(connection=NAME, order_id="o", order=gid(order)), "key")
            assert event.placed.fully_paid
            assert {t.captured_by for t in event.placed.transactions} == {CapturedBy.PROCESSOR}


async def test_fulfilling_closes_the_work_once():
    async with north() as (store, client):
        order = place(store)
        for work in (await fetched(client, order)).fulfillment_orders:
            for _ in range(2):
                (event,) = await client.fulfill(fulfillment(order, work), "key")
        placed = event.placed
    assert {work.status for work in placed.fulfillment_orders} == {FulfillmentOrderStatus.CLOSED}
    assert not any(quantity for work in placed.fulfillment_orders for _, quantity in work.remaining)
    assert len(placed.fulfillments) == len(placed.fulfillment_orders)
    assert placed.fulfillments[0].tracking_number == "TRACK1"


async def until_done(call):
    """As the dispatch does: what failed without a definite answer is asked again."""
    for _ in range(60):
        try:
            return await call()
        except (TransientError, OutcomeUnknown):
            await asyncio.sleep(0.01)
    raise AssertionError("no answer after sixty attempts")


@pytest.mark.parametrize("seed", [1, 2])
async def test_lost_answers_never_double_a_capture_a_booking_or_a_shipment(seed):
    async with sandbox(seed=seed, faults="hostile") as made:
        store = made.shopify["north"]
        client = connect(store)
        for number in range(8):
            direct = number % 2 == 0
            order = place(store, **({"gateway": "stripe", "kind": "pending"} if direct else {"kind": "authorization"}))
            seen = await until_done(lambda order=order: fetched(client, order))
            if direct:
                command = MarkOrderPaid(connection=NAME, order_id="o", order=gid(order))
                await until_done(lambda command=command: client.mark_paid(command, "key"))
            else:
                command = capture_of(order, seen)
                await until_done(lambda command=command: client.capture(command, "key"))
            for work in seen.fulfillment_orders:
                parcel = fulfillment(order, work)
                (event,) = await until_done(lambda parcel=parcel: client.fulfill(parcel, "key"))
            taken = [t for t in order.transactions if t.status == "SUCCESS" and t.kind in ("CAPTURE", "SALE")]
            assert len(taken) == 1
            assert len(order.fulfillments) == len(order.fulfillment_orders)
            assert event.placed.fully_paid
        await client.aclose()
        assert made.faults.fired["lost_answer"] > 0


def capture_of(order: StoreOrder, seen) -> CapturePayment:
    return CapturePayment(
        connection=NAME,
        order_id="o",
        payment=seen.transactions[0].external_id,
        amount=seen.total,
        storefront_order=gid(order),
    )


async def test_a_cancelled_order_is_not_fulfilled():
    async with north() as (store, client):
        order = place(store)
        (work, *_) = (await fetched(client, order)).fulfillment_orders
        assert store.cancel_order(str(order.id), "customer", refund=True)
        (event,) = await client.fulfill(fulfillment(order, work), "key")
        assert event.placed.cancelled_at is not None
        assert event.placed.fulfillments == ()


async def test_what_is_remembered_equals_a_whole_read_after_every_step():
    async with north() as (store, client):
        order = place(store, kind="authorization")

        async def agree() -> None:
            remembered, fresh = await fetched(client, order), connect(store)
            assert remembered == await fetched(fresh, order)
            await fresh.aclose()

        await agree()
        seen = await fetched(client, order)
        await client.capture(capture_of(order, seen), "key")
        await agree()
        await client.fulfill(fulfillment(order, seen.fulfillment_orders[0]), "key")
        await agree()
        line = order.lines[0]
        assert store.refund_order(str(order.id), [(line.id, 1)], None, "broken")
        await agree()


async def test_a_release_is_seen_whose_webhook_was_lost():
    """By what the order showed before and shows now, also to whoever remembers its lines."""
    async with north() as (store, client):
        order = place(store, risk=IN_DOUBT, hold="HIGH_RISK_OF_FRAUD")
        record = new_order(NAME, gid(order))

        async def look() -> None:
            nonlocal record
            (event,) = await client.fetch(Resource(connection=NAME, kind="order", external_id=gid(order)))
            record = reduce_order(record, event, authoritative=True).order

        await look()
        assert record.placed.fulfillment_orders[0].holds == (HoldReason.RISK,)
        assert record.is_held_for_risk
        assert store.desk.release(str(order.id))
        await look()
        assert record.placed.fulfillment_orders[0].holds == ()
        assert record.placed.risk is Risk.MEDIUM
        assert not record.is_held_for_risk


async def test_a_cancellation_is_seen_by_whoever_remembers_the_order():
    async with north() as (store, client):
        order = place(store)
        assert (await fetched(client, order)).cancelled_at is None
        assert store.cancel_order(str(order.id), "customer", refund=True)
        assert (await fetched(client, order)).cancelled_at is not None


async def test_changed_orders_are_listed_oldest_change_first():
    async with north() as (store, client):
        begun = datetime.now(UTC)
        placed = [place(store) for _ in range(14)]
        until = datetime.now(UTC) + timedelta(seconds=1)
        read = [event for page in await pages(client.orders(begun, until)) for event in page]
        assert [event.external_id for event in read] == [gid(order) for order in placed]
        assert await pages(client.orders(until + timedelta(hours=1), until + timedelta(hours=2))) == []


async def test_changes_tell_version_and_fingerprint_of_every_changed_order():
    async with north() as (store, client):
        begun = datetime.now(UTC)
        orders = [place(store) for _ in range(32)]
        refunded, cancelled, shipped = orders[:3]
        assert store.refund_order(str(refunded.id), [(refunded.lines[0].id, 1)], None, None)
        assert store.cancel_order(str(cancelled.id), "customer", refund=True)
        work = (await fetched(client, shipped)).fulfillment_orders[0]
        await client.fulfill(fulfillment(shipped, work), "key")
        read = await pages(client.changes(begun, datetime.now(UTC) + timedelta(seconds=1)))
        hints = {hint.resource.external_id: hint for page in read for hint in page}
        assert set(hints) == {gid(order) for order in orders}
        for order in orders[:4]:
            seen = await fetched(client, order)
            assert (hints[gid(order)].version, hints[gid(order)].fingerprint) == (seen.updated_at, seen.fingerprint)


async def test_the_whole_catalogue_is_listed_with_stock_at_every_location():
    async with north() as (store, client):
        items = [item for page in await pages(client.catalogue()) for item in page]
    assert sorted(item.sku for item in items) == skus(store)
    assert len(items) >= 200
    levels = [level for item in items for level in item.levels]
    assert len({level.location for level in levels}) == 3
    assert all(level.available <= level.on_hand for level in levels)


async def test_subscriptions_are_created_once_and_their_deliveries_are_understood():
    async with receiver() as hooks, north() as (store, client):
        created = await client.subscribe(hooks.url)
        assert {each.topic for each in created} == set(WANTED_TOPICS.values())
        assert await client.subscribe(hooks.url) == []
        order = place(store)
        assert store.refund_order(str(order.id), [(order.lines[0].id, 1)], None, None)
        store.uninstall_app()
        deliveries = await hooks.wait_for(4)
        secrets = {"client_secret": store.tokens.client_secret}
        seen = {}
        for delivery in deliveries:
            authenticate(delivery, secrets, datetime.now(UTC))
            identity = identify(delivery)
            assert identity.occurred_at is not None
            seen[identity.topic] = events(identity.topic, delivery.body, connection=NAME, received_at=datetime.now(UTC))
        assert isinstance(seen["refunds/create"][0], RefundRecorded)
        assert isinstance(seen["app/uninstalled"][0], ConnectionRevoked)
        assert seen["orders/create"][0].resource.external_id == gid(order)


async def test_the_webhook_of_what_was_read_is_no_news():
    async with receiver() as hooks, north() as (store, client):
        await client.subscribe(hooks.url)
        order = place(store)
        deliveries = await hooks.wait_for(1)
        (hint,) = events("orders/create", deliveries[0].body, connection=NAME, received_at=datetime.now(UTC))
        seen = await fetched(client, order)
        assert (hint.version, hint.fingerprint) == (seen.updated_at, seen.fingerprint)


async def test_a_subscription_can_be_removed():
    async with receiver() as hooks, north() as (_, client):
        created = await client.subscribe(hooks.url)
        for each in created:
            await client.unsubscribe(each.external_id)
        assert await client.subscriptions() == []


async def test_an_uninstalled_app_is_a_rejection():
    async with north() as (store, client):
        await client.health()
        store.uninstall_app()
        store.tokens.client_secret = "another"
        with pytest.raises(RequestRejected):
            await client.health()
