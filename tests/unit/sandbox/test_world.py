"""The merchant's world: shoppers come, cancel, and are the same for the same seed."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.contracts import data_dir
from tests.unit.sandbox.replay_files import order_row, uci_row, write_export, write_uci
from tradewind.sandbox import Sandbox, create_sandbox
from tradewind.sandbox.clock import ManualClock
from tradewind.sandbox.outcomes import order_outcomes
from tradewind.sandbox.plants import NotNow
from tradewind.sandbox.replay import HistoryUnreadable, ReplayReport
from tradewind.sandbox.shopify.fulfilling import Parcel, Tracking, fulfil
from tradewind.sandbox.shopify.paying import mark_as_paid
from tradewind.sandbox.shopify.payment import financial_status


def make(seed: int = 1) -> tuple[Sandbox, ManualClock]:
    clock = ManualClock()
    return create_sandbox(seed=seed, faults="none", base_url="http://sandbox.invalid", clock=clock), clock


async def pass_time(clock: ManualClock, until: Callable[[], bool], *, at_most_s: float = 2_000.0) -> None:
    """Move the clock on, a tenth of a second a time, until the condition holds."""
    end_s = clock.monotonic() + at_most_s
    while not until():
        assert clock.monotonic() < end_s, "it never came to this"
        clock.advance(0.1)
        for _ in range(3):
            await asyncio.sleep(0)


async def settle(sandbox: Sandbox, clock: ManualClock) -> None:
    await pass_time(clock, lambda: bool(sandbox.world.progress()["quiet"]))


def ship_everything(sandbox: Sandbox) -> None:
    """What tradewind would do: every open order is paid and leaves."""
    for store in sandbox.shopify.values():
        for order in store.orders.values():
            if order.cancelled_at or order.fulfillments:
                continue
            if financial_status(order) != "PAID":
                mark_as_paid(store, order)
            parcels = [Parcel(each) for each in order.fulfillment_orders]
            fulfil(store, order, parcels, Tracking("UPS", ["1Z1"], []))


def report_of(sandbox: Sandbox) -> ReplayReport:
    assert sandbox.world.report is not None
    return sandbox.world.report


def rows_of(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {row["invoice"]: row for row in report_of(sandbox).as_dict()["invoices"]}


class TestMerchant:
    def test_has_two_hundred_skus_over_three_locations_in_both_stores(self) -> None:
        sandbox, _ = make()
        for store in sandbox.shopify.values():
            assert len(store.catalog.by_sku) >= 200
            assert {location.name for location in store.catalog.locations.values()} == {"London", "Leeds", "Bristol"}
            levels = [store.stock.of_item(variant.item_id) for variant in store.catalog.by_sku.values()]
            assert all(len(each) == 3 and all(level.quantity("available") > 0 for level in each) for each in levels)


class TestShoppers:
    async def test_all_planned_orders_are_placed_at_both_stores(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=80, rate_per_s=4.0)
        await settle(sandbox, clock)
        progress = sandbox.world.progress()
        assert (progress["planned"], progress["placed"], progress["failures"]) == (80, 80, [])
        assert all(20 <= len(store.orders) <= 60 for store in sandbox.shopify.values())

    async def test_they_arrive_at_the_rate_on_average_and_not_in_step(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=200, rate_per_s=2.0)
        await settle(sandbox, clock)
        accepted = [fact["at"] for fact in sandbox.truth.of("order_accepted")]
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(accepted)]
        assert 75 <= (accepted[-1] - accepted[0]).total_seconds() <= 130
        assert min(gaps) < 0.2
        assert max(gaps) > 1.5

    async def test_the_same_seed_makes_the_same_choices(self) -> None:
        def choices(sandbox: Sandbox) -> list[tuple[object, ...]]:
            return [
                (order.email, order.total, [(line.sku, line.quantity) for line in order.lines], order.cancelled_at)
                for store in sandbox.shopify.values()
                for order in store.orders.values()
            ]

        found = []
        for seed in (1, 1, 2):
            sandbox, clock = make(seed)
            sandbox.world.start(orders=40, rate_per_s=4.0)
            await settle(sandbox, clock)
            found.append(choices(sandbox))
        assert found[0] == found[1]
        assert found[0] != found[2]

    async def test_some_cancel_within_seconds(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=300, rate_per_s=20.0)
        await settle(sandbox, clock)
        cancelled = sandbox.truth.of("cancel_acknowledged")
        assert 8 <= len(cancelled) <= 32
        assert sandbox.world.progress()["cancelled"] == len(cancelled)

    async def test_a_store_refuses_to_cancel_what_has_been_shipped(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=100, rate_per_s=100.0)
        await pass_time(clock, lambda: len(sandbox.truth.of("order_accepted")) == 100)
        before = len(sandbox.truth.of("cancel_acknowledged"))
        ship_everything(sandbox)
        await settle(sandbox, clock)
        assert len(sandbox.truth.of("cancel_acknowledged")) == before
        assert sandbox.world.progress()["failures"] == []

    async def test_the_processors_store_announces_payments_that_the_processor_holds(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=30, rate_per_s=10.0)
        await settle(sandbox, clock)
        held = {intent["metadata"]["payment_id"]: intent for intent in sandbox.stripe["main"].payments.intents.values()}
        orders = sandbox.shopify["north"].orders.values()
        assert len(held) == len(orders)
        for order in orders:
            announced = order.transactions[0]
            assert (announced.gateway, announced.kind, announced.status) == ("stripe", "SALE", "PENDING")
            intent = held[str(announced.payment_id)]
            assert (intent["status"], intent["amount"]) == ("requires_capture", int(order.total * 100))

    async def test_the_other_store_takes_most_cards_at_once_and_holds_the_rest(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=200, rate_per_s=20.0)
        await settle(sandbox, clock)
        kinds = [order.transactions[0].kind for order in sandbox.shopify["south"].orders.values()]
        assert 0.15 <= kinds.count("AUTHORIZATION") / len(kinds) <= 0.45
        assert set(kinds) == {"AUTHORIZATION", "SALE"}

    async def test_more_may_come_later(self) -> None:
        sandbox, clock = make()
        for expected in (5, 10):
            sandbox.world.start(orders=5, rate_per_s=5.0)
            await settle(sandbox, clock)
            assert sandbox.world.progress()["placed"] == expected

    async def test_nothing_more_happens_after_stop(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=50, rate_per_s=1.0)
        await pass_time(clock, lambda: bool(sandbox.truth.of("order_accepted")))
        await sandbox.world.stop()
        before = len(sandbox.truth.of("order_accepted"))
        await pass_time(clock, lambda: clock.monotonic() > 100)
        assert len(sandbox.truth.of("order_accepted")) == before


class TestPlants:
    async def test_a_stray_charge_is_known_to_the_processor_alone(self) -> None:
        sandbox, _ = make()
        planted = sandbox.world.plant("stray_charge")
        intent = sandbox.stripe["main"].payments.intents[planted["payment_id"]]
        assert (intent["status"], intent["amount_received"]) == ("succeeded", planted["amount_minor"])

    async def test_a_silent_refund_halves_a_captured_payment(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=10, rate_per_s=10.0)
        await settle(sandbox, clock)
        payments = sandbox.stripe["main"].payments
        for intent in list(payments.intents.values()):
            payments.capture(intent["id"])
        planted = sandbox.world.plant("silent_refund")
        charge = payments.charges[payments.intents[planted["payment_id"]]["latest_charge"]]
        assert charge["amount_refunded"] == planted["amount_minor"] == charge["amount_captured"] // 2
        assert sandbox.shopify["north"].order(planted["order_id"]).refunds == []

    async def test_a_silent_refund_leaves_disputed_and_foreign_payments_alone(self) -> None:
        sandbox, clock = make()
        sandbox.world.start(orders=60, rate_per_s=20.0, life="full")
        await pass_time(clock, lambda: len(sandbox.truth.of("order_accepted")) == 60)
        account = sandbox.stripe["main"]
        for number, intent in enumerate(list(account.payments.intents.values())):
            account.payments.capture(intent["id"])
            if number % 2:
                account.dispute_payment(intent["id"])
        planted = sandbox.world.plant("silent_refund")
        charge = account.payments.charges[account.payments.intents[planted["payment_id"]]["latest_charge"]]
        assert (charge["disputed"], planted["currency"]) == (False, "GBP")
        [outcome] = [each for each in order_outcomes(sandbox.truth) if each["order_id"] == planted["order_id"]]
        assert outcome["refunded_at_processor"]

    async def test_nothing_can_be_refunded_before_anything_is_captured(self) -> None:
        sandbox, _ = make()
        with pytest.raises(NotNow, match="no captured payment"):
            sandbox.world.plant("silent_refund")

    async def test_an_unknown_fault_is_an_error_that_names_the_known_ones(self) -> None:
        sandbox, _ = make()
        with pytest.raises(ValueError, match="expected one of stray_charge, silent_refund"):
            sandbox.world.plant("fire")


class TestReplay:
    async def play(self, path: Path, *, ship: bool = True) -> Sandbox:
        """Replay a file; what is placed is shipped a little later."""
        sandbox, clock = make()
        sandbox.world.start_replay(path, rate_per_s=50.0)
        played = len(report_of(sandbox).as_dict()["invoices"])
        await pass_time(clock, lambda: clock.monotonic() > played / 50 + 1)
        if ship:
            ship_everything(sandbox)
        await settle(sandbox, clock)
        return sandbox

    async def test_sales_are_ordered_at_the_stores_by_turns_with_the_historys_time(self, tmp_path: Path) -> None:
        sandbox = await self.play(write_uci(tmp_path, [uci_row("536380"), uci_row("536381")]))
        rows = rows_of(sandbox)
        assert {rows["536380"]["store"], rows["536381"]["store"]} == {"north", "south"}
        for row in rows.values():
            order = sandbox.shopify[row["store"]].order(row["order_id"])
            assert order.name == f"#{row['invoice']}"
            assert order.processed_at.isoformat() == "2011-11-14T08:10:00+00:00"
            assert str(order.total) == row["total"]

    async def test_a_whole_cancellation_cancels_the_order(self, tmp_path: Path) -> None:
        path = write_uci(tmp_path, [uci_row("1", "A", 2), uci_row("C2", "A", -2)])
        sandbox = await self.play(path, ship=False)
        row = rows_of(sandbox)["C2"]
        assert row["result"] == "cancelled"
        assert sandbox.shopify[row["store"]].order(row["order_id"]).cancelled_at is not None

    async def test_a_part_comes_back_after_it_was_shipped(self, tmp_path: Path) -> None:
        path = write_uci(tmp_path, [uci_row("1", "A", 5, "3.00"), uci_row("1", "B"), uci_row("C2", "A", -2, "3.00")])
        sandbox = await self.play(path)
        row = rows_of(sandbox)["C2"]
        assert (row["result"], row["refund"]) == ("refunded", "6.00")
        (refund,) = sandbox.shopify[row["store"]].order(row["order_id"]).refunds
        assert [(line.line.sku, line.quantity) for line in refund.lines] == [("A", 2)]
        assert [str(transaction.amount) for transaction in refund.transactions] == ["6.00"]

    async def test_a_whole_cancellation_of_a_shipped_order_is_a_refund(self, tmp_path: Path) -> None:
        sandbox, clock = make()
        path = write_uci(tmp_path, [uci_row("1", "A", 2), uci_row("C2", "A", -2)])
        sandbox.world.start_replay(path, rate_per_s=1.0)
        await pass_time(clock, lambda: bool(sandbox.truth.of("order_accepted")))
        ship_everything(sandbox)
        await settle(sandbox, clock)
        assert rows_of(sandbox)["C2"]["result"] == "refunded"

    async def test_what_no_store_carries_goes_to_the_back_office(self, tmp_path: Path) -> None:
        rows = [uci_row("C1", quantity=-1), uci_row("2", quantity=-3, price="0.0", description="damages", customer="")]
        sandbox = await self.play(write_uci(tmp_path, rows))
        documents = sandbox.backoffice["main"].documents
        assert {name: (each["kind"], each["total"]) for name, each in documents.items()} == {
            "C1": ("credit", "-1.65"),
            "2": ("write_off", "0.00"),
        }
        assert documents["2"]["reason"] == "stock written off; damages"
        assert sandbox.truth.of("order_accepted") == []

    async def test_goods_are_on_sale_as_soon_as_a_history_is_prepared(self, tmp_path: Path) -> None:
        sandbox, _ = make()
        sandbox.world.prepare_replay(write_uci(tmp_path, [uci_row("1", "85123A", 40), uci_row("1", "85123B")]))
        for store in sandbox.shopify.values():
            first, second = store.catalog.by_sku["85123A"], store.catalog.by_sku["85123B"]
            assert first.product is second.product
            assert all(level.quantity("available") > 40 for level in store.stock.of_item(first.item_id))

    async def test_a_world_replays_one_history_once(self, tmp_path: Path) -> None:
        path = write_uci(tmp_path, [uci_row("1")])
        sandbox = await self.play(path)
        with pytest.raises(NotNow, match="has been replayed already"):
            sandbox.world.start_replay(path, rate_per_s=1.0)
        with pytest.raises(NotNow, match=r"replays .* already"):
            sandbox.world.prepare_replay(tmp_path / "other.csv")

    async def test_a_file_that_is_no_history_changes_nothing(self, tmp_path: Path) -> None:
        sandbox, _ = make()
        with pytest.raises(HistoryUnreadable):
            sandbox.world.start_replay(tmp_path / "nowhere.csv", rate_per_s=1.0)
        assert sandbox.world.report is None

    async def test_an_exports_orders_come_in_its_currency_with_tax_and_address(self, tmp_path: Path) -> None:
        row = order_row(Currency="EUR", Shipping="5.00", Taxes="4.75", Total="29.75", Notes="ring twice", Tags="vip")
        sandbox = await self.play(write_export(tmp_path, [row]))
        (shown,) = rows_of(sandbox).values()
        order = sandbox.shopify[shown["store"]].order(shown["order_id"])
        assert (order.currency, str(order.total), str(order.tax)) == ("EUR", "29.75", "4.75")
        assert order.name == "#1001"
        assert order.attributes == {"invoice": "#1001", "note": "ring twice"}
        assert order.shipping_address is not None
        assert order.shipping_address.zip == "LS1 4AP"

    async def test_an_exports_cancelled_order_is_cancelled_before_it_can_be_shipped(self, tmp_path: Path) -> None:
        row = order_row(Cancelled_at="2026-03-02 11:00:00 +0000")
        sandbox = await self.play(write_export(tmp_path, [row]), ship=False)
        assert rows_of(sandbox)["#1001"]["result"] == "cancelled"

    async def test_an_exports_refund_follows_the_shipment(self, tmp_path: Path) -> None:
        row = order_row(Financial_Status="partially_refunded", Refunded_Amount="5.00")
        sandbox = await self.play(write_export(tmp_path, [row]))
        assert rows_of(sandbox)["#1001"]["refund"] == "5.00"

    async def test_what_a_store_does_not_take_is_refused_with_its_reason(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise RuntimeError("the store is full")

        monkeypatch.setattr("tradewind.sandbox.shopify.store.ShopifyStore.place_order", full)
        sandbox = await self.play(write_uci(tmp_path, [uci_row("1", "A", 2), uci_row("C2", "A", -2)]))
        assert report_of(sandbox).as_dict()["refused"] == {
            "the sale could not be replayed: the store is full": 1,
            "the cancellation could not be replayed: its sale 1 was not placed": 1,
        }
        assert len(sandbox.world.progress()["failures"]) == 2

    async def test_a_refund_does_not_wait_for_ever_and_says_what_was_given_back(self, tmp_path: Path) -> None:
        path = write_uci(tmp_path, [uci_row("2", "A", 5, "3.00"), uci_row("C3", "A", -2, "3.00")])
        sandbox = await self.play(path, ship=False)
        row = rows_of(sandbox)["C3"]
        order = sandbox.shopify[row["store"]].order(row["order_id"])
        assert order.lines[0].current_quantity == 3
        assert row["refund"] == str(sum(each.amount for each in order.refunds[0].transactions))

    async def test_the_real_week_is_placed_cancelled_and_booked_whole(self) -> None:
        sandbox = await self.play(data_dir() / "online-retail/2011-11-14_20.csv.gz")
        report = report_of(sandbox).as_dict()
        assert sandbox.world.progress()["failures"] == []
        assert report["refused"] == {}
        assert len(sandbox.truth.of("order_accepted")) == 690
        assert len(sandbox.backoffice["main"].documents) == 184
        assert {row["result"] for row in report["invoices"]} == {"placed", "cancelled", "refunded", "recorded"}
        placed = sum(fact["total_minor"] for fact in sandbox.truth.of("order_accepted"))
        assert placed == 38_862_244
