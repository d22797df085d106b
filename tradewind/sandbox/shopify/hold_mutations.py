"""fulfillmentOrderHold and fulfillmentOrderReleaseHold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.shopify import holding
from tradewind.sandbox.shopify.access import guarded
from tradewind.sandbox.shopify.ids import number_of
from tradewind.sandbox.shopify.lookup import fulfillment_order_of
from tradewind.sandbox.shopify.order import FulfillmentOrder, StoreOrder
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.views import fulfilment
from tradewind.sandbox.shopify.views.base import View

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

_SCOPE: Final = "write_merchant_managed_fulfillment_orders"


def hold_fields(store: ShopifyStore) -> View:
    """The two mutations."""
    acts: dict[str, Callable[..., View]] = {
        "fulfillmentOrderHold": lambda **asked: _hold(store, asked["id"], asked["fulfillmentHold"]),
        "fulfillmentOrderReleaseHold": lambda **asked: _release(store, asked["id"], asked.get("holdIds")),
    }
    return {name: guarded(store, _SCOPE, name, _answering(act)) for name, act in acts.items()}


def _answering(act: Callable[..., View]) -> Callable[..., View]:
    def answer(_: Any, **arguments: Any) -> View:
        try:
            return {**act(**arguments), "userErrors": []}
        except RefusalError as refusal:
            return {"userErrors": [{"field": refusal.field, "message": refusal.message, "code": refusal.code}]}

    return answer


def _hold(store: ShopifyStore, value: str, asked: dict[str, Any]) -> View:
    order, given = _found(store, value)
    made = holding.hold(
        store,
        order,
        given,
        asked["reason"],
        notes=asked.get("reasonNotes"),
        handle=asked.get("handle") or "",
        by_app=True,
    )
    return {"fulfillmentHold": fulfilment.hold(made), "fulfillmentOrder": _shown(store, order, given)}


def _release(store: ShopifyStore, value: str, hold_ids: list[str] | None) -> View:
    order, given = _found(store, value)
    numbers = None if hold_ids is None else {number_of(each, "FulfillmentHold") or 0 for each in hold_ids}
    holding.release(store, order, given, numbers)
    return {"fulfillmentOrder": _shown(store, order, given)}


def _shown(store: ShopifyStore, order: StoreOrder, given: FulfillmentOrder) -> View:
    return fulfilment.fulfillment_order(store, order, given)


def _found(store: ShopifyStore, value: str) -> tuple[StoreOrder, FulfillmentOrder]:
    found = fulfillment_order_of(store, value)
    if found is None:
        raise RefusalError("Fulfillment order does not exist.", field=["id"], code="FULFILLMENT_ORDER_NOT_FOUND")
    return found
