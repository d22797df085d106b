"""Calls to Stripe: payments, what is done with them, and disputes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import httpx

from tradewind.domain.commands import CancelPayment, CapturePayment, RefundPayment
from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, PaymentObserved, Resource
from tradewind.domain.order import PaymentState
from tradewind.domain.roles import Health, KeptDelivery, PaymentProcessor, Subscription
from tradewind.errors import KeySpent, OutcomeUnknown, RequestRejected, TransientError
from tradewind.governor import Governor
from tradewind.providers.stripe.api import PAGE_SIZE, StripeApi, is_replayed
from tradewind.providers.stripe.endpoints import Endpoints
from tradewind.providers.stripe.event_log import KEPT_FOR, LISTED_EVENTS, EventLog
from tradewind.providers.stripe.mapping import (
    EXPANDED,
    VOID_REFUNDS,
    DisputeObject,
    PaymentIntentObject,
    PaymentIntentPage,
    RefundList,
    RefundObject,
    dispute_observed,
    payment_observed,
)
from tradewind.providers.stripe.money import to_stripe
from tradewind.transport import clock_skew_s, json_of, observed_at, parsed, took_s

SLOW_S = 1.0
"""An answer that took longer is too old to be dated when it came."""

_DONE = {
    "capture_payment": PaymentState.CAPTURED,
    "cancel_payment": PaymentState.CANCELLED,
}


def connect(connection: Connection, governor: Governor) -> PaymentProcessor:
    """Raises ConfigurationError without a secret key."""
    return StripeClient(connection, governor)


class StripeClient:
    """A payment processor. Every write carries the outbox's idempotency key, so it may be sent again."""

    kept_for = KEPT_FOR
    kept_topics = frozenset(LISTED_EVENTS)

    def __init__(self, connection: Connection, governor: Governor, *, client: httpx.AsyncClient | None = None) -> None:
        self._connection = str(connection.key)
        self._api = StripeApi(connection, governor, client=client)
        self._event_log = EventLog(self._api)
        self._endpoints = Endpoints(self._api, knows_secret=bool(connection.secrets.get("webhook_secret")))

    async def health(self) -> Health:
        """Reads one payment intent and one event: proof that the key may do what is needed.

        Raises RequestRejected for a key that may not (401, 403), and for one of the other mode than what it reads.
        """
        response = await self._api.get("/v1/payment_intents", "payment_intents.list", {"limit": 1})
        for intent in parsed(PaymentIntentPage, json_of(response), "payment_intents.list").data:
            self._api.check_mode(intent.livemode, "payment_intents.list")
        await self._event_log.newest()
        return Health(account_name=self._connection, clock_skew_s=clock_skew_s(response))

    async def fetch(self, resource: Resource) -> Sequence[Event]:
        """A payment or a dispute. What Stripe does not know, or knows in its other mode alone, is no event."""
        reads = {"payment": self._observed, "dispute": self._dispute}
        if resource.kind not in reads:
            return ()
        try:
            return (await reads[resource.kind](resource.external_id),)
        except RequestRejected as error:
            if error.status == 404:
                return ()
            raise

    async def payments(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[PaymentObserved]]:
        """Newest first, as Stripe lists. Source: payment_intents.list, `created` range and `starting_after`."""
        params: dict[str, str | int | Sequence[str]] = {
            "created[gte]": int(since.timestamp()),
            "created[lte]": int(until.timestamp()),
            "limit": PAGE_SIZE,
            "expand[]": f"data.{EXPANDED}",
        }
        while True:
            response = await self._api.get("/v1/payment_intents", "payment_intents.list", params)
            page = parsed(PaymentIntentPage, json_of(response), "payment_intents.list")
            yield [await self._complete(intent, observed_at(response, wrote=False)) for intent in page.data]
            if not page.has_more or not page.data:
                return
            params["starting_after"] = page.data[-1].id

    def deliveries(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[KeptDelivery]]:
        """See `EventLog.between`."""
        return self._event_log.between(since, until)

    async def find_effect(self, command: CapturePayment | CancelPayment | RefundPayment) -> Sequence[Event]:
        """The payment, if it is captured or released already, or has the refund with the command's reference."""
        if isinstance(command, RefundPayment):
            return (await self._observed(command.payment),) if await self._is_refunded(command) else ()
        seen = await self._observed(command.payment)
        return (seen,) if seen.payment.state is _DONE[command.verb] else ()

    async def capture(self, command: CapturePayment, key: str) -> Sequence[Event]:
        """Capture authorised funds; what is left over is released.

        key: idempotency key, the same for every attempt. A payment that is captured already is a success.
        Raises RateLimited (nothing happened), OutcomeUnknown (sent, no answer: resend the same key), KeySpent (another
        key may succeed), RequestRejected (never repeat unchanged). Source: payment_intents.capture.
        """
        path = f"/v1/payment_intents/{command.payment}/capture"
        data = {"amount_to_capture": str(to_stripe(command.amount)), "expand[]": EXPANDED}
        return await self._change(path, "payment_intents.capture", data, key, command)

    async def cancel(self, command: CancelPayment, key: str) -> Sequence[Event]:
        """Release an authorisation. One that is released already is a success. Source: payment_intents.cancel."""
        path = f"/v1/payment_intents/{command.payment}/cancel"
        data = {"cancellation_reason": "requested_by_customer", "expand[]": EXPANDED}
        return await self._change(path, "payment_intents.cancel", data, key, command)

    async def refund(self, command: RefundPayment, key: str) -> Sequence[Event]:
        """Give captured money back. A refusal is a success when the refund with this reference exists already.

        Source: refunds.create.
        """
        data = {
            "payment_intent": command.payment,
            "amount": str(to_stripe(command.amount)),
            "metadata[reference]": command.reference,
        }

        async def is_done() -> bool:
            return await self._is_refunded(command)

        await self._write("/v1/refunds", "refunds.create", data, key, is_done)
        return (await self._observed(command.payment),)

    async def subscriptions(self) -> Sequence[Subscription]:
        return await self._endpoints.list()

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        """See `Endpoints.subscribe`."""
        return await self._endpoints.subscribe(url)

    async def unsubscribe(self, external_id: str) -> None:
        """An endpoint that is gone already is a success."""
        await self._endpoints.unsubscribe(external_id)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _change(
        self, path: str, operation: str, data: Mapping[str, str], key: str, command: CapturePayment | CancelPayment
    ) -> Sequence[Event]:
        async def is_done() -> bool:
            return bool(await self.find_effect(command))

        response = await self._write(path, operation, data, key, is_done)
        if response is None or is_replayed(response) or took_s(response) > SLOW_S:
            # Such an answer shows the payment as it was then; it may have been refunded since.
            return (await self._observed(command.payment),)
        intent = parsed(PaymentIntentObject, json_of(response), operation)
        return (await self._complete(intent, observed_at(response, wrote=True)),)

    async def _write(
        self, path: str, operation: str, data: Mapping[str, str], key: str, is_done: Callable[[], Awaitable[bool]]
    ) -> httpx.Response | None:
        """One effect; None when the write was refused, or its key is spent, and the effect is there already.

        Raises KeySpent also when nobody can tell now whether it is there: that key is of no more use.
        """
        try:
            return await self._api.post(path, operation, data, key)
        except RequestRejected:
            if await is_done():
                return None
            raise
        except KeySpent as spent:
            with suppress(TransientError, OutcomeUnknown):
                if await is_done():
                    return None
            raise spent

    async def _is_refunded(self, command: RefundPayment) -> bool:
        made = await self._refunds(command.payment)
        return any(
            (refund.metadata or {}).get("reference") == command.reference and refund.status not in VOID_REFUNDS
            for refund in made
        )

    async def _observed(self, payment: str) -> PaymentObserved:
        path, operation = f"/v1/payment_intents/{payment}", "payment_intents.retrieve"
        response = await self._api.get(path, operation, {"expand[]": EXPANDED})
        intent = parsed(PaymentIntentObject, json_of(response), operation)
        return await self._complete(intent, observed_at(response, wrote=False))

    async def _dispute(self, external_id: str) -> Event:
        response = await self._api.get(f"/v1/disputes/{external_id}", "disputes.retrieve", {})
        dispute = parsed(DisputeObject, json_of(response), "disputes.retrieve")
        self._api.check_mode(dispute.livemode, dispute.id)
        return dispute_observed(dispute, connection=self._connection, version=observed_at(response, wrote=False))

    async def _complete(self, intent: PaymentIntentObject, version: datetime) -> PaymentObserved:
        self._api.check_mode(intent.livemode, intent.id)
        refunds: Sequence[RefundObject] = ()
        if intent.latest_charge is not None:
            listed = intent.latest_charge.refunds
            # The expanded list holds the ten newest.
            refunds = await self._refunds(intent.id) if listed.has_more else listed.data
        return payment_observed(intent, refunds, connection=self._connection, version=version)

    async def _refunds(self, payment: str) -> Sequence[RefundObject]:
        params: dict[str, str | int | Sequence[str]] = {"payment_intent": payment, "limit": PAGE_SIZE}
        refunds: list[RefundObject] = []
        while True:
            response = await self._api.get("/v1/refunds", "refunds.list", params)
            page = parsed(RefundList, json_of(response), "refunds.list")
            refunds += page.data
            if not page.has_more or not page.data:
                return refunds
            params["starting_after"] = page.data[-1].id
