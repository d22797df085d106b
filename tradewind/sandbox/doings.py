"""Acts the fate of an order out: what the merchant, the shopper and the bank do after it was placed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tradewind.sandbox.checkout import PROCESSOR_ACCOUNT, PROCESSOR_STORE, Checkout
from tradewind.sandbox.life import Fate
from tradewind.sandbox.shopify.money import rounded
from tradewind.sandbox.shopify.payment import fulfillment_status, owed, received
from tradewind.sandbox.stripe.events import NOBODY

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shopify.desk import Desk
    from tradewind.sandbox.shopify.order import StoreOrder
    from tradewind.sandbox.timetable import Timetable

# What follows shipping waits for it; an order that has not gone out by then is left alone.
_LONGEST_WAIT_S: Final = 900.0
_LOOK_EVERY_S: Final = 0.5
_STEP_S: Final = 1.0  # between the steps of one doing
_COMPLAINT: Final = "product_not_received"


@dataclass(frozen=True)
class Case:
    """One order whose fate is acted out."""

    store: str
    order: StoreOrder
    fate: Fate
    desk: Desk

    @property
    def is_shipped(self) -> bool:
        """Everything that has to leave has left."""
        return fulfillment_status(self.order) == "FULFILLED"

    @property
    def is_over(self) -> bool:
        """It will not be shipped any more."""
        return self.order.cancelled_at is not None


class Doings:
    """Of one world."""

    def __init__(self, sandbox: Sandbox, checkout: Checkout, timetable: Timetable) -> None:
        self._sandbox = sandbox
        self._checkout = checkout
        self._timetable = timetable
        self._before: dict[str, Callable[[Case], object]] = {
            "line_added": self._add_line,
            "quantity_lowered": self._lower_quantity,
            "reviewed": self._accept,
            "fraud": self._cancel_fraud,
        }
        self._after: dict[str, Callable[[Case], object]] = {
            "units_refunded": self._refund_units,
            "amount_refunded": self._refund_amount,
            "shipping_refunded": lambda case: case.desk.refund(case.order.id, shipping=True),
            "returned": self._request_return,
            "late_cancel": self._cancel_late,
            "dispute_won": self._dispute,
            "dispute_lost": self._dispute,
            "dispute_open": self._dispute,
        }

    def follow(self, store: str, order: StoreOrder, fate: Fate) -> None:
        """Let it take its course."""
        case = Case(store, order, fate, self._sandbox.shopify[store].desk)
        if act := self._before.get(fate.doing or ""):
            self._timetable.later(fate.after_s, partial(act, case))
        elif act := self._after.get(fate.doing or ""):
            self._when(lambda: case.is_shipped or case.is_over, partial(self._once_shipped, case, act))

    def take_back_undeliverable(self, external_order_id: str | None) -> None:
        """A parcel has come back to the sender: the goods go on the shelf again, the shopper gets the money."""
        number = (external_order_id or "").rpartition("/")[2]
        for name, store in self._sandbox.shopify.items():
            order = store.orders.get(int(number)) if number.isdigit() else None
            if order is not None and not order.returns and store.desk.open_return(order.id):
                self._bring_back(Case(name, order, Fate(), store.desk))

    def _once_shipped(self, case: Case, act: Callable[[Case], object]) -> None:
        if case.is_shipped:
            self._timetable.later(case.fate.after_s, partial(act, case))

    def _when(self, ready: Callable[[], bool], act: Callable[[], object]) -> None:
        self._timetable.when(ready, act, every_s=_LOOK_EVERY_S, at_most_s=_LONGEST_WAIT_S)

    def _then(self, *steps: Callable[[], object]) -> None:
        """One after another, a step apart."""
        for number, step in enumerate(steps, start=1):
            self._timetable.later(number * _STEP_S, step)

    # While it waits: changed or looked at, then let go

    def _add_line(self, case: Case) -> None:
        """One more of something: what it costs is paid before the order goes out."""
        known = {line.sku for line in case.order.lines}
        goods = self._sandbox.shopify[case.store].catalog.by_sku.values()
        extra = next(each for each in goods if each.sku not in known and each.requires_shipping)
        case.desk.edit(case.order.id, add={extra.sku: 1})
        self._collect(case)
        self._then(lambda: case.desk.release(case.order.id))

    def _lower_quantity(self, case: Case) -> None:
        """One unit less of the first line; what was taken for it already goes back."""
        line = case.order.lines[0]
        if sum(each.current_quantity for each in case.order.lines) > 1:
            case.desk.edit(case.order.id, set_to={line.id: line.current_quantity - 1})
        self._then(lambda: case.desk.release(case.order.id))
        self._when(lambda: received(case.order) > 0 or case.is_over, lambda: case.desk.give_back_excess(case.order.id))

    def _collect(self, case: Case) -> None:
        if case.store != PROCESSOR_STORE:
            case.desk.collect(case.order.id, gateway="shopify_payments", kind="sale")
        elif (amount := owed(case.order)) > 0:
            self._checkout.authorise_more(case.order, amount, case.fate.payment_id)
            case.desk.collect(case.order.id, gateway="stripe", kind="pending", payment_id=case.fate.payment_id)

    def _accept(self, case: Case) -> None:
        """Someone has looked at it, and it is all right."""
        case.desk.assess(case.order.id, "ACCEPT", "LOW")
        case.desk.release(case.order.id)

    def _cancel_fraud(self, case: Case) -> None:
        self._sandbox.shopify[case.store].cancel_order(case.order.id, reason="FRAUD", refund=True)

    # Once it has left

    def _refund_units(self, case: Case) -> None:
        """One unit arrived broken: its price goes back, it does not."""
        case.desk.refund(case.order.id, units={case.order.lines[0].id: 1})

    def _refund_amount(self, case: Case) -> None:
        """A tenth of the price for the trouble."""
        case.desk.refund(case.order.id, amount=rounded(case.order.current_total / 10, case.order.currency))

    def _request_return(self, case: Case) -> None:
        """The shopper sends everything back: asked for, agreed to, received, paid back, closed."""
        case.desk.open_return(case.order.id, requested=True)
        case.desk.approve_return(case.order.id)
        self._bring_back(case)

    def _cancel_late(self, case: Case) -> None:
        """The store refuses to cancel what has left; so it comes back."""
        if not self._sandbox.shopify[case.store].cancel_order(case.order.id, reason="CUSTOMER", refund=True):
            case.desk.open_return(case.order.id)
            self._bring_back(case)

    def _bring_back(self, case: Case) -> None:
        self._then(
            lambda: case.desk.receive_return(case.order.id),
            lambda: case.desk.refund_return(case.order.id),
            lambda: case.desk.close_return(case.order.id),
        )

    def _dispute(self, case: Case) -> None:
        """The cardholder goes to the bank. The merchant answers, unless the dispute stays open."""
        account = self._sandbox.stripe[PROCESSOR_ACCOUNT]
        intent = account.payments.intents[self._checkout.intents[case.order.id]]
        if intent["status"] != "succeeded":
            return
        dispute_id, won = account.dispute_payment(intent["id"], reason=_COMPLAINT), case.fate.doing == "dispute_won"
        if case.fate.doing != "dispute_open":
            evidence = {"shipping_carrier": "Royal Mail"}
            self._then(
                lambda: account.disputes.update(dispute_id, evidence, {}, submit=True, cause=NOBODY),
                lambda: account.disputes.decide(dispute_id, won=won),
            )
