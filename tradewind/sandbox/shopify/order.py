"""An order and its parts, as the store keeps them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from tradewind.sandbox.shopify.catalog import Location, Variant
from tradewind.sandbox.shopify.money import ZERO, Currencies, part, rounded
from tradewind.sandbox.shopify.people import Address, Customer


@dataclass(frozen=True)
class PlacedLine:
    """What a shopper puts into an order. discount: on the whole line, in the shop's currency."""

    sku: str
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal(0)
    title: str = ""
    requires_shipping: bool = True
    duty: Decimal = Decimal(0)  # of the whole line


@dataclass(eq=False)
class OrderLine:
    """A line; gross, discount and tax are those of its whole quantity, rounded. `removed` units were refunded."""

    id: int
    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    gross: Decimal
    discount: Decimal
    tax: Decimal
    requires_shipping: bool
    variant: Variant | None
    money: Currencies
    duty: Decimal = ZERO
    duty_id: int = 0
    removed: int = 0
    fulfilled: int = 0
    # Where it is shipped from: one place, unless units were added after the first had left.
    rows: list["FulfillmentOrderLine"] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The shop's currency."""
        return self.money.shop

    @property
    def net(self) -> Decimal:
        """After discounts."""
        return self.gross - self.discount

    @property
    def current_quantity(self) -> int:
        """What has not been refunded or cancelled."""
        return self.quantity - self.removed

    @property
    def unshipped(self) -> int:
        """Units that are neither shipped nor taken off."""
        return sum(row.remaining for row in self.rows)

    def share(self, whole: Decimal, quantity: int, *, done: int = 0) -> Decimal:
        """The part of an amount of this line that falls on some of its units."""
        return part(whole, of=self.quantity, done=done, more=quantity, currency=self.currency)

    def current(self, whole: Decimal) -> Decimal:
        """The part of an amount of this line that falls on the units still on the order."""
        return whole - self.share(whole, self.removed) if self.removed else whole


@dataclass(eq=False)
class ShippingCharge:
    """What shipping costs; `refunded` has been given back."""

    id: int
    title: str
    price: Decimal
    tax: Decimal
    refunded: Decimal = ZERO
    tax_refunded: Decimal = ZERO


@dataclass(eq=False)
class Transaction:
    """A movement of money, or the promise of one, at a gateway. kind and status: as the API's enums.

    amount: in the shop's currency; presented: in the shopper's.
    """

    id: int
    kind: str
    status: str
    gateway: str
    amount: Decimal
    created_at: datetime
    payment_id: str | None
    presented: Decimal
    parent: "Transaction | None" = None


@dataclass(eq=False)
class FulfillmentLine:
    """Shipped units of one order line."""

    id: int
    line: OrderLine
    quantity: int


@dataclass(eq=False)
class Fulfillment:
    """A shipment that the store knows of."""

    id: int
    number: int
    location: Location
    lines: list[FulfillmentLine]
    created_at: datetime
    updated_at: datetime
    fulfillment_orders: list["FulfillmentOrder"]
    company: str | None = None
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


@dataclass(eq=False)
class FulfillmentOrderLine:
    """Units of one order line that a location has to ship."""

    id: int
    line: OrderLine
    location: Location
    total: int
    remaining: int


@dataclass(eq=False)
class Hold:
    """Why a fulfillment order must wait. reason: as the API's enum; handle: tells the holds of one app apart."""

    id: int
    reason: str
    notes: str | None = None
    handle: str = ""
    by_app: bool = False


@dataclass(eq=False)
class FulfillmentOrder:
    """What one location has to ship.

    status: OPEN, ON_HOLD while anything holds it, IN_PROGRESS once partly shipped, CLOSED when nothing remains.
    """

    id: int
    location: Location
    lines: list[FulfillmentOrderLine]
    created_at: datetime
    updated_at: datetime
    status: str = "OPEN"
    holds: list[Hold] = field(default_factory=list)

    def settle(self, at: datetime) -> None:
        """Bring the status in line with what remains."""
        self.updated_at = at
        if not any(line.remaining for line in self.lines):
            self.status = "CLOSED"
        elif self.holds:
            self.status = "ON_HOLD"
        elif any(line.remaining < line.total for line in self.lines):
            self.status = "IN_PROGRESS"
        else:
            self.status = "OPEN"


@dataclass(eq=False)
class RefundLine:
    """Refunded units of one order line."""

    id: int
    line: OrderLine
    quantity: int
    subtotal: Decimal
    tax: Decimal
    restock_type: str
    location: Location | None


@dataclass(eq=False)
class Refund:
    """Units taken off an order, and the money given back for them."""

    id: int
    created_at: datetime
    processed_at: datetime
    note: str | None
    lines: list[RefundLine]
    transactions: list[Transaction]
    shipping_line_id: int | None = None
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    duties: list[tuple[OrderLine, Decimal]] = field(default_factory=list)
    tip: Decimal = ZERO
    return_id: int | None = None


@dataclass(eq=False)
class Disposition:
    """What became of units that came back. kind: RESTOCKED, NOT_RESTOCKED, MISSING or PROCESSING_REQUIRED."""

    id: int
    kind: str
    quantity: int
    location: Location | None
    created_at: datetime


@dataclass(eq=False)
class ReturnLine:
    """Units of a shipment that come back. reverse_id: of the same units as the warehouse expects them."""

    id: int
    reverse_id: int
    shipped: FulfillmentLine
    quantity: int
    note: str
    dispositions: list[Disposition] = field(default_factory=list)

    @property
    def disposed(self) -> int:
        """Units that have arrived."""
        return sum(each.quantity for each in self.dispositions)


@dataclass(eq=False)
class Return:
    """Goods that come back. status: REQUESTED, OPEN, CLOSED, DECLINED or CANCELED."""

    id: int
    name: str
    status: str
    lines: list[ReturnLine]
    created_at: datetime
    reverse_id: int
    approved_at: datetime | None = None
    closed_at: datetime | None = None
    decline: tuple[str, str | None] | None = None  # reason, note


@dataclass(frozen=True)
class Risk:
    """What the store thinks of an order. Both are words of the API's enums: recommendation ACCEPT, level LOW."""

    recommendation: str
    level: str


UNASSESSED: Final = Risk("NONE", "NONE")
IN_DOUBT: Final = Risk("INVESTIGATE", "HIGH")


@dataclass(eq=False)
class StoreOrder:
    """An order. id: the number that the API calls legacyResourceId, as text."""

    legacy_id: int
    name: str
    number: int
    money: Currencies
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    taxes_included: bool
    tax_rate: Decimal
    lines: list[OrderLine]
    shipping_charge: ShippingCharge
    customer: Customer | None
    shipping_address: Address | None
    email: str | None
    gateway: str
    attributes: dict[str, str]
    tags: list[str]
    confirmation_number: str
    tip: Decimal = ZERO
    original_total: Decimal = ZERO
    risk: Risk = UNASSESSED
    edited: bool = False
    transactions: list[Transaction] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    staff_note: str | None = None
    closed_at: datetime | None = None

    @property
    def id(self) -> str:
        """The order's id as text."""
        return str(self.legacy_id)

    @property
    def currency(self) -> str:
        """The shop's currency."""
        return self.money.shop

    @property
    def gateways(self) -> list[str]:
        """Where it was or will be paid, each once."""
        return list(dict.fromkeys(each.gateway for each in self.transactions))

    def tax_on(self, amount: Decimal) -> Decimal:
        """The tax in, or on top of, an amount of the shop's currency."""
        base = amount / (1 + self.tax_rate) if self.taxes_included else amount
        return rounded(base * self.tax_rate, self.currency)

    @property
    def subtotal(self) -> Decimal:
        """All lines after discounts."""
        return sum((line.net for line in self.lines), ZERO)

    @property
    def discounts(self) -> Decimal:
        """All discounts."""
        return sum((line.discount for line in self.lines), ZERO)

    @property
    def tax(self) -> Decimal:
        """All tax, shipping's included."""
        return sum((line.tax for line in self.lines), self.shipping_charge.tax)

    @property
    def total(self) -> Decimal:
        """What everything that was ever ordered costs."""
        tax = ZERO if self.taxes_included else self.tax
        return self.subtotal + self.shipping_charge.price + tax + self.duties + self.tip

    @property
    def duties(self) -> Decimal:
        """All duties: on top of the prices."""
        return sum((line.duty for line in self.lines), ZERO)

    @property
    def current_duties(self) -> Decimal:
        """Duties that were not given back."""
        return self.duties - sum((amount for refund in self.refunds for _, amount in refund.duties), ZERO)

    @property
    def current_tip(self) -> Decimal:
        """The tip, if it was not given back."""
        return self.tip - sum((refund.tip for refund in self.refunds), ZERO)

    @property
    def current_subtotal(self) -> Decimal:
        """The lines after discounts, without what was refunded or cancelled."""
        return sum((line.current(line.net) for line in self.lines), ZERO)

    @property
    def current_shipping(self) -> Decimal:
        """Shipping that was not given back."""
        return self.shipping_charge.price - self.shipping_charge.refunded

    @property
    def current_shipping_tax(self) -> Decimal:
        """The tax in, or on top of, the same."""
        return self.shipping_charge.tax - self.shipping_charge.tax_refunded

    @property
    def current_tax(self) -> Decimal:
        """The tax on what is still on the order."""
        return sum((line.current(line.tax) for line in self.lines), self.current_shipping_tax)

    @property
    def current_discounts(self) -> Decimal:
        """The discounts on what is still on the order."""
        return sum((line.current(line.discount) for line in self.lines), ZERO)

    @property
    def current_total(self) -> Decimal:
        """What the order is worth now."""
        tax = ZERO if self.taxes_included else self.current_tax
        return self.current_subtotal + self.current_shipping + tax + self.current_duties + self.current_tip
