"""Stock: movements add up, each has one cause, and an order's follow from its record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.orders import AT, line, order_observed, parcel, record, shipped_work, work
from tradewind.domain.stock import Availability, MovementKind, StockMovement, availability, movements_of

HERE = ("MUG", "shed")


def moved(kind: MovementKind, quantity: int, cause: str = "c", place: tuple[str, str] = HERE) -> StockMovement:
    return StockMovement(sku=place[0], location=place[1], kind=kind, quantity=quantity, cause=cause)


movements = st.builds(
    moved, st.sampled_from(MovementKind), st.integers(0, 50), st.just("c"), st.sampled_from((HERE, ("MUG", "attic")))
)


class TestAvailability:
    @pytest.mark.parametrize(
        ("kind", "on_hand", "reserved"),
        [
            (MovementKind.COUNTED, 13, 4),
            (MovementKind.ADJUSTED, 13, 4),
            (MovementKind.RETURNED, 13, 4),
            (MovementKind.RESERVED, 10, 7),
            (MovementKind.RELEASED, 10, 1),
            (MovementKind.SHIPPED, 7, 1),
        ],
    )
    def test_each_kind_moves_what_it_says(self, kind: MovementKind, on_hand: int, reserved: int) -> None:
        after = Availability(on_hand=10, reserved=4).after(moved(kind, 3))
        assert (after.on_hand, after.reserved) == (on_hand, reserved)

    def test_available_is_what_is_not_sold(self) -> None:
        assert Availability(on_hand=10, reserved=4).available == 6
        assert Availability(on_hand=1, reserved=4).available == -3

    @given(st.lists(movements), st.data())
    def test_the_order_of_movements_does_not_matter(self, made: list[StockMovement], data: st.DataObject) -> None:
        assert availability(data.draw(st.permutations(made))) == availability(made)

    @given(st.lists(movements))
    def test_places_are_counted_apart(self, made: list[StockMovement]) -> None:
        here = availability(one for one in made if (one.sku, one.location) == HERE)
        assert here.get(HERE) == availability(made).get(HERE)

    @given(st.integers(1, 50), st.integers(0, 50))
    def test_shipping_what_is_reserved_leaves_the_available_as_it_was(self, quantity: int, on_hand: int) -> None:
        start = Availability(on_hand=on_hand).after(moved(MovementKind.RESERVED, quantity))
        assert start.after(moved(MovementKind.SHIPPED, quantity)).available == start.available
        assert start.after(moved(MovementKind.RELEASED, quantity)) == Availability(on_hand=on_hand)


class TestMovementsOfAnOrder:
    def kinds(self, **changes: object) -> list[tuple[str, int]]:
        return [(one.kind.value, one.quantity) for one in movements_of(record(order_observed(**changes)))]

    def test_a_placed_order_reserves_where_it_will_be_shipped_from(self) -> None:
        assert movements_of(record(order_observed())) == (
            moved(MovementKind.RESERVED, 2, "shopify:north/1/fo-1/line-1/reserved"),
        )

    def test_a_shipped_one_has_reserved_and_shipped(self) -> None:
        shipped = {"fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),)}
        assert self.kinds(**shipped) == [("reserved", 2), ("shipped", 2)]

    def test_a_cancelled_one_gives_back_what_was_not_shipped(self) -> None:
        works = (shipped_work(), work("fo-2"))
        moved = self.kinds(cancelled_at=AT, fulfillment_orders=works, fulfillments=(parcel(),))
        assert moved == [("reserved", 2), ("shipped", 2), ("reserved", 2), ("released", 2)]

    def test_a_parcel_that_was_called_back_is_not_shipped(self) -> None:
        assert self.kinds(fulfillments=(parcel(status="cancelled"),)) == [("reserved", 2)]

    @pytest.mark.parametrize(
        "changes",
        [
            {"lines": (line(requires_shipping=False),)},
            {"lines": (line(sku=None),)},
            {"lines": (line("line-9"),)},
            {"fulfillment_orders": (work(assigned=(("line-1", 0),)),)},
            {"fulfillment_orders": ()},
        ],
        ids=["no parcel", "no SKU", "another line", "nothing of it", "no work"],
    )
    def test_what_is_no_stock_moves_none(self, changes: dict[str, object]) -> None:
        assert self.kinds(**changes) == []

    def test_an_order_that_is_not_live_or_not_described_moves_none(self) -> None:
        assert movements_of(record(order_observed(), live=False)) == movements_of(record()) == ()

    def test_the_same_record_has_the_same_causes(self) -> None:
        order = record(order_observed(fulfillment_orders=(work(), work("fo-2"))))
        causes = [one.cause for one in movements_of(order)]
        assert causes == [one.cause for one in movements_of(order)]
        assert len(set(causes)) == len(causes) == 2

    def test_a_whole_story_ends_with_nothing_reserved(self) -> None:
        stages = (
            record(order_observed()),
            record(order_observed(fulfillment_orders=(shipped_work(),), fulfillments=(parcel(),))),
        )
        recorded = {one.cause: one for stage in stages for one in movements_of(stage)}
        assert availability(recorded.values()) == {HERE: Availability(on_hand=-2, reserved=0)}
