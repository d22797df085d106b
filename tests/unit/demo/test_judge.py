"""The verdict on a run: what was lost, doubled or late is counted, and nothing that went well is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.demo.truths import label, order, shipped, truth
from tests.unit.sync.books_fakes import (
    AT,
    document,
    gbp,
    label_observed,
    order_observed,
    payment_observed,
    record,
    settled_order,
)
from tests.unit.sync.desk import tell
from tradewind.demo.judge import (
    books_of,
    judge_money,
    judge_orders,
    left_over,
    recorded_documents,
    settled,
    validations_of,
    waits,
)
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(Settings(state_dir=tmp_path), migrate=True)
    yield opened
    opened.close()


def booked(number: int = 1, **changes: Any) -> Any:
    """Shipped, unless told otherwise."""
    return settled_order(order_observed(number, **changes), payment_observed(number), label_observed(number))


class TestOrders:
    def test_a_run_without_orders_has_no_faults_and_no_latency(self, ledger: Ledger) -> None:
        assert judge_orders(truth(), ledger) == {
            "orders_placed": 0, "orders_shipped": 0, "orders_cancelled": 0, "lost": 0, "lost_orders": [],
            "duplicate_shipments": 0, "shipped_after_cancel": 0, "throttled": 0, "latency_p50_s": None,
            "latency_p99_s": None,
        }  # fmt: skip

    def test_what_was_shipped_and_cancelled_is_counted(self, ledger: Ledger) -> None:
        record(ledger, booked(1), booked(2, cancelled_at=AT, fulfillments=()))
        verdict = judge_orders(truth(shipped(1), order(2, cancelled_s=3.0)), ledger)
        counts = {name: verdict[name] for name in ("orders_placed", "orders_shipped", "orders_cancelled", "lost")}
        assert counts == {"orders_placed": 2, "orders_shipped": 1, "orders_cancelled": 1, "lost": 0}

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            (None, shipped()),
            ({"fulfillments": ()}, shipped()),
            ({}, order(cancelled_s=1.0)),
            ({"fulfillments": ()}, order()),
            ({}, shipped() | {"ends": ["returned"]}),
        ],
        ids=["not in the books", "shipped and not known so", "cancelled and not known so", "left standing", "returned"],
    )
    def test_an_order_without_its_end_in_the_books_is_lost(
        self, ledger: Ledger, changes: dict[str, Any] | None, told: dict[str, Any]
    ) -> None:
        if changes is not None:
            record(ledger, booked(**changes))
        verdict = judge_orders(truth(told), ledger)
        assert (verdict["lost"], verdict["lost_orders"]) == (1, ["#1"])

    def test_an_order_of_nothing_to_ship_is_complete(self, ledger: Ledger) -> None:
        line = order_observed().placed.lines[0].model_copy(update={"requires_shipping": False})
        record(ledger, settled_order(order_observed(lines=(line,), fulfillments=()), payment_observed()))
        assert judge_orders(truth(order()), ledger)["lost"] == 0

    def test_an_order_may_have_several_right_ends(self, ledger: Ledger) -> None:
        record(ledger, booked())
        assert judge_orders(truth(shipped() | {"ends": ["delivered", "shipped"]}), ledger)["lost"] == 0

    def test_the_same_name_at_another_store_is_another_order(self, ledger: Ledger) -> None:
        record(ledger, booked())
        assert judge_orders(truth(shipped() | {"store": "south"}), ledger)["lost"] == 1

    @pytest.mark.parametrize(
        ("labels", "twice"),
        [
            ([label("se-1"), label("se-2")], 1),
            ([label("se-1", shipment="tw-1"), label("se-2", shipment="tw-1")], 1),
            ([label("se-1"), label("se-2", voided_s=5.0)], 0),
            ([label("se-1"), label("se-2"), label("se-3")], 2),
            ([label("se-1")], 0),
        ],
        ids=["two for one parcel", "one shipment twice", "one given back", "three", "one"],
    )
    def test_labels_beyond_the_parcels_are_duplicates(self, ledger: Ledger, labels: list[Any], twice: int) -> None:
        record(ledger, booked())
        assert judge_orders(truth(shipped(labels=labels)), ledger)["duplicate_shipments"] == twice

    def test_an_order_of_two_parcels_has_two_labels(self, ledger: Ledger) -> None:
        record(ledger, booked())
        parcels = [{"kind": "order_fulfilled", "store": "north", "order_id": "gid://shopify/Order/order-1"}] * 2
        told = truth(shipped(labels=[label("se-1"), label("se-2")]), facts=parcels)
        assert judge_orders(told, ledger)["duplicate_shipments"] == 0

    @pytest.mark.parametrize(
        ("bought", "late"),
        [
            (label(requested_s=4.0), 1),
            (label(requested_s=2.0), 0),
            (label(requested_s=4.0, voided_s=9.0), 0),
        ],
        ids=["after", "before", "after, given back"],
    )
    def test_a_label_asked_for_after_the_cancellation_counts(self, ledger: Ledger, bought: Any, late: int) -> None:
        record(ledger, booked(cancelled_at=AT))
        verdict = judge_orders(truth(order(cancelled_s=3.0, labels=[bought])), ledger)
        assert verdict["shipped_after_cancel"] == late

    def test_latency_runs_from_acceptance_to_the_first_label(self, ledger: Ledger) -> None:
        waits = [float(second) for second in range(1, 101)]
        orders = [shipped(number, label_s=wait) for number, wait in enumerate(waits)]
        orders.append(shipped(200, labels=[label("a", requested_s=500.0), label("b", requested_s=0.5, voided_s=1.0)]))
        verdict = judge_orders(truth(*orders), ledger)
        assert (verdict["latency_p50_s"], verdict["latency_p99_s"]) == (50.0, 99.0)

    def test_percentiles_of_few_are_some_of_them(self, ledger: Ledger) -> None:
        verdict = judge_orders(truth(shipped(1, label_s=1.0), shipped(2, label_s=9.0)), ledger)
        assert (verdict["latency_p50_s"], verdict["latency_p99_s"]) == (1.0, 9.0)

    def test_calls_over_a_limit_are_counted(self, ledger: Ledger) -> None:
        assert judge_orders(truth(throttled=3), ledger)["throttled"] == 3


class TestBooks:
    def test_money_of_providers_and_books_stand_beside_each_other(self, ledger: Ledger) -> None:
        record(ledger, booked(1), settled_order(order_observed(2), payment_observed(2, refunded=gbp(300))))
        facts = [
            {"kind": "captured", "amount_minor": 1250},
            {"kind": "captured", "amount_minor": 1249},
            {"kind": "refunded", "amount_minor": 300},
            {"kind": "order_accepted"},
        ]
        assert judge_money(truth(facts=facts), ledger) == {
            "captured_minor": 2499, "refunded_minor": 300, "books_captured_minor": 2500, "books_refunded_minor": 300
        }  # fmt: skip

    def test_what_a_card_paid_in_another_currency_counts_in_the_shops(self, ledger: Ledger) -> None:
        facts = [
            {"kind": "payment_authorised", "payment_id": "pi_1", "amount_minor": 2480, "shop_minor": 1250},
            {"kind": "captured", "payment_id": "pi_1", "amount_minor": 2480},
            {"kind": "refunded", "payment_id": "pi_1", "amount_minor": 1240},
            {"kind": "captured", "payment_id": "another", "amount_minor": 100},
        ]
        money = judge_money(truth(facts=facts), ledger)
        assert (money["captured_minor"], money["refunded_minor"]) == (1350, 625)

    def test_empty_books_hold_no_money(self, ledger: Ledger) -> None:
        assert set(judge_money(truth(), ledger).values()) == {0}

    def test_documents_are_counted_by_kind(self, ledger: Ledger) -> None:
        record(ledger, document("C1"), document("C2"), document("W1", kind="write_off"))
        assert recorded_documents(ledger) == {"credit": 2, "write_off": 1}

    def test_what_is_not_finished_is_left_over(self, ledger: Ledger) -> None:
        assert set(left_over(ledger).values()) == {0}
        tell(ledger, payment_observed())
        assert left_over(ledger) == {
            "inbox_received": 1, "inbox_claimed": 0, "inbox_parked": 0, "inbox_dead": 0, "outbox_pending": 0,
            "outbox_in_flight": 0, "outbox_dead": 0,
        }  # fmt: skip
        assert waits(left_over(ledger))

    def test_what_is_parked_or_dead_does_not_go_on_by_itself(self, ledger: Ledger) -> None:
        stuck = {name: int(name.endswith(("parked", "dead"))) for name in left_over(ledger)}
        assert sum(stuck.values()) == 3
        assert not waits(stuck)

    def test_what_a_reconciliation_published_is_read_back(self, tmp_path: Path) -> None:
        assert books_of(tmp_path) == validations_of(tmp_path) == {}
        (tmp_path / "books").mkdir()
        content = {"books": {"checked": {"orders": 2}}, "validations": {"failed": []}}
        (tmp_path / "books" / "latest.json").write_text(json.dumps(content))
        assert books_of(tmp_path) == {"checked": {"orders": 2}}
        assert validations_of(tmp_path) == {"failed": []}


class TestSettled:
    @pytest.mark.parametrize(
        ("told", "is_settled"),
        [
            (shipped(), True),
            (order(), False),
            (order(total_minor=0), True),
            (order(total_minor=0, labels=[label()]), False),
            (order(cancelled_s=1.0), True),
            (order(cancelled_s=1.0, labels=[label()]), False),
            (order(cancelled_s=1.0, labels=[label(voided_s=2.0)]), True),
            (order(cancelled_s=1.0, labels=[label(scans=["AC"])]), True),
        ],
    )
    def test_every_order_has_found_its_end(self, told: dict[str, Any], is_settled: bool) -> None:
        assert settled(truth(told)) is is_settled
        assert settled(truth(shipped(2), told)) is is_settled
