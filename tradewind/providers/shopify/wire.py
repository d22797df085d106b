"""Shopify's GraphQL answers as frozen models: exactly what the documents select."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tradewind.domain.money import Money
from tradewind.errors import SchemaMismatch

T = TypeVar("T")


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class PageInfo(Wire):
    has_next_page: bool
    end_cursor: str | None = None


class Page(Wire, Generic[T]):
    nodes: tuple[T, ...]
    page_info: PageInfo


class Id(Wire):
    id: str


class Amount(Wire):
    """A decimal string in major units."""

    amount: str
    currency_code: str

    @property
    def money(self) -> Money:
        """Raises SchemaMismatch for what is no amount of its currency."""
        try:
            return Money.of(self.amount, self.currency_code)
        except (ValueError, ArithmeticError) as error:
            raise SchemaMismatch(f"no amount of money: {error}") from None


class ShopMoney(Wire):
    """A MoneyBag of which only the shop's own currency was selected."""

    shop_money: Amount

    @property
    def money(self) -> Money:
        return self.shop_money.money


class BothMoney(ShopMoney):
    """A MoneyBag: in the shop's currency and in the one that the customer saw."""

    presentment_money: Amount

    @property
    def presentment(self) -> Money:
        return self.presentment_money.money


class AddressNode(Wire):
    name: str | None
    company: str | None
    address1: str | None
    address2: str | None
    city: str | None
    province_code: str | None
    zip: str | None
    country_code_v2: str | None = Field(alias="countryCodeV2")
    phone: str | None


class CustomerNode(Wire):
    id: str
    first_name: str | None
    last_name: str | None


class TransactionNode(Wire):
    id: str
    kind: str
    status: str
    gateway: str | None
    payment_id: str | None
    processed_at: AwareDatetime | None
    parent_transaction: Id | None
    multi_capturable: bool
    amount_set: BothMoney


class LocationNode(Wire):
    id: str
    name: str | None = None


class AssignedLocation(Wire):
    name: str
    location: LocationNode | None


class FulfillmentOrderLine(Wire):
    total_quantity: int
    remaining_quantity: int
    line_item: Id


class HoldNode(Wire):
    reason: str


class FulfillmentOrderHead(Wire):
    id: str
    status: str
    updated_at: AwareDatetime
    fulfillment_holds: tuple[HoldNode, ...]
    assigned_location: AssignedLocation


class FulfillmentOrderNode(FulfillmentOrderHead):
    line_items: Page[FulfillmentOrderLine]


class TrackingNode(Wire):
    number: str | None


class IdNodes(Wire):
    nodes: tuple[Id, ...]


class FulfillmentNode(Wire):
    id: str
    status: str
    created_at: AwareDatetime
    tracking_info: tuple[TrackingNode, ...]
    fulfillment_orders: IdNodes


class RefundLine(Wire):
    quantity: int
    restock_type: str
    line_item: Id
    location: LocationNode | None


class RefundHead(Wire):
    id: str
    created_at: AwareDatetime | None
    processed_at: AwareDatetime
    total_refunded_set: BothMoney
    transactions: IdNodes
    # Not named `return`, which Python keeps for itself.
    belongs_to: Id | None = Field(alias="return")


class RefundNode(RefundHead):
    refund_line_items: Page[RefundLine]


class Disposition(Wire):
    type: str
    quantity: int
    location: LocationNode | None


class ReturnedLine(Wire):
    line_item: Id


class ReturnLine(Wire):
    """fulfillment_line_item: none for a line that was never shipped by this store."""

    quantity: int
    fulfillment_line_item: ReturnedLine | None = None


class DisposedLine(Wire):
    fulfillment_line_item: ReturnedLine | None
    dispositions: tuple[Disposition, ...]


class Nodes(Wire, Generic[T]):
    nodes: tuple[T, ...]


class ReverseWork(Wire):
    line_items: Nodes[DisposedLine]


class ReturnNode(Wire):
    id: str
    status: str
    created_at: AwareDatetime
    return_line_items: Nodes[ReturnLine]
    reverse_fulfillment_orders: Nodes[ReverseWork]


class Assessment(Wire):
    risk_level: str


class RiskNode(Wire):
    recommendation: str
    assessments: tuple[Assessment, ...]


class Allocation(Wire):
    allocated_amount_set: ShopMoney


class TaxNode(Wire):
    price_set: ShopMoney


class LineNode(Wire):
    id: str
    sku: str | None
    title: str
    quantity: int
    current_quantity: int
    requires_shipping: bool
    original_unit_price_set: ShopMoney
    discount_allocations: tuple[Allocation, ...]
    tax_lines: tuple[TaxNode, ...]


class ShippingLineNode(Wire):
    discounted_price_set: ShopMoney


F = TypeVar("F", bound=FulfillmentOrderHead)
R = TypeVar("R", bound=RefundHead)


class _OrderParts(Wire, Generic[F, R]):
    id: str
    name: str
    test: bool
    edited: bool
    created_at: AwareDatetime
    processed_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    currency_code: str
    taxes_included: bool
    fully_paid: bool
    display_financial_status: str | None
    display_fulfillment_status: str
    return_status: str
    risk: RiskNode
    subtotal_line_items_quantity: int
    current_subtotal_line_items_quantity: int
    total_price_set: BothMoney
    current_total_price_set: BothMoney
    email: str | None
    phone: str | None
    customer: CustomerNode | None
    shipping_address: AddressNode | None
    billing_address: AddressNode | None
    transactions: tuple[TransactionNode, ...]
    fulfillment_orders: Page[F]
    fulfillments: tuple[FulfillmentNode, ...]
    refunds: tuple[R, ...]


class OrderHead(_OrderParts[FulfillmentOrderHead, RefundHead]):
    """What changes while an order is worked on."""


class OrderNode(_OrderParts[FulfillmentOrderNode, RefundNode]):
    """The whole order. returns: read apart, of an order that has any."""

    subtotal_price_set: ShopMoney | None
    total_discounts_set: ShopMoney | None
    total_tax_set: ShopMoney | None
    total_tip_received_set: ShopMoney
    original_total_duties_set: ShopMoney | None
    shipping_lines: Page[ShippingLineNode]
    line_items: Page[LineNode]
    returns: tuple[ReturnNode, ...] = ()


class StatusNode(Wire):
    status: str


class ChangeNode(Wire):
    """As much of an order as its fingerprint needs."""

    id: str
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    display_financial_status: str | None
    current_subtotal_line_items_quantity: int
    total_price_set: ShopMoney
    current_total_price_set: ShopMoney
    fulfillments: tuple[StatusNode, ...]
    refunds: tuple[Id, ...]


class GuardTransaction(Wire):
    """A transaction as the capture looks at it. amount_set: what may be captured of an authorisation."""

    id: str
    kind: str
    status: str
    parent_transaction: Id | None
    amount_set: BothMoney


class Quantity(Wire):
    name: str
    quantity: int


class LevelNode(Wire):
    location: LocationNode
    quantities: tuple[Quantity, ...]


class InventoryItemNode(Wire):
    id: str
    tracked: bool
    inventory_levels: Page[LevelNode]


class VariantNode(Wire):
    id: str
    sku: str | None
    display_name: str
    price: str
    updated_at: AwareDatetime
    inventory_policy: str
    inventory_item: InventoryItemNode


class SubscriptionNode(Wire):
    id: str
    topic: str
    uri: str


class ShopNode(Wire):
    name: str
    myshopify_domain: str


class ScopeNode(Wire):
    handle: str


class AppInstallation(Wire):
    access_scopes: tuple[ScopeNode, ...]


class CostStatus(Wire):
    currently_available: float
    restore_rate: float


class QueryCost(Wire):
    """`extensions.cost`. actual: None when the query did not run."""

    requested_query_cost: float
    actual_query_cost: float | None = None
    throttle_status: CostStatus
