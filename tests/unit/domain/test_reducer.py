"""The reducer: snapshots by version, facts by id, and the same record whatever the order of arrival."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.orders import (
    AT,
    CARRIER,
    PROCESSOR,
    STORE,
    after,
    captured,
    label_observed,
    order_observed,
    payment_observed,
    record,
    refund,
    refund_recorded,
    scanned,
    shipment_of,
    transaction,
)
from tradewind.domain.order import LabelState, Order
from tradewind.domain.reducer import (
    CLOCKS,
    OrderEvent,
    Verdict,
    is_news,
    links_of,
    links_to,
    new_order,
    payment_link,
    reduce_order,
    resource_link,
    shipment_link,
    tracking_link,
)

FINGERPRINTED = order_observed(fingerprint="paid/1")


class TestSnapshots:
    @pytest.mark.parametrize("observed", [order_observed, payment_observed, label_observed])
    def test_the_first_one_makes_the_record(self, observed: object) -> None:
        order, verdict = reduce_order(new_order(STORE, "1"), observed())  # type: ignore[operator]
        assert verdict is Verdict.APPLIED
        assert order != new_order(STORE, "1")
        assert order.id == "shopify:north/1"

    def test_a_newer_one_replaces_the_whole(self) -> None:
        order = record(order_observed(name="#1"), order_observed(name="#2", version=after(1)))
        assert order.placed is not None
        assert order.placed.name == "#2"

    def test_an_older_one_is_superseded(self) -> None:
        known = record(order_observed(name="#2", version=after(1)))
        assert reduce_order(known, order_observed(name="#1")) == (known, Verdict.SUPERSEDED)

    def test_the_same_one_again_is_superseded(self) -> None:
        known = record(payment_observed())
        assert reduce_order(known, payment_observed()) == (known, Verdict.SUPERSEDED)

    def test_the_same_version_with_other_content_is_a_tie_and_changes_nothing(self) -> None:
        known = record(order_observed(name="#1"))
        assert reduce_order(known, order_observed(name="#2")) == (known, Verdict.TIE)

    def test_a_read_that_was_made_to_settle_it_wins_a_tie(self) -> None:
        known = record(order_observed(name="#1"))
        order, verdict = reduce_order(known, order_observed(name="#2"), authoritative=True)
        assert verdict is Verdict.APPLIED
        assert order.placed is not None
        assert order.placed.name == "#2"

    def test_an_old_read_settles_nothing(self) -> None:
        known = record(order_observed(name="#1", version=after(1)))
        assert reduce_order(known, order_observed(name="#2"), authoritative=True) == (known, Verdict.SUPERSEDED)

    def test_versions_are_compared_per_resource(self) -> None:
        order = record(
            payment_observed("pi-1", version=after(9)), payment_observed("pi-2"), label_observed(), order_observed()
        )
        assert [payment.external_id for payment in order.payments] == ["pi-1", "pi-2"]
        assert len(order.labels) == 1
        assert order.placed is not None
        assert set(order.versions) == {
            "shopify:north/order/1",
            "stripe:main/payment/pi-1",
            "stripe:main/payment/pi-2",
            "shipstation:main/label/se-1",
        }

    def test_two_accounts_may_have_the_same_id(self) -> None:
        order = record(
            payment_observed(),
            payment_observed(connection="stripe:second"),
            label_observed(),
            label_observed(connection="shipstation:second"),
        )
        assert [payment.connection for payment in order.payments] == [PROCESSOR, "stripe:second"]
        assert [label.connection for label in order.labels] == [CARRIER, "shipstation:second"]

    def test_a_void_label_stays_in_the_record_as_void(self) -> None:
        order = record(label_observed(), label_observed(version=after(1), state=LabelState.VOIDED))
        assert [label.state for label in order.labels] == [LabelState.VOIDED]


class TestFacts:
    def test_a_refund_is_added_once(self) -> None:
        once = record(refund_recorded())
        assert reduce_order(once, refund_recorded()) == (once, Verdict.SUPERSEDED)
        assert [one.external_id for one in once.refunds] == ["r-1"]

    def test_a_refund_is_never_taken_away_by_a_snapshot(self) -> None:
        order = record(
            refund_recorded("r-9"), order_observed(refunds=(refund("r-1"),)), captured(refunds=[refund("re")])
        )
        assert [one.external_id for one in order.refunds] == ["r-1", "r-9", "re"]

    def test_of_two_tellings_of_a_refund_the_fuller_stays(self) -> None:
        full = refund(restocked=(("line-1", 1),))
        for events in (
            (refund_recorded(), order_observed(refunds=(full,))),
            (order_observed(refunds=(full,)), refund_recorded()),
        ):
            assert record(*events).refunds == (full,)

    def test_a_scan_is_added_once(self) -> None:
        once = record(label_observed(), scanned())
        assert reduce_order(once, scanned()) == (once, Verdict.SUPERSEDED)

    def test_the_latest_scan_is_the_parcels_status(self) -> None:
        order = record(label_observed(), scanned("delivered", after(60)), scanned("in_transit", after(5)))
        assert order.labels[0].tracking_status == "delivered"

    def test_scans_are_ordered_by_time_whatever_the_offset_they_tell_it_in(self) -> None:
        elsewhere = after(60).astimezone(timezone(timedelta(hours=-5)))
        order = record(label_observed(), scanned("in_transit", after(5)), scanned("delivered", elsewhere))
        assert order.labels[0].tracking_status == "delivered"
        assert (
            record(label_observed(), scanned("x", after(60)), scanned("x", elsewhere)).facts
            == record(label_observed(), scanned("x", after(60))).facts
        )

    def test_a_scan_before_its_label_is_not_forgotten(self) -> None:
        assert record(scanned("delivered"), label_observed()).labels[0].tracking_status == "delivered"

    def test_a_scan_changes_its_own_parcel_alone(self) -> None:
        order = record(label_observed(), label_observed("se-2", tracking_number="T-2"), scanned("delivered"))
        assert [label.tracking_status for label in order.labels] == ["delivered", None]

    def test_a_labels_own_word_stands_until_a_scan_is_known(self) -> None:
        order = record(label_observed(tracking_status="unknown"))
        assert order.labels[0].tracking_status == "unknown"
        assert reduce_order(order, scanned()).order.labels[0].tracking_status == "in_transit"


class TestLinks:
    def test_a_payment_names_its_order_by_its_id_and_by_the_checkouts(self) -> None:
        assert links_to(payment_observed()) == (
            resource_link(PROCESSOR, "payment", "pi-1"), payment_link("pay-1")
        )  # fmt: skip
        assert links_to(payment_observed(payment_id=None)) == (resource_link(PROCESSOR, "payment", "pi-1"),)

    def test_a_label_waits_for_the_shipment_that_it_was_bought_for(self) -> None:
        assert links_to(label_observed()) == (
            resource_link(CARRIER, "label", "se-1"), shipment_link(shipment_of("fo-1"))
        )  # fmt: skip

    def test_a_scan_names_its_order_by_the_tracking_number(self) -> None:
        assert links_to(scanned()) == (tracking_link("T-1"),)

    def test_what_the_storefront_tells_names_its_order_itself(self) -> None:
        assert links_to(order_observed()) == links_to(refund_recorded()) == ()

    @pytest.mark.parametrize("event", [payment_observed(), label_observed(), scanned()])
    def test_a_record_is_found_by_whatever_may_come_to_it(self, event: OrderEvent) -> None:
        known = record(order_observed(), payment_observed(), label_observed())
        assert set(links_to(event)) <= links_of(known)

    def test_what_is_not_known_gives_no_link(self) -> None:
        assert links_of(new_order(STORE, "1")) == frozenset()
        bare = record(
            order_observed(transactions=(transaction(payment_id=None),), fulfillment_orders=()),
            label_observed(tracking_number=None),
        )
        assert links_of(bare) == {
            shipment_link(shipment_of("fo-1")), resource_link(CARRIER, "label", "se-1")
        }  # fmt: skip


class TestHints:
    RESOURCE = "shopify:north/order/1"

    def test_one_of_an_unknown_resource_is_news(self) -> None:
        assert is_news(None, self.RESOURCE, AT, "x")
        assert is_news(record(payment_observed()), self.RESOURCE, AT, "x")

    def test_one_that_tells_no_version_is_news(self) -> None:
        assert is_news(record(FINGERPRINTED), self.RESOURCE, None, None)

    def test_a_newer_one_is_news_and_an_older_is_not(self) -> None:
        known = record(FINGERPRINTED)
        assert is_news(known, self.RESOURCE, after(1), "paid/1")
        assert not is_news(known, self.RESOURCE, after(-1), "paid/2")

    def test_one_of_the_same_second_is_news_unless_it_shows_the_same(self) -> None:
        known = record(FINGERPRINTED)
        assert not is_news(known, self.RESOURCE, AT, "paid/1")
        assert is_news(known, self.RESOURCE, AT, "paid/2")
        assert is_news(known, self.RESOURCE, AT, None)


class TestClocks:
    """What no provider dates is dated by ours: of two readers, within seconds, nobody knows whose was first."""

    HELD, TAKEN = payment_observed(version=after(10)), captured(version=after(9))

    def test_what_our_own_write_showed_is_read_again_when_a_reading_of_the_moment_hides_it(self) -> None:
        known = record(self.HELD)
        assert reduce_order(known, self.TAKEN) == (known, Verdict.TIE)
        settled = reduce_order(known, captured(version=after(8)), authoritative=True)
        assert (settled.verdict, settled.order.payments[0].captured.minor) == (Verdict.APPLIED, 1250)
        assert settled.order.versions[f"{PROCESSOR}/payment/pi-1"][0] == after(10)

    def test_less_money_than_before_is_read_again(self) -> None:
        known = record(self.TAKEN)
        assert reduce_order(known, self.HELD) == (known, Verdict.TIE)
        assert reduce_order(known, self.HELD, authoritative=True).verdict is Verdict.APPLIED

    def test_what_is_older_than_clocks_are_apart_is_superseded(self) -> None:
        known = record(self.HELD)
        old = captured(version=after(10) - CLOCKS - timedelta(milliseconds=1))
        assert reduce_order(known, old).verdict is Verdict.SUPERSEDED
        assert reduce_order(known, old, authoritative=True).verdict is Verdict.SUPERSEDED

    def test_a_storefront_dates_its_orders_itself(self) -> None:
        known = record(order_observed(version=after(1), name="#2"))
        assert reduce_order(known, order_observed(version=after(0))).verdict is Verdict.SUPERSEDED


REFUNDS = tuple(refund(f"r-{number}", 100 * number, restocked=(("line-1", number),)) for number in (1, 2, 3))
STATUSES = ("in_transit", "delivered", "exception")


@st.composite
def stories(draw: st.DrawFn) -> list[OrderEvent]:
    """What happened to one order: every version of every resource says one thing, and money and refunds only grow.

    What is dated by our clocks is further apart than they may be.
    """
    told: list[OrderEvent] = []
    for version, refunded in enumerate(sorted(draw(st.lists(st.integers(0, len(REFUNDS)), max_size=4)))):
        told.append(order_observed(version=after(version), name=f"#{version}", refunds=REFUNDS[:refunded]))
    for payment in ("pi-1", "pi-2")[: draw(st.integers(0, 2))]:
        for version, amount in enumerate(sorted(draw(st.lists(st.integers(0, 1250), max_size=3)))):
            told.append(captured(external_id=payment, version=after(10 * version), amount=amount))
    for label in ("se-1", "se-2")[: draw(st.integers(0, 2))]:
        for version in range(draw(st.integers(0, 3))):
            state = draw(st.sampled_from(LabelState))
            status = draw(st.sampled_from((None, *STATUSES)))
            number = draw(st.sampled_from((None, "T-1", "T-2")))
            told.append(
                label_observed(
                    label, version=after(10 * version), state=state, tracking_status=status, tracking_number=number
                )
            )
    told += [refund_recorded(one.external_id, one.amount.minor) for one in draw(st.lists(st.sampled_from(REFUNDS)))]
    scans = st.builds(scanned, st.sampled_from(STATUSES), st.integers(0, 5).map(after), st.sampled_from(("T-1", "T-2")))
    return told + draw(st.lists(scans, max_size=4))


def replayed(events: list[OrderEvent]) -> Order:
    return record(*events)


@given(stories(), st.data())
def test_any_order_and_repetition_of_events_ends_in_the_same_record(
    events: list[OrderEvent], data: st.DataObject
) -> None:
    repeated = events + (data.draw(st.lists(st.sampled_from(events), max_size=6)) if events else [])
    arrived = data.draw(st.permutations(repeated))
    assert replayed(arrived) == replayed(events)
    assert replayed(arrived).model_dump_json(exclude={"versions"}) == replayed(events).model_dump_json(
        exclude={"versions"}
    )


@given(stories())
def test_everything_told_again_is_superseded(events: list[OrderEvent]) -> None:
    known = replayed(events)
    for event in events:
        assert reduce_order(known, event) == (known, Verdict.SUPERSEDED)


@given(stories(), st.sampled_from(["#a", "#b"]), st.data())
def test_after_a_tie_the_read_that_settles_it_decides(events: list[OrderEvent], name: str, data: st.DataObject) -> None:
    rivals = [order_observed(version=after(9), name=rival, refunds=REFUNDS) for rival in ("#a", "#b", "#c")]
    arrived = data.draw(st.permutations([*events, *rivals]))
    truth = order_observed(version=after(9), name=name, refunds=REFUNDS)
    settled = reduce_order(record(*arrived), truth, authoritative=True).order
    assert settled == record(*events, truth)


@given(stories())
def test_a_record_survives_being_stored(events: list[OrderEvent]) -> None:
    known = replayed(events)
    assert Order.model_validate_json(known.model_dump_json()) == known
