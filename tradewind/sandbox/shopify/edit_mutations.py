"""orderEditBegin, orderEditAddVariant, orderEditSetQuantity, orderEditCommit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify import editing
from tradewind.sandbox.shopify.access import guarded
from tradewind.sandbox.shopify.editing import AddedLine, EditSession
from tradewind.sandbox.shopify.ids import number_of, parse_gid
from tradewind.sandbox.shopify.lookup import order_of
from tradewind.sandbox.shopify.order import OrderLine
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.views import edits, orders
from tradewind.sandbox.shopify.views.base import View

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def edit_fields(store: ShopifyStore) -> View:
    """The four mutations. An edit is named by its calculated order or by its session."""
    acts: dict[str, Callable[..., View]] = {
        "orderEditBegin": lambda id: _begin(store, id),
        "orderEditAddVariant": lambda **asked: _add_variant(store, asked),
        "orderEditSetQuantity": lambda **asked: _set_quantity(store, asked),
        "orderEditCommit": lambda id, **_: _commit(store, id),
    }
    return {name: guarded(store, "write_order_edits", name, _answering(act)) for name, act in acts.items()}


def _answering(act: Callable[..., View]) -> Callable[..., View]:
    def answer(_: Any, **arguments: Any) -> View:
        try:
            return {**act(**arguments), "userErrors": []}
        except RefusalError as refusal:
            return {"userErrors": [{"field": refusal.field, "message": refusal.message}]}

    return answer


def _begin(store: ShopifyStore, order_id: str) -> View:
    order = order_of(store, order_id)
    if order is None:
        raise RefusalError("Order does not exist", field=["id"])
    return _shown(store, editing.begin(store, order))


def _add_variant(store: ShopifyStore, asked: dict[str, Any]) -> View:
    session = _session(store, asked["id"])
    variant = store.catalog.variants.get(number_of(asked["variantId"], "ProductVariant") or 0)
    if variant is None:
        raise RefusalError("Variant does not exist", field=["variantId"])
    added = editing.add_variant(store, session, variant, asked["quantity"], again=bool(asked.get("allowDuplicates")))
    return {**_shown(store, session), "calculatedLineItem": edits.calculated_line(store, session, added)}


def _set_quantity(store: ShopifyStore, asked: dict[str, Any]) -> View:
    session = _session(store, asked["id"])
    line, quantity = _line(session, asked["lineItemId"]), asked["quantity"]
    if quantity < 0:
        raise RefusalError("Quantity must be greater than or equal to 0", field=["quantity"])
    if isinstance(line, AddedLine):
        line.quantity = quantity
    else:
        editing.set_quantity(session, line, quantity, restock=bool(asked.get("restock")))
    shown = {**_shown(store, session), "calculatedLineItem": edits.calculated_line(store, session, line)}
    session.added = [each for each in session.added if each.quantity]
    return shown


def _commit(store: ShopifyStore, value: str) -> View:
    session = _session(store, value)
    editing.commit(store, session)
    return {"order": orders.order(store, session.order), "successMessages": ["Order updated"]}


def _shown(store: ShopifyStore, session: EditSession) -> View:
    return {"calculatedOrder": edits.calculated_order(store, session), "orderEditSession": edits.session(session)}


def _session(store: ShopifyStore, value: str) -> EditSession:
    kind, number, _ = parse_gid(value)
    found = store.edits.get(number) if kind in ("CalculatedOrder", "OrderEditSession") else None
    if found is None:
        raise RefusalError("The calculated order does not exist", field=["id"])
    return found


def _line(session: EditSession, value: str) -> OrderLine | AddedLine:
    kind, number, _ = parse_gid(value)
    lines: list[OrderLine | AddedLine] = [*session.order.lines, *session.added]
    found = next((line for line in lines if line.id == number), None)
    if found is None or kind not in ("CalculatedLineItem", "LineItem"):
        raise RefusalError("The line item does not exist", field=["lineItemId"])
    return found
