"""One order as it really is, at its store, processor, carrier and bank; each change is told by an event."""

from __future__ import annotations

from typing import Any

from tests.unit.domain.orders import (
    PROCESSOR,
    STORE,
    after,
    dispute_observed,
    gbp,
    label_observed,
    line,
    order_observed,
    parcel,
    payment_observed,
    refund,
    return_of,
    scanned,
    transaction,
    work,
)
from tradewind.domain.commands import (
    BuyLabel,
    CancelPayment,
    CapturePayment,
    Command,
    CreateFulfillment,
    MarkOrderPaid,
    RefundPayment,
    VoidLabel,
)
from tradewind.domain.events import HoldReleased
from tradewind.domain.order import HoldReason, LabelState, Order, PaymentState, Refund, Return, Risk
from tradewind.domain.reducer import OrderEvent

PRICE = 500


class World:
    """Mugs at 5.00, shipped from one shed. Refusals change nothing, as at a real provider."""

    def __init__(self) -> None:
        self.now = 0
        self.ordered = self.units = self.waiting = 2
        self.sent = 0
        self.risk, self.on_hold, self.cancelled, self.told_paid = Risk.NONE, False, False, False
        self.held_for, self.accepted = HoldReason.OTHER, False
        self.payments: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, dict[str, Any]] = {}
        self.fulfillments: list[dict[str, Any]] = []
        self.refunds: list[Refund] = []
        self.returns: list[Return] = []
        self.dispute: str | None = None
        self.edited = self.refused = False
        self.given: dict[str, list[Refund]] = {}

    @property
    def total(self) -> int:
        return self.ordered * PRICE

    @property
    def captured(self) -> int:
        return sum(payment["captured"].minor for payment in self.payments.values())

    def order(self) -> OrderEvent:
        """The store's view of it now; every telling is newer than the one before."""
        self.now += 1
        closed = self.cancelled or not self.waiting
        return order_observed(
            version=after(self.now), updated_at=after(self.now), risk=self.risk, on_hold=self.on_hold,
            lines=(line(quantity=self.ordered, current_quantity=self.units),), total=gbp(self.total),
            current_total=gbp(self.units * PRICE), fully_paid=self.told_paid, edited=self.edited,
            cancelled_at=after(self.now) if self.cancelled else None,
            transactions=tuple(transaction(f"tx-{pi}", payment_id=f"pay-{pi}") for pi in self.payments),
            fulfillment_orders=(
                work(status="closed" if closed else "open", assigned=(("line-1", self.sent + self.waiting),),
                     remaining=(("line-1", 0 if closed else self.waiting),),
                     holds=(self.held_for,) if self.on_hold and not closed else ()),
            ),
            fulfillments=tuple(parcel(**one) for one in self.fulfillments),
            refunds=tuple(self.refunds), returns=tuple(self.returns),
        )  # fmt: skip

    def payment(self, external_id: str) -> OrderEvent:
        self.now += 1
        given = self.given.get(external_id, ())
        return payment_observed(external_id, version=after(self.now), refunds=given, **self.payments[external_id])

    def label(self, external_id: str) -> OrderEvent:
        self.now += 1
        return label_observed(external_id, version=after(self.now), **self.labels[external_id])

    def authorise(self, amount: int) -> list[OrderEvent]:
        name = f"pi-{len(self.payments)}"
        self.payments[name] = {
            "authorized": gbp(amount), "payment_id": f"pay-{name}", "captured": gbp(0), "refunded": gbp(0),
            "state": PaymentState.AUTHORIZED,
        }  # fmt: skip
        return [self.order(), self.payment(name)]

    def assess(self, risk: Risk) -> list[OrderEvent]:
        self.risk = risk
        return [self.order()]

    def hold(self, held: bool, reason: HoldReason, told: bool) -> list[OrderEvent]:
        """reason: of a new hold. Whoever releases one for the risk accepts it. told: whether a release is heard of."""
        released = self.on_hold and not held
        if held and not self.on_hold:
            self.held_for = reason
        self.on_hold = held
        self.accepted |= released and self.held_for is HoldReason.RISK
        fact = (
            [HoldReleased(connection=STORE, fulfillment_order="fo-1", reason=self.held_for)]
            if released and told
            else []
        )
        return [*fact, self.order()]

    def edit(self, units: int) -> list[OrderEvent]:
        """units: added, or taken off what has not been shipped."""
        if self.cancelled or self.waiting + units < 0:
            return []
        self.edited = True
        self.ordered += max(units, 0)
        self.units += units
        self.waiting += units
        return [self.order()]

    def refund(self, units: int, amount: int) -> list[OrderEvent]:
        """A refund by line of what has not been shipped, or by amount; never more than was taken."""
        given = sum(one.amount.minor for one in self.refunds)
        worth = min(units * PRICE or amount, self.captured - given)
        if worth <= 0 or units > self.waiting or self.cancelled:
            return []
        self.units -= units
        self.waiting -= units
        taken_off = (("line-1", units),) if units else ()
        self.refunds.append(refund(f"r-{len(self.refunds)}", worth, lines=taken_off, cancelled=taken_off))
        return [self.order()]

    def send_back(self, status: str) -> list[OrderEvent]:
        """Everything that was shipped; a return that is there goes on."""
        if not self.sent or self.dispute:
            return []
        back = (("line-1", "shed", self.sent),) if status == "closed" else ()
        self.returns = [return_of(self.sent, status=status, restocked=back)]
        return [self.order()]

    def cancel(self) -> list[OrderEvent]:
        if self.cancelled or self.sent:
            return []
        self.cancelled, self.waiting = True, 0
        return [self.order()]

    def disputed(self, status: str) -> list[OrderEvent]:
        name = next((pi for pi, payment in self.payments.items() if payment["captured"]), None)
        if name is None or self.dispute in ("won", "lost"):
            return []
        self.dispute, self.now = status, self.now + 1
        amount = self.payments[name]["captured"]
        return [dispute_observed(version=after(self.now), status=status, payment=name, amount=amount)]

    def scan(self, label: str, status: str) -> list[OrderEvent]:
        self.now += 1
        return [scanned(status, after(self.now), self.labels[label]["tracking_number"])]

    def perform(self, command: Command) -> list[OrderEvent]:
        """What the provider makes of a command, and what it tells of it."""
        match command:
            case CapturePayment():
                return self._capture(command)
            case CancelPayment() if self.payments[command.payment]["state"] is PaymentState.AUTHORIZED:
                self.payments[command.payment]["state"] = PaymentState.CANCELLED
                return [self.payment(command.payment)]
            case RefundPayment():
                return self._give_back(command)
            case MarkOrderPaid():
                self.told_paid = True
                return [self.order()]
            case BuyLabel():
                return self._buy(command)
            case VoidLabel():
                self.labels[command.label]["state"] = LabelState.VOIDED
                return [self.label(command.label)]
            case CreateFulfillment() if self.waiting and not self.cancelled:
                self.sent, self.waiting = self.sent + self.waiting, 0
                told = {"external_id": f"f-{len(self.fulfillments)}", "tracking_number": command.tracking_number}
                self.fulfillments.append(told)
                return [self.order()]
            case _:
                return []

    def _capture(self, command: CapturePayment) -> list[OrderEvent]:
        payment = self.payments[command.payment]
        if payment["state"] is not PaymentState.AUTHORIZED:
            return []
        assert command.connection == PROCESSOR
        assert command.amount <= payment["authorized"]
        payment |= {"state": PaymentState.CAPTURED, "captured": command.amount}
        return [self.payment(command.payment)]

    def _give_back(self, command: RefundPayment) -> list[OrderEvent]:
        return self.give_back(command.payment, command.amount.minor, command.reference)

    def give_back(self, name: str, amount: int, reference: str | None = None) -> list[OrderEvent]:
        """At the processor. reference: why; None by hand."""
        payment = self.payments[name]
        if payment["refunded"] + gbp(amount) > payment["captured"]:
            self.refused = True
            return []
        made = self.given.setdefault(name, [])
        made.append(
            refund(f"re-{name}-{len(made)}", amount, connection=PROCESSOR, payment=name, reference=reference)
        )  # fmt: skip
        payment["refunded"] += gbp(amount)
        return [self.payment(name)]

    def _buy(self, command: BuyLabel) -> list[OrderEvent]:
        name = f"se-{len(self.labels)}"
        self.labels[name] = {
            "external_shipment_id": command.external_shipment_id, "tracking_number": f"T-{name}",
            "created_at": after(self.now), "state": LabelState.PURCHASED,
        }  # fmt: skip
        return [self.label(name)]


def is_settled(world: World, order: Order) -> bool:
    """The record has heard of everything: its newest version is the world's latest."""
    return order.placed is not None and {p.external_id: p.state for p in order.payments} == {
        name: payment["state"] for name, payment in world.payments.items()
    }
