"""Shopify's order and catalogue → the domain.

Amounts are the shop's currency; the presentment total stands beside them. Shopify states decimal strings with the
currency's ISO 4217 decimals, so no exponents of its own are needed. Times carry an offset.
"""

from __future__ import annotations

from collections.abc import Collection

from tradewind.domain.catalogue import CatalogueItem, StockLevel
from tradewind.domain.events import OrderObserved, Resource, ResourceChanged
from tradewind.domain.money import Money
from tradewind.domain.order import (
    Address,
    CapturedBy,
    Customer,
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderStatus,
    HoldReason,
    OrderLine,
    PlacedOrder,
    Refund,
    Return,
    ReturnStatus,
    Risk,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from tradewind.providers.shopify.fingerprint import fingerprint
from tradewind.providers.shopify.wire import (
    AddressNode,
    Amount,
    ChangeNode,
    FulfillmentNode,
    FulfillmentOrderNode,
    InventoryItemNode,
    LevelNode,
    LineNode,
    OrderNode,
    RefundNode,
    ReturnNode,
    RiskNode,
    ShopMoney,
    TransactionNode,
    VariantNode,
)

_KINDS = {
    "AUTHORIZATION": TransactionKind.AUTHORIZATION,
    "EMV_AUTHORIZATION": TransactionKind.AUTHORIZATION,
    "CAPTURE": TransactionKind.CAPTURE,
    "SALE": TransactionKind.SALE,
    "REFUND": TransactionKind.REFUND,
    "VOID": TransactionKind.VOID,
}
"""CHANGE is cash handed back over a counter, SUGGESTED_REFUND a proposal: neither moves an order's money."""

_STATUSES = {
    "SUCCESS": TransactionStatus.SUCCESS,
    "FAILURE": TransactionStatus.FAILURE,
    "ERROR": TransactionStatus.FAILURE,
}

_WORK_STATUSES = {
    "OPEN": FulfillmentOrderStatus.OPEN,
    "IN_PROGRESS": FulfillmentOrderStatus.IN_PROGRESS,
    "ON_HOLD": FulfillmentOrderStatus.ON_HOLD,
    "SCHEDULED": FulfillmentOrderStatus.SCHEDULED,
    "CANCELLED": FulfillmentOrderStatus.CANCELLED,
}
"""CLOSED, INCOMPLETE (given up by its location) and whatever comes new: nothing of it is to be shipped by us."""

_RETURN_STATUSES = {"CANCELED": ReturnStatus.CANCELLED}
"""Shopify's words are the domain's, but for this one's spelling."""

_RISKS = {"ACCEPT": Risk.LOW, "INVESTIGATE": Risk.MEDIUM, "CANCEL": Risk.HIGH}
"""By what Shopify recommends. Source: shopify.dev, OrderRiskRecommendationResult."""

# Restocked without saying whether it had been shipped: that was before orders had fulfillment orders.
_CAME_BACK = ("RETURN", "LEGACY_RESTOCK")

# Shopify books a payment that is marked as paid by hand under this gateway.
_MANUAL = "manual"


def order_observed(order: OrderNode, *, connection: str, processor_gateways: Collection[str]) -> OrderObserved:
    """The whole order as a snapshot of version `updatedAt`. Raises SchemaMismatch for impossible amounts.

    processor_gateways: names of gateways that were charged directly, not through the storefront.
    """
    currency = order.currency_code
    placed = PlacedOrder(
        name=order.name,
        placed_at=order.created_at,
        processed_at=order.processed_at,
        updated_at=order.updated_at,
        cancelled_at=order.cancelled_at,
        currency=currency,
        presentment_total=order.total_price_set.presentment,
        lines=tuple(_line(line, currency) for line in order.line_items.nodes),
        subtotal=_or_zero(order.subtotal_price_set, currency),
        discounts=_or_zero(order.total_discounts_set, currency),
        shipping=Money.total((s.discounted_price_set.money for s in order.shipping_lines.nodes), currency),
        tax=_or_zero(order.total_tax_set, currency),
        tip=order.total_tip_received_set.money,
        duties=_or_zero(order.original_total_duties_set, currency),
        total=order.total_price_set.money,
        current_total=order.current_total_price_set.money,
        presentment_current_total=order.current_total_price_set.presentment,
        taxes_included=order.taxes_included,
        test=order.test,
        edited=order.edited,
        risk=_risk(order.risk),
        on_hold=order.display_fulfillment_status == "ON_HOLD",
        fully_paid=order.fully_paid,
        customer=_customer(order),
        ship_to=_address(order.shipping_address),
        bill_to=_address(order.billing_address),
        transactions=_transactions(order.transactions, processor_gateways),
        fulfillment_orders=tuple(_fulfillment_order(work) for work in order.fulfillment_orders.nodes),
        fulfillments=tuple(_fulfillment(parcel) for parcel in order.fulfillments),
        refunds=tuple(_refund(refund, connection) for refund in order.refunds),
        returns=tuple(map(_return, order.returns)),
        fingerprint=_fingerprint(order),
    )
    return OrderObserved(connection=connection, external_id=order.id, version=order.updated_at, placed=placed)


def order_changed(change: ChangeNode, *, connection: str) -> ResourceChanged:
    """A hint with the version and the fingerprint of an order."""
    shown = fingerprint(
        financial_status=change.display_financial_status,
        cancelled=change.cancelled_at is not None,
        total=change.total_price_set.money,
        current_total=change.current_total_price_set.money,
        current_quantity=change.current_subtotal_line_items_quantity,
        refunds=len(change.refunds),
        fulfillments=(parcel.status for parcel in change.fulfillments),
    )
    resource = Resource(connection=connection, kind="order", external_id=change.id)
    return ResourceChanged(resource=resource, version=change.updated_at, fingerprint=shown)


def catalogue_item(variant: VariantNode, *, connection: str, currency: str) -> CatalogueItem:
    """One variant with its stock levels. currency: the shop's."""
    return CatalogueItem(
        connection=connection,
        external_id=variant.id,
        inventory_item_id=variant.inventory_item.id,
        sku=variant.sku or None,
        title=variant.display_name,
        price=Amount(amount=variant.price, currencyCode=currency).money,
        updated_at=variant.updated_at,
        backorders=variant.inventory_policy == "CONTINUE",
        levels=_levels(variant.inventory_item),
    )


def _or_zero(amount: ShopMoney | None, currency: str) -> Money:
    return amount.money if amount is not None else Money.zero(currency)


def _line(line: LineNode, currency: str) -> OrderLine:
    return OrderLine(
        external_id=line.id,
        sku=line.sku or None,
        title=line.title,
        quantity=line.quantity,
        current_quantity=line.current_quantity,
        unit_price=line.original_unit_price_set.money,
        # Allocations hold the line's own discounts and its part of the order's.
        discount=Money.total((d.allocated_amount_set.money for d in line.discount_allocations), currency),
        tax=Money.total((tax.price_set.money for tax in line.tax_lines), currency),
        requires_shipping=line.requires_shipping,
    )


def _customer(order: OrderNode) -> Customer | None:
    customer = order.customer
    if customer is None and order.email is None and order.phone is None:
        return None
    names = (customer.first_name, customer.last_name) if customer is not None else ()
    return Customer(
        external_id=customer.id if customer is not None else None,
        name=" ".join(filter(None, names)) or None,
        email=order.email,
        phone=order.phone,
    )


def _address(address: AddressNode | None) -> Address | None:
    if address is None:
        return None
    return Address(
        name=address.name,
        company=address.company,
        line1=address.address1,
        line2=address.address2,
        city=address.city,
        region=address.province_code,
        postal_code=address.zip,
        country=address.country_code_v2,
        phone=address.phone,
    )


def _transactions(nodes: Collection[TransactionNode], processor_gateways: Collection[str]) -> tuple[Transaction, ...]:
    direct = {node.id for node in nodes if (node.gateway or "") in processor_gateways}
    by_processor = set(direct)
    for node in nodes:
        # What is booked upon a direct charge, e.g. when the order is marked as paid, is that same money.
        booked_upon = node.parent_transaction is not None and node.parent_transaction.id in by_processor
        if booked_upon or (direct and node.gateway == _MANUAL):
            by_processor.add(node.id)
    return tuple(_transaction(node, node.id in by_processor) for node in nodes if node.kind in _KINDS)


def _transaction(node: TransactionNode, by_processor: bool) -> Transaction:
    return Transaction(
        external_id=node.id,
        kind=_KINDS[node.kind],
        status=_STATUSES.get(node.status, TransactionStatus.PENDING),
        amount=node.amount_set.money,
        presentment=node.amount_set.presentment,
        gateway=node.gateway or "",
        captured_by=CapturedBy.PROCESSOR if by_processor else CapturedBy.STOREFRONT,
        payment_id=node.payment_id,
        parent_id=node.parent_transaction.id if node.parent_transaction else None,
        processed_at=node.processed_at,
        multi_capturable=node.multi_capturable,
    )


def _fulfillment_order(work: FulfillmentOrderNode) -> FulfillmentOrder:
    place = work.assigned_location
    lines = work.line_items.nodes
    return FulfillmentOrder(
        external_id=work.id,
        # A location that was deleted since leaves only its name.
        location=place.location.id if place.location else place.name,
        status=_WORK_STATUSES.get(work.status, FulfillmentOrderStatus.CLOSED),
        assigned=tuple((line.line_item.id, line.total_quantity) for line in lines),
        remaining=tuple((line.line_item.id, line.remaining_quantity) for line in lines),
        holds=tuple(hold_reason(hold.reason) for hold in work.fulfillment_holds),
    )


def hold_reason(told: str) -> HoldReason:
    """Source: shopify.dev, FulfillmentHoldReason, which webhooks tell in lower case."""
    return HoldReason.RISK if told.upper() == "HIGH_RISK_OF_FRAUD" else HoldReason.OTHER


def _fulfillment(parcel: FulfillmentNode) -> Fulfillment:
    work = parcel.fulfillment_orders.nodes
    return Fulfillment(
        external_id=parcel.id,
        fulfillment_order_id=work[0].id if work else None,
        status=parcel.status.lower(),
        tracking_number=parcel.tracking_info[0].number if parcel.tracking_info else None,
        created_at=parcel.created_at,
    )


def _refund(refund: RefundNode, connection: str) -> Refund:
    lines = refund.refund_line_items.nodes
    return Refund(
        connection=connection,
        external_id=refund.id,
        amount=refund.total_refunded_set.money,
        presentment=refund.total_refunded_set.presentment,
        created_at=refund.created_at or refund.processed_at,
        lines=tuple((line.line_item.id, line.quantity) for line in lines),
        cancelled=tuple((line.line_item.id, line.quantity) for line in lines if line.restock_type == "CANCEL"),
        restocked=tuple(
            (line.line_item.id, line.location.id if line.location else None, line.quantity)
            for line in lines
            if line.restock_type in _CAME_BACK
        ),
        transactions=tuple(transaction.id for transaction in refund.transactions.nodes),
        return_id=refund.belongs_to.id if refund.belongs_to else None,
    )


def _return(told: ReturnNode) -> Return:
    """A disposition says where a unit that came back ended up. Source: ReverseFulfillmentOrderDispositionType."""
    disposed = [line for work in told.reverse_fulfillment_orders.nodes for line in work.line_items.nodes]
    return Return(
        external_id=told.id,
        status=_RETURN_STATUSES.get(told.status) or ReturnStatus(told.status.lower()),
        lines=tuple(
            (line.fulfillment_line_item.line_item.id, line.quantity)
            for line in told.return_line_items.nodes
            if line.fulfillment_line_item is not None
        ),
        restocked=tuple(
            (line.fulfillment_line_item.line_item.id, end.location.id if end.location else None, end.quantity)
            for line in disposed
            if line.fulfillment_line_item is not None
            for end in line.dispositions
            if end.type == "RESTOCKED"
        ),
        created_at=told.created_at,
    )


def _risk(risk: RiskNode) -> Risk:
    """An assessment that is still under way counts until there is a recommendation."""
    pending = any(assessment.risk_level == "PENDING" for assessment in risk.assessments)
    return _RISKS.get(risk.recommendation, Risk.PENDING if pending else Risk.NONE)


def _fingerprint(order: OrderNode) -> str:
    return fingerprint(
        financial_status=order.display_financial_status,
        cancelled=order.cancelled_at is not None,
        total=order.total_price_set.money,
        current_total=order.current_total_price_set.money,
        current_quantity=sum(line.current_quantity for line in order.line_items.nodes),
        refunds=len(order.refunds),
        fulfillments=(parcel.status for parcel in order.fulfillments),
    )


def _levels(item: InventoryItemNode) -> tuple[StockLevel, ...]:
    """What is not tracked is never counted: Shopify lists it with counts that mean nothing."""
    return tuple(map(_level, item.inventory_levels.nodes)) if item.tracked else ()


def _level(level: LevelNode) -> StockLevel:
    counts = {quantity.name: quantity.quantity for quantity in level.quantities}
    return StockLevel(
        location=level.location.id,
        location_name=level.location.name or "",
        on_hand=counts.get("on_hand", 0),
        available=counts.get("available", 0),
    )
