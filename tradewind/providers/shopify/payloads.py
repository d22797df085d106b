"""Shopify's webhook bodies → events.

They are REST-shaped and know nothing of fulfillment orders and payments, so an order's webhook is a hint that tells the
order's version and fingerprint: only what is news is read again by GraphQL. A refund is a fact as well.
Source: shopify.dev webhook reference, and the published sample of each topic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradewind.domain.events import ConnectionRevoked, Event, Ignored, RefundRecorded, Resource, ResourceChanged
from tradewind.domain.money import Money
from tradewind.domain.order import Refund
from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.fingerprint import fingerprint

_RESTOCKED = ("return", "cancel", "legacy_restock")


def events(topic: str, body: bytes, *, connection: str, received_at: datetime) -> Sequence[Event]:
    """The events of one delivery; a topic that changes nothing here is Ignored. Raises SchemaMismatch."""
    payload = _payload(topic, body)
    if topic == "app/uninstalled":
        return (ConnectionRevoked(connection=connection, reason="the app was uninstalled", occurred_at=received_at),)
    read = _READERS.get(topic)
    if read is None:
        return (Ignored(connection=connection, reason=f"{topic} changes nothing here"),)
    try:
        return read(payload, connection)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        # Names the fault and never shows what stood there: bodies hold personal data.
        detail = error if isinstance(error, KeyError) else type(error).__name__
        raise SchemaMismatch(f"{topic}: {detail}") from None


def _payload(topic: str, body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise SchemaMismatch(f"{topic}: the body is not JSON") from None
    if not isinstance(payload, dict):
        raise SchemaMismatch(f"{topic}: the body is no object")
    return payload


def _order(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    currency = payload["currency"]
    shown = fingerprint(
        financial_status=payload["financial_status"],
        cancelled=payload["cancelled_at"] is not None,
        total=Money.of(payload["total_price"], currency),
        current_total=Money.of(payload["current_total_price"], currency),
        current_quantity=sum(line["current_quantity"] for line in payload["line_items"]),
        refunds=len(payload["refunds"]),
        fulfillments=[parcel["status"] for parcel in payload["fulfillments"]],
    )
    resource = Resource(connection=connection, kind="order", external_id=_gid(payload, "Order"))
    return (ResourceChanged(resource=resource, version=_time(payload["updated_at"]), fingerprint=shown),)


def _order_named(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    return (_order_hint(connection, payload["order_id"]),)


def _order_edited(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    return (_order_hint(connection, payload["order_edit"]["order_id"]),)


def _refund(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    created_at = _time(payload["created_at"])
    # An order that was read at this second or later holds the refund: such a hint asks for nothing.
    hint = _order_hint(connection, payload["order_id"], version=created_at)
    amount = _refunded(payload)
    if amount is None:
        return (hint,)
    refund = Refund(
        connection=connection,
        external_id=_gid(payload, "Refund"),
        amount=amount,
        created_at=created_at,
        restocked=tuple(
            (f"gid://shopify/LineItem/{_id(line['line_item_id'])}", line["quantity"])
            for line in payload["refund_line_items"]
            if line["restock_type"] in _RESTOCKED
        ),
    )
    order = hint.resource.external_id
    return (RefundRecorded(connection=connection, order_external_id=order, refund=refund), hint)


def _refunded(payload: Mapping[str, Any]) -> Money | None:
    """The money given back; None when the body does not say it in the shop's currency (the order, read again, does)."""
    given = [t for t in payload["transactions"] if t["kind"] == "refund" and t["status"] == "success"]
    sets = [line["subtotal_set"] for line in payload["refund_line_items"]]
    sets += [line["subtotal_amount_set"] for line in payload.get("refund_shipping_lines") or ()]
    sets += [adjustment["amount_set"] for adjustment in payload.get("order_adjustments") or ()]
    shop = {amounts["shop_money"]["currency_code"] for amounts in sets}
    paid = {transaction["currency"] for transaction in given}
    if len(paid) != 1 or (shop and shop != paid):
        return None
    currency = paid.pop()
    return Money.total((Money.of(transaction["amount"], currency) for transaction in given), currency)


def _product(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    return (_hint(connection, "product", _gid(payload, "Product")),)


def _inventory(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    item = f"gid://shopify/InventoryItem/{_id(payload['inventory_item_id'])}"
    return (_hint(connection, "inventory", item),)


def _order_hint(connection: str, order_id: Any, *, version: datetime | None = None) -> ResourceChanged:
    resource = Resource(connection=connection, kind="order", external_id=f"gid://shopify/Order/{_id(order_id)}")
    return ResourceChanged(resource=resource, version=version)


def _hint(connection: str, kind: Any, external_id: str) -> ResourceChanged:
    return ResourceChanged(resource=Resource(connection=connection, kind=kind, external_id=external_id))


def _gid(payload: Mapping[str, Any], kind: str) -> str:
    gid = payload.get("admin_graphql_api_id")
    return gid if isinstance(gid, str) and gid else f"gid://shopify/{kind}/{_id(payload['id'])}"


def _id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("an id is a whole number")
    return value


def _time(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without offset")
    return at


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Sequence[Event]]] = {
    "orders/create": _order,
    "orders/updated": _order,
    "orders/paid": _order,
    "orders/cancelled": _order,
    "orders/fulfilled": _order,
    "orders/partially_fulfilled": _order,
    "orders/edited": _order_edited,
    "fulfillments/create": _order_named,
    "fulfillments/update": _order_named,
    "order_transactions/create": _order_named,
    "refunds/create": _refund,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product,
    "inventory_levels/update": _inventory,
    "inventory_levels/connect": _inventory,
    "inventory_levels/disconnect": _inventory,
}
