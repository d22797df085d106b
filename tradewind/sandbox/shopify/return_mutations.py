"""The mutations about returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tradewind.sandbox.shopify import returning
from tradewind.sandbox.shopify.access import guarded
from tradewind.sandbox.shopify.ids import number_of
from tradewind.sandbox.shopify.lookup import order_of, return_line_of, return_of
from tradewind.sandbox.shopify.order import Return, StoreOrder
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.returning import Wanted
from tradewind.sandbox.shopify.views import returns
from tradewind.sandbox.shopify.views.base import View

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def return_fields(store: ShopifyStore) -> View:
    """Every mutation, its refusals as ReturnUserError."""
    acts: dict[str, Callable[..., View]] = {
        "returnCreate": lambda **asked: _create(store, asked["returnInput"], requested=False),
        "returnRequest": lambda **asked: _create(store, asked["input"], requested=True),
        "returnApproveRequest": lambda input: _change(store, input["id"], returning.approve),
        "returnDeclineRequest": lambda input: _decline(store, input),
        "returnCancel": lambda id, **_: _change(store, id, returning.cancel),
        "returnClose": lambda id: _change(store, id, returning.close),
        "reverseFulfillmentOrderDispose": lambda **asked: _dispose(store, asked["dispositionInputs"]),
    }
    return {name: guarded(store, "write_returns", name, _answering(act)) for name, act in acts.items()}


def _answering(act: Callable[..., View]) -> Callable[..., View]:
    def answer(_: Any, **arguments: Any) -> View:
        try:
            return {**act(**arguments), "userErrors": []}
        except RefusalError as refusal:
            error = {"field": refusal.field, "message": refusal.message, "code": refusal.code or "INVALID"}
            return {"userErrors": [error]}

    return answer


def _create(store: ShopifyStore, given: dict[str, Any], *, requested: bool) -> View:
    order = order_of(store, given["orderId"])
    if order is None:
        raise RefusalError("Order does not exist.", field=["orderId"], code="NOT_FOUND")
    wanted = [_wanted(order, index, each) for index, each in enumerate(given["returnLineItems"])]
    made = returning.create(store, order, wanted, requested=requested)
    return {"return": returns.return_(store, order, made)}


def _wanted(order: StoreOrder, index: int, given: dict[str, Any]) -> Wanted:
    number = number_of(given["fulfillmentLineItemId"], "FulfillmentLineItem")
    for fulfillment in order.fulfillments:
        for row in fulfillment.lines:
            if row.id == number:
                return Wanted(row, given["quantity"], given.get("returnReasonNote") or given.get("customerNote") or "")
    where = ["returnLineItems", str(index), "fulfillmentLineItemId"]
    raise RefusalError("Fulfillment line item does not exist.", field=where, code="NOT_FOUND")


def _change(store: ShopifyStore, value: str, act: Callable[[ShopifyStore, StoreOrder, Return], None]) -> View:
    order, given = _found(store, value)
    act(store, order, given)
    return {"return": returns.return_(store, order, given)}


def _decline(store: ShopifyStore, given: dict[str, Any]) -> View:
    reason, note = given["declineReason"], given.get("declineNote")
    return _change(store, given["id"], lambda store, order, found: returning.decline(store, order, found, reason, note))


def _dispose(store: ShopifyStore, wanted: list[dict[str, Any]]) -> View:
    shown = []
    for each in wanted:
        found = return_line_of(store, each["reverseFulfillmentOrderLineItemId"])
        if found is None:
            raise RefusalError("Line item does not exist.", field=["dispositionInputs"], code="NOT_FOUND")
        order, given, line = found
        number = number_of(each["locationId"], "Location") if each.get("locationId") else None
        location = store.catalog.locations.get(number or 0)
        returning.dispose(store, order, given, line, each["dispositionType"], each["quantity"], location)
        shown.append(returns.expected_line(store, order, line))
    return {"reverseFulfillmentOrderLineItems": shown}


def _found(store: ShopifyStore, value: str) -> tuple[StoreOrder, Return]:
    found = return_of(store, value)
    if found is None:
        raise RefusalError("Return does not exist.", field=["id"], code="NOT_FOUND")
    return found
