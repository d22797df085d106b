"""The mutations: look, write, and give the order as it is afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tradewind.domain.commands import CapturePayment, CreateFulfillment, MarkOrderPaid
from tradewind.errors import RequestRejected, TransientError
from tradewind.providers.shopify.api import AdminApi
from tradewind.providers.shopify.documents import (
    CAPTURE,
    CAPTURE_GUARD,
    FULFILL,
    FULFILLMENT_GUARD,
    MARK_AS_PAID,
    PAID_GUARD,
)
from tradewind.providers.shopify.limits import ORDER_HEAD_SIZES
from tradewind.providers.shopify.orders import Orders
from tradewind.providers.shopify.wire import Amount, GuardTransaction, OrderNode
from tradewind.transport import parsed

CAPTURE_FAILED = "capture_failed"
"""Code of a capture that Shopify took and the payment provider refused."""

PENDING_CAPTURE_S = 10.0
FINISHED_WORK = ("CLOSED", "CANCELLED", "INCOMPLETE")


class Writes:
    def __init__(self, api: AdminApi, orders: Orders) -> None:
        self._api = api
        self._orders = orders

    async def capture(self, command: CapturePayment) -> OrderNode | None:
        order_id = command.storefront_order
        if order_id is None:
            raise RequestRejected("a capture at the storefront names its order", code="no_order")
        transactions = await self._transactions(order_id)
        if _is_captured(transactions, command):
            return await self._orders.read(order_id)
        _wait_for_pending(transactions, command.payment)
        amount = _presentment(transactions, command)
        sent = {
            "id": order_id,
            "parentTransactionId": command.payment,
            "amount": amount.amount,
            "currency": amount.currency_code,
        }

        async def is_captured() -> bool:
            return _is_captured(await self._transactions(order_id), command)

        payload = await self._unless(is_captured, self._api.mutate(CAPTURE, {"input": sent, **ORDER_HEAD_SIZES}))
        transaction = (payload or {}).get("transaction") or {}
        if transaction.get("status") in ("FAILURE", "ERROR"):
            raise RequestRejected(f"OrderCapture: {transaction['status']}", code=CAPTURE_FAILED)
        return await self._orders.told(order_id, transaction.get("order"))

    async def mark_paid(self, command: MarkOrderPaid) -> OrderNode | None:
        async def is_paid() -> bool:
            order = (await self._api.query(PAID_GUARD, {"id": command.order})).get("order")
            return order is not None and bool(order.get("fullyPaid"))

        if await is_paid():
            return await self._orders.read(command.order)
        variables = {"input": {"id": command.order}, **ORDER_HEAD_SIZES}
        payload = await self._unless(is_paid, self._api.mutate(MARK_AS_PAID, variables))
        return await self._orders.told(command.order, (payload or {}).get("order"))

    async def fulfill(self, command: CreateFulfillment) -> OrderNode | None:
        async def is_finished() -> bool:
            return _is_finished(await self._api.query(FULFILLMENT_GUARD, {"id": command.fulfillment_order}))

        if await is_finished():
            return await self._orders.read(command.order)
        variables = {"fulfillment": _fulfillment(command), **ORDER_HEAD_SIZES}
        payload = await self._unless(is_finished, self._api.mutate(FULFILL, variables))
        return await self._orders.told(command.order, ((payload or {}).get("fulfillment") or {}).get("order"))

    async def _unless(
        self, is_done: Callable[[], Awaitable[bool]], mutation: Awaitable[dict[str, Any]]
    ) -> dict[str, Any] | None:
        """The mutation's payload; None when it was refused because its effect is there already."""
        try:
            return await mutation
        except RequestRejected:
            # An earlier attempt whose answer was lost, or another hand: the store says which.
            if await is_done():
                return None
            raise

    async def _transactions(self, order_id: str) -> list[GuardTransaction]:
        order = (await self._api.query(CAPTURE_GUARD, {"id": order_id})).get("order")
        listed = order.get("transactions", ()) if isinstance(order, dict) else ()
        return [parsed(GuardTransaction, transaction, "CaptureGuard") for transaction in listed]


def _captures(transactions: list[GuardTransaction], authorization: str) -> list[str]:
    """The statuses of the captures of an authorisation."""
    return [
        t.status
        for t in transactions
        if t.kind == "CAPTURE" and t.parent_transaction is not None and t.parent_transaction.id == authorization
    ]


def _is_captured(transactions: list[GuardTransaction], command: CapturePayment) -> bool:
    """The command's ordinal says how many captures of the authorisation there were when it was planned."""
    return _captures(transactions, command.payment).count("SUCCESS") > command.ordinal


def _wait_for_pending(transactions: list[GuardTransaction], authorization: str) -> None:
    """A capture that is under way may yet fail: neither a success nor a reason to send another."""
    if {"PENDING", "AWAITING_RESPONSE", "UNKNOWN"}.intersection(_captures(transactions, authorization)):
        raise TransientError("a capture of the authorisation is under way", retry_after_s=PENDING_CAPTURE_S)


def _presentment(transactions: list[GuardTransaction], command: CapturePayment) -> Amount:
    """The amount in the currency that the customer saw, which is the one that orderCapture takes.

    An amount in the shop's currency is that of an order of which a processor took the shop's: the whole of an
    authorisation is captured as it was authorised, and a part of it is refused, since its rate is Shopify's to know.
    """
    own = Amount(amount=str(command.amount.decimal), currencyCode=command.amount.currency)
    authorized = next((t.amount_set for t in transactions if t.id == command.payment), None)
    if authorized is None or authorized.presentment_money.currency_code == own.currency_code:
        return own
    if authorized.shop_money.money == command.amount:
        return authorized.presentment_money
    raise RequestRejected(
        f"a part of an authorisation in {authorized.presentment_money.currency_code} cannot be captured in "
        f"{own.currency_code}",
        code="partial_presentment_capture",
    )


def _is_finished(data: dict[str, Any]) -> bool:
    """Nothing remains to be fulfilled, or the fulfillment order is gone."""
    work = data.get("fulfillmentOrder")
    if not isinstance(work, dict) or work["status"] in FINISHED_WORK:
        return True
    lines = work["lineItems"]
    remaining = any(line["remainingQuantity"] for line in lines["nodes"])
    return not remaining and not lines["pageInfo"]["hasNextPage"]


def _fulfillment(command: CreateFulfillment) -> dict[str, Any]:
    tracking = {"company": command.carrier, "number": command.tracking_number, "url": command.tracking_url}
    return {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": command.fulfillment_order}],
        "notifyCustomer": command.notify_customer,
        "trackingInfo": {name: value for name, value in tracking.items() if value is not None},
    }
