"""The fields of Mutation that are about orders and subscriptions. Those about stock are in `stock_mutations`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.shopify import cancelling, fulfilling, paying, webhooks
from tradewind.sandbox.shopify.access import guarded
from tradewind.sandbox.shopify.edit_mutations import edit_fields
from tradewind.sandbox.shopify.fulfilling import Parcel, Tracking
from tradewind.sandbox.shopify.hold_mutations import hold_fields
from tradewind.sandbox.shopify.ids import number_of
from tradewind.sandbox.shopify.lookup import fulfillment_of, fulfillment_order_of, order_of, parsed
from tradewind.sandbox.shopify.money import parsed_amount
from tradewind.sandbox.shopify.order import FulfillmentOrder, FulfillmentOrderLine, StoreOrder
from tradewind.sandbox.shopify.queries import root as query_root
from tradewind.sandbox.shopify.refund_mutation import refund_create
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.return_mutations import return_fields
from tradewind.sandbox.shopify.stock_mutations import stock_fields
from tradewind.sandbox.shopify.views import fulfilment, orders, payments, shops
from tradewind.sandbox.shopify.views.base import View

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

# A cancellation is carried out by a job after the answer. How long jobs take is not published.
CANCEL_AFTER_S: Final = (0.05, 0.4)


def root(store: ShopifyStore) -> View:
    """Mutation."""
    return {
        **_subscription_fields(store),
        "orderCapture": _guarded(store, "write_orders", "orderCapture", _capture),
        "orderMarkAsPaid": _guarded(store, "write_orders", "orderMarkAsPaid", _mark_as_paid),
        "orderCancel": guarded(
            store, "write_orders", "orderCancel", lambda _, **arguments: _cancel(store, **arguments)
        ),
        "orderClose": _guarded(store, "write_orders", "orderClose", _close),
        "refundCreate": guarded(
            store, "write_orders", "refundCreate", lambda info, input: refund_create(store, info, input)
        ),
        "fulfillmentCreate": _guarded(store, "write_merchant_managed_fulfillment_orders", "fulfillmentCreate", _fulfil),
        "fulfillmentTrackingInfoUpdate": _guarded(store, "write_fulfillments", "fulfillmentTrackingInfoUpdate", _track),
        **edit_fields(store),
        **hold_fields(store),
        **return_fields(store),
        **stock_fields(store),
    }


def _guarded(store: ShopifyStore, scope: str, field: str, act: Callable[..., View]) -> Callable[..., Any]:
    """A mutation whose refusals become userErrors."""

    def answer(_: Any, **arguments: Any) -> View:
        try:
            return {**act(store, **arguments), "userErrors": []}
        except RefusalError as refusal:
            return {"userErrors": [{"field": refusal.field, "message": refusal.message}]}

    return guarded(store, scope, field, answer)


def _capture(store: ShopifyStore, input: dict[str, Any]) -> View:
    order = _order(store, input["id"], ["input", "id"])
    number = number_of(input["parentTransactionId"], "OrderTransaction")
    authorization = next((each for each in order.transactions if each.id == number), None)
    if authorization is None:
        raise RefusalError("Transaction does not exist", field=["input", "parentTransactionId"])
    if order.money.presentment != order.currency and input.get("currency") is None:
        raise RefusalError("Currency is required for multi-currency orders", field=["input", "currency"])
    if input.get("currency") not in (None, order.money.presentment):
        raise RefusalError("Currency does not match the order's", field=["input", "currency"])
    made = paying.capture(store, order, authorization, parsed_amount(input["amount"]))
    return {"transaction": payments.transaction(store, order, made)}


def _mark_as_paid(store: ShopifyStore, input: dict[str, Any]) -> View:
    order = _order(store, input["id"], ["id"])
    paying.mark_as_paid(store, order)
    return {"order": orders.order(store, order)}


def _cancel(
    store: ShopifyStore,
    *,
    orderId: str,  # noqa: N803 -- the arguments' names in the schema
    reason: str,
    restock: bool,
    refundMethod: dict[str, Any] | None = None,  # noqa: N803
    staffNote: str | None = None,  # noqa: N803
    **_: Any,
) -> View:
    """Check now, cancel soon: what has been shipped in between stays. Source: shopify.dev, orderCancel."""
    refund = bool(refundMethod and refundMethod.get("originalPaymentMethodsRefund"))
    order = order_of(store, orderId)
    try:
        if order is None:
            raise RefusalError("Order does not exist", field=["orderId"], code="NOT_FOUND")
        cancelling.check(order)
    except RefusalError as refusal:
        error = {"field": refusal.field, "message": refusal.message}
        return {"orderCancelUserErrors": [{**error, "code": refusal.code}], "userErrors": [error]}
    found = order
    job = store.jobs.start(
        store.ids.uuid(),
        after_s=store.rng.uniform(*CANCEL_AFTER_S),
        act=lambda: cancelling.cancel(
            store, found, reason=reason, refund=refund, restock=restock, staff_note=staffNote
        ),
    )
    return {"job": shops.job(job, query_root(store)), "orderCancelUserErrors": [], "userErrors": []}


def _close(store: ShopifyStore, input: dict[str, Any]) -> View:
    order = _order(store, input["id"], ["id"])
    if order.closed_at is None:
        order.closed_at = order.updated_at = max(store.now(), order.updated_at)
        webhooks.order_updated(store, store.happening(), order)
    return {"order": orders.order(store, order)}


def _fulfil(store: ShopifyStore, fulfillment: dict[str, Any], message: str | None = None) -> View:
    found: list[StoreOrder] = []
    parcels: list[Parcel] = []
    for wanted in fulfillment["lineItemsByFulfillmentOrder"]:
        pair = fulfillment_order_of(store, wanted["fulfillmentOrderId"])
        if pair is None:
            raise RefusalError("Fulfillment order does not exist.", field=["fulfillment"])
        found.append(pair[0])
        parcels.append(_parcel(pair[1], wanted.get("fulfillmentOrderLineItems")))
    if len({order.legacy_id for order in found}) > 1:
        raise RefusalError("All fulfillment orders must belong to the same order", field=["fulfillment"])
    if not found:
        raise RefusalError("At least one fulfillment order is required", field=["fulfillment"])
    made = fulfilling.fulfil(store, found[0], parcels, _tracking(fulfillment.get("trackingInfo") or {}))
    return {"fulfillment": fulfilment.fulfillment(store, found[0], made)}


def _parcel(fulfillment_order: FulfillmentOrder, wanted: list[dict[str, Any]] | None) -> Parcel:
    if not wanted:
        return Parcel(fulfillment_order)
    rows = {row.id: row for row in fulfillment_order.lines}
    units: list[tuple[FulfillmentOrderLine, int]] = []
    for each in wanted:
        row = rows.get(parsed(each["id"])[1])
        if row is None:
            raise RefusalError("Fulfillment order line item does not exist.", field=["fulfillment"])
        units.append((row, each["quantity"]))
    return Parcel(fulfillment_order, units)


def _track(
    store: ShopifyStore,
    fulfillmentId: str,  # noqa: N803
    trackingInfoInput: dict[str, Any],  # noqa: N803
    **_: Any,
) -> View:
    pair = fulfillment_of(store, fulfillmentId)
    if pair is None:
        raise RefusalError("Fulfillment does not exist.", field=["fulfillmentId"])
    fulfilling.track(store, *pair, _tracking(trackingInfoInput))
    return {"fulfillment": fulfilment.fulfillment(store, *pair)}


def _tracking(given: dict[str, Any]) -> Tracking:
    """Where `numbers` or `urls` stand beside the singular, the lists count. Source: FulfillmentTrackingInput."""
    one_number, one_url = given.get("number"), given.get("url")
    numbers = given.get("numbers") or ([one_number] if one_number else [])
    urls = given.get("urls") or ([one_url] if one_url else [])
    return Tracking(given.get("company"), list(numbers), list(urls))


def _subscription_fields(store: ShopifyStore) -> View:
    def create(store: ShopifyStore, topic: str, webhookSubscription: dict[str, Any]) -> View:  # noqa: N803
        made = store.subscriptions.create(
            topic, webhookSubscription.get("uri") or "", store.now(), **_settings(webhookSubscription)
        )
        return {"webhookSubscription": shops.subscription(made)}

    def update(store: ShopifyStore, id: str, webhookSubscription: dict[str, Any]) -> View:  # noqa: N803
        found = store.subscriptions.get(number_of(id, "WebhookSubscription"))
        if found is None:
            raise RefusalError("Webhook subscription does not exist", field=["id"])
        settings = _settings(webhookSubscription)
        if webhookSubscription.get("uri"):
            settings["uri"] = webhookSubscription["uri"]
        store.subscriptions.update(found, store.now(), **settings)
        return {"webhookSubscription": shops.subscription(found)}

    def delete(store: ShopifyStore, id: str) -> View:
        found = store.subscriptions.get(number_of(id, "WebhookSubscription"))
        if found is None:
            raise RefusalError("Webhook subscription does not exist", field=["id"])
        store.subscriptions.remove(found.id)
        return {"deletedWebhookSubscriptionId": id}

    acts: dict[str, Callable[..., View]] = {
        "webhookSubscriptionCreate": create,
        "webhookSubscriptionUpdate": update,
        "webhookSubscriptionDelete": delete,
    }
    # Subscribing needs the scopes of its topic; every topic here is about orders, goods or stock.
    return {name: _guarded(store, "read_orders", name, act) for name, act in acts.items()}


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    names = {"format": "format", "name": "name", "includeFields": "include_fields"}
    return {ours: given[theirs] for theirs, ours in names.items() if given.get(theirs) is not None}


def _order(store: ShopifyStore, value: str, where: list[str]) -> StoreOrder:
    found = order_of(store, value)
    if found is None:
        raise RefusalError("Order does not exist", field=where)
    return found
