"""The checkout: a card is charged or authorised, and the order stands in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.replay.amounts import minor_units
from tradewind.sandbox.shopify.money import Currencies
from tradewind.sandbox.shopify.order import UNASSESSED, Risk
from tradewind.sandbox.shopify.payment import owed_presented

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shopify.order import PlacedLine, StoreOrder
    from tradewind.sandbox.shoppers import Shopper

# The store whose own checkout charges the card at the processor; elsewhere the store takes the card itself.
PROCESSOR_STORE: Final = "north"
PROCESSOR_ACCOUNT: Final = "main"
VAT: Final = Decimal("0.20")


@dataclass(frozen=True)
class Order:
    """What is ordered. total: what the shopper agreed to pay, shipping and tax included."""

    store: str
    lines: Sequence[PlacedLine]
    total: Decimal
    shopper: Shopper
    payment_id: str
    kind: str  # "sale" or "authorization", where the store takes the card
    shipping: Decimal = Decimal(0)
    tax_rate: Decimal = VAT
    taxes_included: bool = True
    name: str | None = None
    processed_at: datetime | None = None
    note_attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    money: Currencies | None = None  # None: the shop's own currency
    tip: Decimal = Decimal(0)
    gift_card: Decimal = Decimal(0)
    risk: Risk = UNASSESSED
    hold: str | None = None


class Checkout:
    """Places orders. Remembers which payment at the processor belongs to which order."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.intents: dict[str, str] = {}  # order id: payment intent

    def place(self, order: Order) -> StoreOrder:
        """Pay and place an order. At the processor's store the card is authorised first and the order left pending.

        The store's total is the one that was agreed: what is charged and what is owed are the same.
        """
        store = self._sandbox.shopify[order.store]
        paid_at_processor = order.store == PROCESSOR_STORE
        money = order.money or Currencies(store.currency, store.currency)
        intent = self._authorise(order, money) if paid_at_processor and order.total > order.gift_card else None
        placed = store.place_order(
            lines=list(order.lines),
            customer=_customer(order.shopper),
            shipping_address=dict(order.shopper.address),
            email=order.shopper.email,
            shipping=order.shipping,
            tax_rate=order.tax_rate,
            taxes_included=order.taxes_included,
            gateway="stripe" if paid_at_processor else "shopify_payments",
            kind="pending" if paid_at_processor else order.kind,
            payment_id=order.payment_id if paid_at_processor else None,
            processed_at=order.processed_at,
            note_attributes=dict(order.note_attributes),
            name=order.name,
            tags=list(order.tags),
            money=money,
            tip=order.tip,
            gift_card=order.gift_card,
            risk=order.risk,
            hold=order.hold,
        )
        assert placed.total == order.total, f"agreed on {order.total}, the store asks {placed.total}"
        if intent is not None:
            self.intents[placed.id] = intent
            self._note(placed, intent, order.total - order.gift_card)
        return placed

    def authorise_more(self, order: StoreOrder, amount: Decimal, payment_id: str) -> None:
        """The shopper's card is authorised once more, for what an order has come to cost beyond its first payment.

        amount: what is owed, in the shop's currency.
        """
        self._note(order, self._hold(owed_presented(order), order.money.presentment, payment_id), amount)

    def _authorise(self, order: Order, money: Currencies) -> str:
        shown = money.presented(order.total) - money.presented(order.gift_card)
        return self._hold(shown, money.presentment, order.payment_id)

    def _hold(self, amount: Decimal, currency: str, payment_id: str) -> str:
        account = self._sandbox.stripe[PROCESSOR_ACCOUNT]
        return account.authorise(
            amount=minor_units(amount, currency), currency=currency.lower(), metadata={"payment_id": payment_id}
        )

    def _note(self, order: StoreOrder, intent: str, amount: Decimal) -> None:
        """Which payment at the processor is which order's, and what it is in the shop's currency."""
        held = self._sandbox.stripe[PROCESSOR_ACCOUNT].payments.intents[intent]
        self._sandbox.truth.record(
            "payment_authorised",
            store=PROCESSOR_STORE,
            order_id=order.id,
            connection=f"stripe:{PROCESSOR_ACCOUNT}",
            payment_id=intent,
            amount_minor=held["amount"],
            currency=held["currency"].upper(),
            shop_minor=minor_units(amount, order.currency),
        )


def _customer(shopper: Shopper) -> dict[str, Any]:
    return {"first_name": shopper.first_name, "last_name": shopper.last_name, "email": shopper.email}
