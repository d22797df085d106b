"""An order lives through anything in any order, and hears of it late, twice and out of turn."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.domain.orders import ROUTES, STORE, record
from tests.unit.domain.world import World, is_settled
from tradewind.domain.balance import returned
from tradewind.domain.commands import BuyLabel, CancelPayment, CapturePayment, RefundPayment, VoidLabel
from tradewind.domain.lifecycle import may_move
from tradewind.domain.money import Money
from tradewind.domain.order import HoldReason, Order, Risk
from tradewind.domain.planner import plan
from tradewind.domain.reducer import OrderEvent, new_order, reduce_order
from tradewind.domain.refunds import is_of_excess
from tradewind.domain.states import left_parcels, state_of
from tradewind.domain.stock import Availability, StockMovement, availability, movements_of


class OrderMachine(RuleBasedStateMachine):
    """The outbox keeps a key once: `asked`. What was not sent yet goes as it is wanted when it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.order: Order = new_order(STORE, "1").model_copy(update={"live": True})
        self.told: list[OrderEvent] = []
        self.late: list[OrderEvent] = []
        self.asked: set[str] = set()
        self.performed: set[str] = set()
        self.moved: list[StockMovement] = []

    def tell(self, events: list[OrderEvent], *, late: bool = False) -> None:
        self.told += events
        self.late += events
        if not late:
            self.hear_all()

    def hear_all(self) -> None:
        for event in self.late:
            self.hear(event)
        self.late = []

    def hear(self, event: OrderEvent) -> None:
        before, self.order = self.order, reduce_order(self.order, event).order
        assert may_move(state_of(before), state_of(self.order)), (state_of(before), state_of(self.order), event)
        self.moved += movements_of(self.order, before, step=str(len(self.moved)))
        for command in plan(self.order, ROUTES):
            self.asked.add(command.key)

    @initialize()
    def place(self) -> None:
        self.tell([self.world.order()])

    @precondition(lambda self: len(self.world.payments) < 3)
    @rule(amount=st.integers(1, 3000) | st.just(0), late=st.booleans())
    def authorise(self, amount: int, late: bool) -> None:
        """For any amount, or for what the order comes to."""
        self.tell(self.world.authorise(amount or self.world.total), late=late)

    @rule(risk=st.sampled_from([Risk.NONE, Risk.LOW, *Risk]), late=st.booleans())
    def assess(self, risk: Risk, late: bool) -> None:
        self.tell(self.world.assess(risk), late=late)

    @rule(held=st.booleans(), reason=st.sampled_from(HoldReason), told=st.booleans())
    def hold(self, held: bool, reason: HoldReason, told: bool) -> None:
        self.tell(self.world.hold(held, reason, told))

    @rule(units=st.integers(-1, 2), late=st.booleans())
    def edit(self, units: int, late: bool) -> None:
        self.tell(self.world.edit(units), late=late)

    @rule(units=st.integers(0, 2), amount=st.integers(1, 900), late=st.booleans())
    def refund(self, units: int, amount: int, late: bool) -> None:
        self.tell(self.world.refund(units, amount), late=late)

    @precondition(lambda self: self.world.captured)
    @rule(amount=st.integers(1, 600), late=st.booleans())
    def give_back_by_hand(self, amount: int, late: bool) -> None:
        """A person at the processor, who tells nobody."""
        name = max(self.world.payments, key=lambda one: self.world.payments[one]["captured"].minor)
        self.tell(self.world.give_back(name, amount), late=late)

    @rule(status=st.sampled_from(["requested", "open", "declined", "closed"]))
    def send_back(self, status: str) -> None:
        self.tell(self.world.send_back(status))

    @precondition(lambda self: len(self.performed) > 1)
    @rule(late=st.booleans())
    def cancel(self, late: bool) -> None:
        self.tell(self.world.cancel(), late=late)

    @rule(status=st.sampled_from(["needs_response", "under_review", "won", "lost"]), late=st.booleans())
    def dispute(self, status: str, late: bool) -> None:
        self.tell(self.world.disputed(status), late=late)

    @precondition(lambda self: self.world.labels)
    @rule(data=st.data(), late=st.booleans())
    def scan(self, data: st.DataObject, late: bool) -> None:
        label = data.draw(st.sampled_from(sorted(self.world.labels)))
        status = data.draw(st.sampled_from(["accepted", "in_transit", "failed_attempt", "delivered"]))
        self.tell(self.world.scan(label, status), late=late)

    @precondition(lambda self: self.asked - self.performed)
    @rule(data=st.data(), late=st.booleans())
    def perform(self, data: st.DataObject, late: bool) -> None:
        """A command of the outbox goes if the record still asks for it: the look right before the call."""
        key = data.draw(st.sampled_from(sorted(self.asked - self.performed)))
        wanted = {command.key: command for command in plan(self.order, ROUTES)}
        if key in wanted:
            self.performed.add(key)
            self.tell(self.world.perform(wanted[key]), late=late)

    @rule()
    def work_on(self) -> None:
        """Everybody does what is asked for, until nothing is."""
        self.hear_all()
        while wanted := [c for c in plan(self.order, ROUTES) if c.key not in self.performed]:
            self.performed.add(wanted[0].key)
            self.tell(self.world.perform(wanted[0]))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def hear_late(self, data: st.DataObject) -> None:
        arrived = data.draw(st.permutations(self.late))
        self.late = arrived
        self.hear_all()

    @rule(data=st.data())
    def hear_again(self, data: st.DataObject) -> None:
        heard = [event for event in self.told if event not in self.late]
        if heard:
            known = self.order
            self.hear(data.draw(st.sampled_from(heard)))
            assert self.order == known

    @invariant()
    def no_more_is_captured_than_the_total(self) -> None:
        balance = self.order.balance()
        wanted = [c.amount for c in plan(self.order, ROUTES) if isinstance(c, CapturePayment)]
        if balance is not None and wanted:
            assert balance.taken + Money.total(wanted, "GBP") <= balance.due <= self.order.placed.total
        assert self.world.captured <= self.world.total

    @invariant()
    def nothing_is_captured_or_released_twice(self) -> None:
        if not is_settled(self.world, self.order):
            return
        for command in plan(self.order, ROUTES):
            if isinstance(command, CapturePayment | CancelPayment):
                assert self.world.payments[command.payment]["state"] == "authorized"

    @invariant()
    def no_more_is_given_back_than_was_captured(self) -> None:
        for payment in self.order.payments:
            back = [
                c.amount
                for c in plan(self.order, ROUTES)
                if isinstance(c, RefundPayment) and c.payment == payment.external_id
            ]
            assert Money.total(back, "GBP") <= payment.captured

    @invariant()
    def what_is_asked_back_as_too_much_is_not_missing_afterwards(self) -> None:
        """With all that is asked for given back, no less is kept than the order costs, unless less was taken."""
        balance, placed = self.order.balance(), self.order.placed
        wanted = [c for c in plan(self.order, ROUTES) if isinstance(c, RefundPayment)]
        if balance is None or placed is None or placed.cancelled_at or not any(map(is_of_excess, wanted)):
            return
        left = balance.taken - balance.given_back - Money.total((c.amount for c in wanted), "GBP")
        assert left >= balance.due - returned(placed, "GBP")

    @invariant()
    def no_money_is_taken_while_the_risk_is_not_accepted(self) -> None:
        placed = self.order.placed
        if placed is not None and placed.risk in (Risk.MEDIUM, Risk.HIGH, Risk.PENDING) and not self.world.accepted:
            assert not any(isinstance(command, CapturePayment) for command in plan(self.order, ROUTES))

    @invariant()
    def a_label_is_bought_only_for_what_is_paid_and_wanted(self) -> None:
        placed = self.order.placed
        for command in plan(self.order, ROUTES):
            if isinstance(command, BuyLabel):
                assert self.order.is_paid
                assert placed is not None
                assert placed.cancelled_at is None
                assert not self.order.is_held_for_risk
                assert not placed.on_hold
                assert not self.order.is_disputed()
            if isinstance(command, VoidLabel):
                assert command.label not in {label.external_id for label in left_parcels(self.order)}

    @invariant()
    def a_plan_names_each_thing_once_and_always_alike(self) -> None:
        keys = [command.key for command in plan(self.order, ROUTES)]
        stored = Order.model_validate_json(self.order.model_dump_json())
        assert len(set(keys)) == len(keys)
        assert [command.key for command in plan(stored, ROUTES)] == keys

    @invariant()
    def no_parcel_is_sent_twice(self) -> None:
        assert len(self.world.labels) == len({label["external_shipment_id"] for label in self.world.labels.values()})

    def teardown(self) -> None:
        """However the same was told, the record is the same, and so is the stock. Nothing that was too much is kept."""
        self.hear_all()
        self.work_on()
        balance, placed = self.order.balance(), self.order.placed
        spoilt = self.order.disputes or self.world.cancelled or self.world.refused
        if placed is not None and balance is not None and not spoilt:
            assert balance.taken - balance.given_back <= max(balance.due - returned(placed, "GBP"), Money.zero("GBP"))
        for arrived in (self.told, self.told[::-1], sorted(self.told, key=lambda one: one.model_dump_json())):
            assert record(*arrived, *arrived[::2]) == self.order
        assert standing(self.moved) == standing(movements_of(self.order))


def standing(movements: Iterable[StockMovement]) -> dict[tuple[str, str], Availability]:
    """What stands where, without the places at which nothing does."""
    return {place: held for place, held in availability(movements).items() if held != Availability()}


TestOrderMachine = OrderMachine.TestCase
TestOrderMachine.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
