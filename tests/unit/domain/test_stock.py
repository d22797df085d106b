"""Stock: movements add up, each has one cause, and an order's follow from its record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.orders import AT, line, order_observed, parcel, record, refund, shipped_work, work
from tradewind.domain.order import Refund, Return
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
            moved(MovementKind.RESERVED, 2, "shopify:north/1/fo-1/line-1/shed/reserved/"),
        )

    def test_a_shipped_one_has_reserved_and_shipped(self) -> None:
        shipped = {"fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),)}
        assert self.kinds(**shipped) == [("reserved", 2), ("shipped", 2)]

    def test_a_cancelled_one_gives_back_what_was_not_shipped(self) -> None:
        works = (shipped_work(), work("fo-2"))
        kept = {"lines": (line(quantity=4, current_quantity=4),), "fulfillments": (parcel(),)}
        placed, cancelled = (
            {"fulfillment_orders": works} | kept,
            {"fulfillment_orders": works, "cancelled_at": AT} | kept,
        )
        assert self.kinds(**cancelled) == [("reserved", 2), ("shipped", 2)]
        moved = movements_of(record(order_observed(**cancelled)), record(order_observed(**placed)), step="2")
        assert [(one.kind.value, one.quantity) for one in moved] == [("released", 2)]

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
        shipped = {"fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),)}
        assert stock_after({}, shipped) == {HERE: Availability(on_hand=-2, reserved=0)}


def stock_after(*snapshots: dict[str, object]) -> dict[tuple[str, str], Availability]:
    """What stands where after the storefront has told these snapshots one after another."""
    before, recorded = None, {}
    for step, changes in enumerate(snapshots):
        order = record(order_observed(**changes))
        for one in movements_of(order, before, step=str(step)):
            assert one.cause not in recorded
            recorded[one.cause] = one
        before = order
    return availability(recorded.values())


def put_back(units: int, location: str | None = "shed", **changes: object) -> Refund:
    return refund(lines=(("line-1", units),), restocked=(("line-1", location, units),), **changes)


SHIPPED = {"fulfillment_orders": (shipped_work(),), "fulfillments": (parcel(),)}
HALF = work(remaining=(("line-1", 1),))


class TestWhatFollowsAChange:
    @pytest.mark.parametrize(
        ("snapshots", "on_hand", "reserved"),
        [
            (({}, {"fulfillment_orders": (work(assigned=(("line-1", 1),), remaining=(("line-1", 1),)),)}), 0, 1),
            (({}, {"fulfillment_orders": (work(status="cancelled"),)}), 0, 0),
            (({}, {"fulfillment_orders": (work(), work("fo-2"))}), 0, 4),
            (({}, {"fulfillment_orders": (HALF,), "fulfillments": (parcel(),)}), -1, 1),
            (({}, SHIPPED, {"fulfillments": (parcel(status="cancelled"),)}), 0, 2),
            (({}, {"cancelled_at": AT}), 0, 0),
            (({}, SHIPPED, SHIPPED | {"refunds": (put_back(1),)}), -1, 0),
            (({}, SHIPPED, SHIPPED | {"refunds": (put_back(1, None),)}), -2, 0),
        ],
        ids=[
            "an edit takes a unit off", "its work is cancelled", "an edit adds work", "a part is shipped",
            "a parcel is called back", "cancelled", "a unit comes back", "a unit comes back to nowhere",
        ],
    )  # fmt: skip
    def test_the_difference_is_moved(
        self, snapshots: tuple[dict[str, object], ...], on_hand: int, reserved: int
    ) -> None:
        stock = stock_after(*snapshots)[HERE]
        assert (stock.on_hand, stock.reserved) == (on_hand, reserved)

    def test_work_that_moves_takes_its_reservation_along(self) -> None:
        stock = stock_after({}, {"fulfillment_orders": (work(location="attic"),)})
        assert (stock[HERE].reserved, stock["MUG", "attic"].reserved) == (0, 2)

    def test_a_unit_refunded_before_it_ships_is_released_and_never_counted_as_shipped(self) -> None:
        taken_off = refund(lines=(("line-1", 1),), cancelled=(("line-1", 1),))
        left = {"lines": (line(current_quantity=1),), "refunds": (taken_off,), "fulfillments": (parcel(),)}
        rest = work(status="closed", remaining=(("line-1", 0),))
        assert stock_after({}, left | {"fulfillment_orders": (rest,)}) == {HERE: Availability(on_hand=-1)}

    def test_a_unit_that_a_return_tells_of_is_not_counted_again_with_its_refund(self) -> None:
        back = Return(
            external_id="return-1", status="closed", lines=(("line-1", 1),), restocked=(("line-1", "attic", 1),),
            created_at=AT,
        )  # fmt: skip
        told = SHIPPED | {"returns": (back,), "refunds": (put_back(1, return_id="return-1"),)}
        stock = stock_after({}, SHIPPED, told)
        assert (stock[HERE].on_hand, stock["MUG", "attic"].on_hand) == (-2, 1)

    def test_the_same_record_again_moves_nothing(self) -> None:
        order = record(order_observed(**SHIPPED))
        assert movements_of(order, order, step="2") == ()

    @given(st.permutations(range(5)))
    def test_the_end_does_not_depend_on_what_was_seen_on_the_way(self, seen: list[int]) -> None:
        stages: tuple[dict[str, object], ...] = (
            {}, {"fulfillment_orders": (HALF,), "fulfillments": (parcel(),)}, SHIPPED,
            SHIPPED | {"refunds": (put_back(1),)}, {"fulfillment_orders": (work("fo-2"),)},
        )  # fmt: skip
        assert stock_after(*(stages[n] for n in seen), SHIPPED) == stock_after(SHIPPED)
