"""Calls to Stripe, API version 2026-07-29.dahlia."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import httpx

from tradewind.domain.commands import CancelPayment, CapturePayment, RefundPayment
from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, PaymentObserved, Resource
from tradewind.domain.order import PaymentState
from tradewind.domain.roles import Health, PaymentProcessor, Subscription
from tradewind.errors import ConfigurationError, OutcomeUnknown, RateLimited, RequestRejected, TradewindError
from tradewind.governor import Governor
from tradewind.providers.stripe.limits import budget
from tradewind.providers.stripe.mapping import (
    EXPANDED,
    EndpointObject,
    EndpointPage,
    PaymentIntentObject,
    PaymentIntentPage,
    RefundList,
    RefundObject,
    payment_observed,
)
from tradewind.providers.stripe.money import to_stripe
from tradewind.providers.stripe.webhooks import WANTED_EVENTS
from tradewind.transport import Call, HeaderAuth, Transport, classify, clock_skew_s, json_of, observed_at, parsed

API_VERSION = "2026-07-29.dahlia"
DEFAULT_BASE_URL = "https://api.stripe.com"
PAGE_SIZE = 100

KEYS_PER_COMMAND = 3
STORED_FAILURE = "stored_failure"
"""Code of a failure that Stripe keeps under the idempotency key: only another key can succeed."""

Params = Mapping[str, str | int | Sequence[str]]


def connect(connection: Connection, governor: Governor) -> PaymentProcessor:
    """Raises ConfigurationError without a secret key."""
    return StripeClient(connection, governor)


class StripeClient:
    """A payment processor. Every write carries the outbox's idempotency key, so it may be sent again."""

    def __init__(self, connection: Connection, governor: Governor, *, client: httpx.AsyncClient | None = None) -> None:
        self._connection = str(connection.key)
        self._knows_secret = bool(connection.secrets.get("webhook_secret"))
        self._transport = Transport(
            self._connection,
            connection.settings.get("base_url", DEFAULT_BASE_URL),
            HeaderAuth("Authorization", f"Bearer {_secret_key(connection)}"),
            budget(connection),
            governor,
            client=client,
            classify=classify_stripe,
            headers={"Stripe-Version": connection.settings.get("api_version", API_VERSION)},
        )

    async def health(self) -> Health:
        """Reads one payment intent: proof that the key may do what is needed. Raises RequestRejected (401, 403)."""
        response = await self._get("/v1/payment_intents", "payment_intents.list", {"limit": 1})
        return Health(account_name=self._connection, clock_skew_s=clock_skew_s(response))

    async def fetch(self, resource: Resource) -> Sequence[Event]:
        if resource.kind != "payment":
            return ()
        try:
            return (await self._observed(resource.external_id),)
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
            response = await self._get("/v1/payment_intents", "payment_intents.list", params)
            page = parsed(PaymentIntentPage, json_of(response), "payment_intents.list")
            yield [await self._complete(intent, observed_at(response, wrote=False)) for intent in page.data]
            if not page.has_more or not page.data:
                return
            params["starting_after"] = page.data[-1].id

    async def capture(self, command: CapturePayment, key: str) -> Sequence[Event]:
        """Capture authorised funds; what is left over is released.

        key: idempotency key, the same for every attempt. A payment that is captured already is a success.
        Raises RateLimited (nothing happened), OutcomeUnknown (sent, no answer: resend the same key), RequestRejected
        (never repeat unchanged; code `stored_failure`: another key may succeed). Source: payment_intents.capture.
        """
        path = f"/v1/payment_intents/{command.payment}/capture"
        data = {"amount_to_capture": str(to_stripe(command.amount)), "expand[]": EXPANDED}
        return await self._change(path, "payment_intents.capture", data, key, PaymentState.CAPTURED, command.payment)

    async def cancel(self, command: CancelPayment, key: str) -> Sequence[Event]:
        """Release an authorisation. One that is released already is a success. Source: payment_intents.cancel."""
        path = f"/v1/payment_intents/{command.payment}/cancel"
        data = {"cancellation_reason": "requested_by_customer", "expand[]": EXPANDED}
        return await self._change(path, "payment_intents.cancel", data, key, PaymentState.CANCELLED, command.payment)

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
            made = await self._refunds(command.payment)
            return any((refund.metadata or {}).get("reference") == command.reference for refund in made)

        await self._write("/v1/refunds", "refunds.create", data, _keys(key), is_done)
        return (await self._observed(command.payment),)

    async def subscriptions(self) -> Sequence[Subscription]:
        return [_subscription(endpoint) for endpoint in await self._endpoints()]

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        """An endpoint at `url` for the wanted events in the pinned API version, made anew when it is missing.

        An endpoint whose signing secret this connection does not hold is replaced: Stripe shows a secret only once.
        Source: webhook_endpoints.create.
        """
        existing = [endpoint for endpoint in await self._endpoints() if endpoint.url == url]
        if self._knows_secret and any(map(_is_wanted, existing)):
            return ()
        data = {"url": url, "api_version": API_VERSION, "enabled_events[]": WANTED_EVENTS}
        # A fresh key: only the tries of this one call are the same request; a lost endpoint is replaced next time.
        response = await self._post("/v1/webhook_endpoints", "webhook_endpoints.create", data, str(uuid.uuid4()))
        for endpoint in existing:
            await self.unsubscribe(endpoint.id)
        return (_subscription(parsed(EndpointObject, json_of(response), "webhook_endpoints.create")),)

    async def unsubscribe(self, external_id: str) -> None:
        """An endpoint that is gone already is a success."""
        path = f"/v1/webhook_endpoints/{external_id}"
        try:
            await self._transport.request("DELETE", path, idempotent=True, operation="webhook_endpoints.delete")
        except RequestRejected as error:
            if error.status != 404:
                raise

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _change(
        self, path: str, operation: str, data: Mapping[str, str], key: str, wanted: PaymentState, payment: str
    ) -> Sequence[Event]:
        async def is_done() -> bool:
            return (await self._observed(payment)).payment.state is wanted

        response = await self._write(path, operation, data, _keys(key), is_done)
        if response is None:
            return (await self._observed(payment),)
        intent = parsed(PaymentIntentObject, json_of(response), operation)
        return (await self._complete(intent, observed_at(response, wrote=True)),)

    async def _write(
        self,
        path: str,
        operation: str,
        data: Mapping[str, str],
        keys: Sequence[str],
        is_done: Callable[[], Awaitable[bool]],
    ) -> httpx.Response | None:
        """One effect; None when the write was refused because the effect is there already.

        A failure that Stripe keeps under a key is definite: the effect is looked up, then the next key is used.
        """
        try:
            return await self._post(path, operation, data, keys[0])
        except RequestRejected as error:
            if await is_done():
                return None
            if error.code != STORED_FAILURE or len(keys) == 1:
                raise
        return await self._write(path, operation, data, keys[1:], is_done)

    async def _observed(self, payment: str) -> PaymentObserved:
        response = await self._get(f"/v1/payment_intents/{payment}", "payment_intents.retrieve", {"expand[]": EXPANDED})
        intent = parsed(PaymentIntentObject, json_of(response), "payment_intents.retrieve")
        return await self._complete(intent, observed_at(response, wrote=False))

    async def _complete(self, intent: PaymentIntentObject, version: datetime) -> PaymentObserved:
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
            page = parsed(RefundList, json_of(await self._get("/v1/refunds", "refunds.list", params)), "refunds.list")
            refunds += page.data
            if not page.has_more or not page.data:
                return refunds
            params["starting_after"] = page.data[-1].id

    async def _endpoints(self) -> Sequence[EndpointObject]:
        # Stripe allows at most 16 endpoints an account: one page holds them.
        response = await self._get("/v1/webhook_endpoints", "webhook_endpoints.list", {"limit": PAGE_SIZE})
        return parsed(EndpointPage, json_of(response), "webhook_endpoints.list").data

    async def _get(self, path: str, operation: str, params: Params) -> httpx.Response:
        return await self._transport.request("GET", path, params=params, idempotent=True, operation=operation)

    async def _post(
        self, path: str, operation: str, data: Mapping[str, str | Sequence[str]], key: str
    ) -> httpx.Response:
        return await self._transport.request(
            "POST", path, data=data, headers={"Idempotency-Key": key}, idempotent=True, operation=operation
        )


def classify_stripe(response: httpx.Response, call: Call) -> TradewindError | None:
    """Adds Stripe's error code, its 409 and its stored failures.

    409: another request with the same key is still being worked on. A 5xx that is replayed from the key is definite.
    Source: docs.stripe.com/error-low-level, docs.stripe.com/api/idempotent_requests.
    """
    error = classify(response, call)
    if error is None or isinstance(error, RateLimited):
        return error
    if response.status_code == 409:
        return OutcomeUnknown(f"{call.operation}: HTTP 409, the key is in use")
    if response.status_code >= 500 and response.headers.get("Idempotent-Replayed") == "true":
        return RequestRejected(str(error), status=response.status_code, code=STORED_FAILURE)
    if isinstance(error, RequestRejected):
        code = _error_code(response)
        return RequestRejected(f"{error} {code or ''}".rstrip(), status=error.status, code=code)
    return error


def _error_code(response: httpx.Response) -> str | None:
    """Stripe's `error.code`, or `error.type` when it has none."""
    try:
        error = response.json()["error"]
        code = error.get("code") or error.get("type")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return code if isinstance(code, str) else None


def _keys(key: str) -> Sequence[str]:
    """The command's idempotency key, and those that follow once a failure is stored under it.

    They follow from the first: a command that is sent again walks the same keys, and each has its effect at most once.
    """
    followers = (hashlib.sha256(f"{key}/{number}".encode()).hexdigest() for number in range(1, KEYS_PER_COMMAND))
    return (key, *followers)


def _is_wanted(endpoint: EndpointObject) -> bool:
    events = set(endpoint.enabled_events)
    hears = "*" in events or events.issuperset(WANTED_EVENTS)
    return hears and endpoint.status == "enabled" and endpoint.api_version == API_VERSION


def _subscription(endpoint: EndpointObject) -> Subscription:
    topic = ",".join(endpoint.enabled_events)
    return Subscription(external_id=endpoint.id, topic=topic, url=endpoint.url, secret=endpoint.secret)


def _secret_key(connection: Connection) -> str:
    key = connection.secrets.get("secret_key")
    if not key:
        raise ConfigurationError("secret_key", f"connection {connection.key}", "a Stripe secret or restricted key")
    return key
