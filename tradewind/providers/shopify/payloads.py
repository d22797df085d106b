"""Shopify's webhook bodies → events.

They are REST-shaped and know nothing of fulfillment orders and payments, so an order's webhook is a hint that tells the
order's version and fingerprint: only what is news is read again by GraphQL. A refund and a released hold are facts as
well, and a dispute's webhook shows all of it: a snapshot.
Source: shopify.dev webhook reference, and the published sample of each topic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from tradewind.domain.events import (
    ConnectionRevoked,
    DisputeObserved,
    Event,
    HoldReleased,
    Ignored,
    RefundRecorded,
    Resource,
    ResourceChanged,
)
from tradewind.domain.money import Money
from tradewind.domain.order import Dispute, DisputeStatus, Refund
from tradewind.errors import SchemaMismatch
from tradewind.providers.shopify.fingerprint import fingerprint
from tradewind.providers.shopify.mapping import hold_reason

Marking = Literal["snapshot", "fact", "hint"]
Reader = Callable[[Mapping[str, Any], str], Sequence[Event]]

_CAME_BACK = ("return", "legacy_restock")
_DISPUTES = {
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "accepted": DisputeStatus.LOST,
    "prevented": DisputeStatus.PREVENTED,
    "charge_refunded": DisputeStatus.PREVENTED,
}
"""Source: shopify.dev, Shopify Payments dispute."""


def events(topic: str, body: bytes, *, connection: str, received_at: datetime) -> Sequence[Event]:
    """The events of one delivery; a topic that changes nothing here is Ignored. Raises SchemaMismatch."""
    payload = _payload(topic, body)
    if topic == "app/uninstalled":
        return (ConnectionRevoked(connection=connection, reason="the app was uninstalled", occurred_at=received_at),)
    known = TOPICS.get(topic)
    if known is None:
        return (Ignored(connection=connection, reason=f"{topic} changes nothing here"),)
    try:
        return known.read(payload, connection)
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


def _returned(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    return (_order_hint(connection, _order_number(payload["order"]["admin_graphql_api_id"])),)


def _risk(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    return (_order_hint(connection, _order_number(payload["admin_graphql_api_order_id"])),)


def _work(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    """A fulfillment order's webhook names no order. One that was moved is told by where it was."""
    work = payload.get("fulfillment_order") or payload["original_fulfillment_order"]
    return (_hint(connection, "fulfillment_order", _text(work["id"])),)


def _released(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    work = _text(payload["fulfillment_order"]["id"])
    reason = hold_reason(_text(payload["fulfillment_hold"]["reason"]))
    released = HoldReleased(connection=connection, fulfillment_order=work, reason=reason)
    return (released, *_work(payload, connection))


def _dispute(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    """Its version is the last of the moments that it tells: it has no time of its own update."""
    order = payload["order_id"]
    if order is None:
        return (Ignored(connection=connection, reason="a dispute of a payment without an order"),)
    order_id = f"gid://shopify/Order/{_id(order)}"
    told = (payload[name] for name in ("initiated_at", "evidence_sent_on", "finalized_on"))
    due = payload["evidence_due_by"]
    dispute = Dispute(
        connection=connection,
        external_id=f"gid://shopify/ShopifyPaymentsDispute/{_id(payload['id'])}",
        payment=order_id,
        charge_id=None,
        amount=Money.of(payload["amount"], payload["currency"]),
        reason=_text(payload["reason"]),
        status=_DISPUTES[payload["status"]],
        evidence_due_at=_time(due) if due is not None else None,
        created_at=_time(payload["initiated_at"]),
    )
    version = max(_time(text) for text in told if text is not None)
    return (DisputeObserved(connection=connection, version=version, dispute=dispute, order_external_id=order_id),)


def _refund(payload: Mapping[str, Any], connection: str) -> Sequence[Event]:
    created_at = _time(payload["created_at"])
    # An order that was read at this second or later holds the refund: such a hint asks for nothing.
    hint = _order_hint(connection, payload["order_id"], version=created_at)
    amount = _refunded(payload)
    if amount is None:
        return (hint,)
    lines = payload["refund_line_items"]
    refund = Refund(
        connection=connection,
        external_id=_gid(payload, "Refund"),
        amount=amount,
        created_at=created_at,
        lines=tuple((_line(line), line["quantity"]) for line in lines),
        cancelled=tuple((_line(line), line["quantity"]) for line in lines if line["restock_type"] == "cancel"),
        restocked=tuple(
            (_line(line), _location(line), line["quantity"]) for line in lines if line["restock_type"] in _CAME_BACK
        ),
        transactions=tuple(_gid(t, "OrderTransaction") for t in _given(payload)),
        return_id=_gid(payload["return"], "Return") if payload.get("return") else None,
    )
    order = hint.resource.external_id
    return (RefundRecorded(connection=connection, order_external_id=order, refund=refund), hint)


def _refunded(payload: Mapping[str, Any]) -> Money | None:
    """The money given back; None when the body does not say it in the shop's currency (the order, read again, does)."""
    given = _given(payload)
    sets = [line["subtotal_set"] for line in payload["refund_line_items"]]
    sets += [line["subtotal_amount_set"] for line in payload.get("refund_shipping_lines") or ()]
    sets += [adjustment["amount_set"] for adjustment in payload.get("order_adjustments") or ()]
    shop = {amounts["shop_money"]["currency_code"] for amounts in sets}
    paid = {transaction["currency"] for transaction in given}
    if len(paid) != 1 or (shop and shop != paid):
        return None
    currency = paid.pop()
    return Money.total((Money.of(transaction["amount"], currency) for transaction in given), currency)


def _given(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The transactions that gave money back."""
    return [t for t in payload["transactions"] if t["kind"] == "refund" and t["status"] == "success"]


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


def _line(refunded: Mapping[str, Any]) -> str:
    return f"gid://shopify/LineItem/{_id(refunded['line_item_id'])}"


def _location(refunded: Mapping[str, Any]) -> str | None:
    location = refunded.get("location_id")
    return f"gid://shopify/Location/{_id(location)}" if location is not None else None


def _order_number(gid: Any) -> int:
    return int(_text(gid).removeprefix("gid://shopify/Order/"))


def _gid(payload: Mapping[str, Any], kind: str) -> str:
    gid = payload.get("admin_graphql_api_id")
    return gid if isinstance(gid, str) and gid else f"gid://shopify/{kind}/{_id(payload['id'])}"


def _id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("an id is a whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _time(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without offset")
    return at


class Topic(NamedTuple):
    """marking: what a delivery of the topic is; with a fact comes a hint that its order has changed."""

    marking: Marking
    read: Reader


def _all(marking: Marking, read: Reader, prefix: str, *names: str) -> dict[str, Topic]:
    return {f"{prefix}/{name}": Topic(marking, read) for name in names}


TOPICS: Mapping[str, Topic] = {
    **_all("hint", _order, "orders", "create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled"),
    "orders/edited": Topic("hint", _order_edited),
    "orders/risk_assessment_changed": Topic("hint", _risk),
    **_all("hint", _order_named, "fulfillments", "create", "update"),
    "order_transactions/create": Topic("hint", _order_named),
    "refunds/create": Topic("fact", _refund),
    **_all("hint", _returned, "returns", "request", "approve", "decline", "cancel", "close", "reopen", "update"),
    "returns/process": Topic("hint", _returned),
    **_all("hint", _work, "fulfillment_orders", "placed_on_hold", "moved", "split", "cancelled", "rescheduled"),
    **_all("hint", _work, "fulfillment_orders", "order_routing_complete", "hold_released"),
    "fulfillment_holds/added": Topic("hint", _work),
    "fulfillment_holds/released": Topic("fact", _released),
    **_all("snapshot", _dispute, "disputes", "create", "update"),
    **_all("hint", _product, "products", "create", "update", "delete"),
    **_all("hint", _inventory, "inventory_levels", "update", "connect", "disconnect"),
}
"""Every topic that is taken; `app/uninstalled`, a fact, is told by its arrival alone. Others change nothing here."""
