"""What tradewind asks of providers. A command is stored with its frozen parameters before the first call.

Its key is business identity, `connection/resource/verb/ordinal`, and the outbox adds the generation: the same intent
has the same key however often it is planned, and only a stored, definite failure starts the next generation.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from tradewind.domain.events import Resource
from tradewind.domain.model import Model
from tradewind.domain.money import Money

Lane = Literal["critical", "normal", "deferred"]


class _Command(Model):
    """connection: whom to ask. order_id: the order it serves, None for none. ordinal: the n-th of its kind."""

    connection: str
    order_id: str | None
    ordinal: int = 0

    @property
    def subject(self) -> str:
        raise NotImplementedError

    @property
    def target(self) -> Resource:
        """The resource that shows whether the command has had its effect, or can still have it."""
        raise NotImplementedError

    @property
    def lane(self) -> Lane:
        return "critical"

    @property
    def key(self) -> str:
        verb = getattr(self, "verb")  # noqa: B009 - declared by every member of the union
        return f"{self.connection}/{self.subject}/{verb}/{self.ordinal}"


class CapturePayment(_Command):
    """Capture what was authorised, or a part of it. payment: storefront transaction or processor payment.

    amount: in the currency that the customer saw, or in the one that the processor took.
    """

    verb: Literal["capture_payment"] = "capture_payment"
    payment: str
    amount: Money
    storefront_order: str | None = None  # set when the storefront captures

    @property
    def subject(self) -> str:
        return self.payment

    @property
    def target(self) -> Resource:
        if self.storefront_order is not None:
            return Resource(connection=self.connection, kind="order", external_id=self.storefront_order)
        return Resource(connection=self.connection, kind="payment", external_id=self.payment)


class CancelPayment(_Command):
    """Release an authorisation that will not be captured."""

    verb: Literal["cancel_payment"] = "cancel_payment"
    payment: str

    @property
    def subject(self) -> str:
        return self.payment

    @property
    def target(self) -> Resource:
        return Resource(connection=self.connection, kind="payment", external_id=self.payment)


class RefundPayment(_Command):
    """Give captured money back at the processor. reference: why, kept in the processor's metadata."""

    verb: Literal["refund_payment"] = "refund_payment"
    payment: str
    amount: Money
    reference: str

    @property
    def subject(self) -> str:
        return f"{self.payment}/{self.reference}"

    @property
    def target(self) -> Resource:
        return Resource(connection=self.connection, kind="payment", external_id=self.payment)


class MarkOrderPaid(_Command):
    """Tell the storefront that the processor has captured the order's total."""

    verb: Literal["mark_order_paid"] = "mark_order_paid"
    order: str

    @property
    def subject(self) -> str:
        return self.order

    @property
    def target(self) -> Resource:
        return Resource(connection=self.connection, kind="order", external_id=self.order)


class BuyLabel(_Command):
    """Buy a label for one fulfillment order. The address is read from the record right before the call: it is

    personal and must not lie in the outbox. items: (sku, title, quantity, unit price). notify_customer: whether the
    carrier is to tell the shopper, and so is given the e-mail address."""

    verb: Literal["buy_label"] = "buy_label"
    fulfillment_order: str
    external_shipment_id: str
    storefront: str
    order: str
    items: tuple[tuple[str, str, int, Money], ...]
    notify_customer: bool = False

    @property
    def subject(self) -> str:
        return self.external_shipment_id

    @property
    def target(self) -> Resource:
        return Resource(connection=self.storefront, kind="order", external_id=self.order)


class VoidLabel(_Command):
    """Give back a label that will not be used."""

    verb: Literal["void_label"] = "void_label"
    label: str

    @property
    def subject(self) -> str:
        return self.label

    @property
    def target(self) -> Resource:
        return Resource(connection=self.connection, kind="label", external_id=self.label)


class CreateFulfillment(_Command):
    """Tell the storefront what is on its way, with tracking."""

    verb: Literal["create_fulfillment"] = "create_fulfillment"
    order: str
    fulfillment_order: str
    tracking_number: str | None
    tracking_url: str | None
    carrier: str | None
    notify_customer: bool = True

    @property
    def subject(self) -> str:
        return self.fulfillment_order

    @property
    def target(self) -> Resource:
        return Resource(connection=self.connection, kind="order", external_id=self.order)


class Refetch(_Command):
    """Read a resource again, because a hint or a tie says that our view may be old."""

    verb: Literal["refetch"] = "refetch"
    resource: Resource

    @property
    def subject(self) -> str:
        return f"{self.resource.kind}/{self.resource.external_id}"

    @property
    def target(self) -> Resource:
        return self.resource


Command = Annotated[
    CapturePayment | CancelPayment | RefundPayment | MarkOrderPaid | BuyLabel | VoidLabel | CreateFulfillment | Refetch,
    Field(discriminator="verb"),
]

command_adapter: TypeAdapter[Command] = TypeAdapter(Command)
"""JSON ⇄ command: how the outbox stores it."""

WRITES = frozenset(
    (
        "capture_payment",
        "cancel_payment",
        "refund_payment",
        "mark_order_paid",
        "buy_label",
        "void_label",
        "create_fulfillment",
    )
)
"""Verbs with an effect at the provider; they wait while a connection is not live. A refetch only reads."""
