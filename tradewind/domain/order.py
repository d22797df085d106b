"""An order as tradewind knows it: what storefront, processor and carrier say of it, in one frozen record."""

from __future__ import annotations

from datetime import datetime

from tradewind.domain.balance import Balance, balance_of, shop_balance_of
from tradewind.domain.fulfilment import (
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderStatus,
    HoldReason,
    Label,
    LabelState,
    Return,
    ReturnStatus,
    TrackingStatus,
)
from tradewind.domain.model import Model
from tradewind.domain.money import Money
from tradewind.domain.payment import (
    CapturedBy,
    Dispute,
    DisputeStatus,
    Payment,
    PaymentState,
    Refund,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.domain.placed import Address, Customer, OrderLine, PlacedOrder, Risk

__all__ = (
    "Address",
    "CapturedBy",
    "Customer",
    "Dispute",
    "DisputeStatus",
    "Fulfillment",
    "FulfillmentOrder",
    "FulfillmentOrderStatus",
    "HoldReason",
    "Label",
    "LabelState",
    "Order",
    "OrderLine",
    "Payment",
    "PaymentState",
    "PlacedOrder",
    "Refund",
    "Return",
    "ReturnStatus",
    "Risk",
    "TrackingStatus",
    "Transaction",
    "TransactionKind",
    "TransactionStatus",
)

HOLD_RELEASED = "hold_released/"
"""Begins the facts that tell of fulfillment orders of which a hold was released; the hold's reason follows."""
HELD_FOR_RISK = "held_for_risk/"
"""Begins the facts that tell of fulfillment orders that were held for the risk."""
_RISK_ACCEPTED = f"{HOLD_RELEASED}{HoldReason.RISK}/"

_RISKY = (Risk.MEDIUM, Risk.HIGH, Risk.PENDING)


class Order(Model):
    """The record of one order.

    id: `connection/external_id`, e.g. `shopify:north/gid://shopify/Order/1`. live: placed after its connection went
    live, so that commands may follow from it. refunds: every refund that the storefront or the processor told of.
    versions: the newest version seen per source resource, with the digest of what it said. facts: ids of facts added.
    """

    id: str
    connection: str
    external_id: str
    live: bool = False
    placed: PlacedOrder | None = None
    payments: tuple[Payment, ...] = ()
    labels: tuple[Label, ...] = ()
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    versions: dict[str, tuple[datetime, str]] = {}
    facts: tuple[str, ...] = ()

    def balance(self) -> Balance | None:
        """What is due, taken and given back, in the currency that it was paid in; None before it is described."""
        return balance_of(self.placed, self.payments, self.disputes) if self.placed is not None else None

    def shop_balance(self) -> Balance | None:
        """The same in the shop's currency."""
        return shop_balance_of(self.placed, self.payments, self.disputes) if self.placed is not None else None

    def captured_total(self) -> Money | None:
        """What was captured, storefront and processor together, in the shop's currency; None before it is described."""
        balance = self.shop_balance()
        return balance.taken if balance is not None else None

    @property
    def is_paid(self) -> bool:
        """All that is due has been captured (an order of zero is paid when it is placed)."""
        balance = self.balance()
        return balance is not None and balance.taken >= balance.due

    @property
    def is_held_for_risk(self) -> bool:
        """The storefront's fraud analysis does not accept it, and nobody has released a hold for that reason.

        Goods may be held for other reasons besides: who releases such a hold has not looked at the risk.
        """
        if self.placed is None or self.placed.risk not in _RISKY:
            return False
        told = any(fact.startswith(_RISK_ACCEPTED) for fact in self.facts)
        return not told and not self._shows_release(self.placed)

    def _shows_release(self, placed: PlacedOrder) -> bool:
        """Whether goods that were held for the risk are not any more, and may leave or have left.

        So a release is seen of which nobody told. Work that was closed with nothing sent was not released.
        """
        if any(HoldReason.RISK in work.holds for work in placed.fulfillment_orders):
            return False
        sent = {parcel.fulfillment_order_id for parcel in placed.fulfillments}
        return any(
            HELD_FOR_RISK + work.external_id in self.facts and (not work.is_over or work.external_id in sent)
            for work in placed.fulfillment_orders
        )

    def is_disputed(self, payment: Payment | None = None) -> bool:
        """Whether a bank asks about a payment of the order (or this one), or has taken it back."""
        settled = (DisputeStatus.WON, DisputeStatus.PREVENTED)
        return any(
            dispute.status not in settled and (payment is None or dispute.payment == payment.external_id)
            for dispute in self.disputes
        )

    def labels_of(self, fulfillment_order_id: str) -> tuple[Label, ...]:
        """Every label that was bought for a fulfillment order, voided ones too, oldest first."""
        return tuple(label for label in self.labels if label.fulfillment_order_id == fulfillment_order_id)

    def active_label(self, fulfillment_order_id: str) -> Label | None:
        """The label for what is still to be shipped of a fulfillment order: neither voided nor on a parcel told of."""
        told = {parcel.tracking_number for parcel in self.placed.fulfillments if parcel.stands} if self.placed else ()
        return next(
            (
                label
                for label in self.labels_of(fulfillment_order_id)
                if label.state is LabelState.PURCHASED and not (label.tracking_number and label.tracking_number in told)
            ),
            None,
        )
