"""Calls to ShipStation API v2 or ShipEngine v1: one client, the table in `operations` says where."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from tradewind.domain.commands import BuyLabel, VoidLabel
from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, LabelObserved, Resource, TrackingScanned
from tradewind.domain.order import LabelState
from tradewind.domain.roles import Carrier, Health, ShippingDetails, Subscription
from tradewind.errors import ConfigurationError, RequestRejected, SchemaMismatch, TradewindError
from tradewind.governor import Governor
from tradewind.providers.shipstation.limits import budget
from tradewind.providers.shipstation.mapping import (
    LABEL_FILTERS,
    CarrierList,
    LabelObject,
    LabelPage,
    ShipmentObject,
    TrackObject,
    VoidAnswer,
    WebhookObject,
    label_observed,
    scans,
    shipment,
)
from tradewind.providers.shipstation.operations import Operation, api_of
from tradewind.transport import Call, HeaderAuth, Transport, classify, clock_skew_s, json_of, observed_at, parsed

PAGE_SIZE = 100

Params = Mapping[str, str | int | Sequence[str]]

_CONFLICTS = frozenset(("identifier_conflict", "field_conflict"))


def connect(connection: Connection, governor: Governor) -> Carrier:
    """Raises ConfigurationError without an API key, or for an unknown prefix."""
    return ShipStationClient(connection, governor)


class ShipStationClient:
    """A carrier. Labels are not keyed by the provider: they are found again by our `external_shipment_id`."""

    def __init__(self, connection: Connection, governor: Governor, *, client: httpx.AsyncClient | None = None) -> None:
        self._connection = str(connection.key)
        self._settings = connection.settings
        self._api = api_of(connection.settings.get("prefix", "v2"), self._connection)
        base_url = connection.settings.get("base_url", self._api.host)
        limits = budget(connection)
        self._transport = Transport(
            self._connection,
            base_url,
            HeaderAuth("API-Key", _api_key(connection)),
            limits,
            governor,
            client=client,
            classify=classify_shipstation,
        )
        # Published on a host of its own, which must not see the API key.
        jwks_url = connection.settings.get("jwks_url", self._api.jwks_url)
        self._jwks = Transport(self._connection, jwks_url, None, limits, governor, client=client)

    async def health(self) -> Health:
        """Reads the carriers. Raises RequestRejected for a bad key, and when the configured carrier is not there."""
        response = await self._call(self._api.list_carriers)
        carriers = parsed(CarrierList, json_of(response), "carriers.list").carriers
        wanted = self._settings.get("carrier_id")
        carrier = next((carrier for carrier in carriers if carrier.carrier_id == wanted), None)
        if carrier is None:
            raise RequestRejected(f"carrier {wanted} is not connected to this account", code="carrier_not_connected")
        name = carrier.nickname or carrier.friendly_name or carrier.carrier_id
        return Health(account_name=name, clock_skew_s=clock_skew_s(response))

    async def signing_keys(self) -> str:
        """The key set (JSON text) that signs webhooks, for the connection's setting `jwks`. Raises SchemaMismatch."""
        response = await self._jwks.request("GET", "", idempotent=True, operation="jwks.get")
        keys = json_of(response)
        if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
            raise SchemaMismatch("jwks.get: not a key set")
        return json.dumps(keys)

    async def fetch(self, resource: Resource) -> Sequence[Event]:
        """One label, or those of a list that a hint named as `filter=value`.

        A label knows less than its parcel's tracking, and later: where it tells nothing, the scans are read too.
        """
        if resource.kind != "label":
            return ()
        name, _, value = resource.external_id.partition("=")
        if name in LABEL_FILTERS and value:
            return [label async for page in self._pages({name: value}) for label in page]
        found = await self._found(self._api.get_label, places={"label_id": resource.external_id})
        return (
            *found,
            *[scan for event in found if _tells_nothing(event) for scan in await self.track(event.label.external_id)],
        )

    async def labels(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[LabelObserved]]:
        """Oldest first. Source: labels.list, `created_at_start` and `created_at_end`."""
        window = {"created_at_start": _iso(since), "created_at_end": _iso(until)}
        async for page in self._pages({**window, "sort_by": "created_at", "sort_dir": "asc"}):
            yield page

    async def find_label(self, command: BuyLabel) -> Sequence[Event]:
        """Source: labels.find (`/labels/external_shipment_id/{id}`), which gives the earliest label of that id."""
        return await self._found(
            self._api.find_label,
            command.fulfillment_order,
            places={"external_shipment_id": command.external_shipment_id},
        )

    async def buy_label(self, command: BuyLabel, details: ShippingDetails) -> Sequence[Event]:
        """Buy one label. Never repeated by itself once it was sent: no answer raises OutcomeUnknown.

        An id that is taken means an earlier attempt got through: its label is given, or bought for its shipment.
        Raises RequestRejected (code: the provider's `error_code`). Source: labels.create.
        """
        body: dict[str, Any] = {"shipment": shipment(command, details, self._settings)}
        if self._settings.get("test_label") == "true":
            body["test_label"] = True
        try:
            response = await self._call(self._api.create_label, json=body)
        except RequestRejected as error:
            if error.code not in _CONFLICTS:
                raise
            return await self.find_label(command) or await self._buy_for_shipment(command)
        return (self._bought(response, command),)

    async def void_label(self, command: VoidLabel) -> Sequence[Event]:
        """Raises RequestRejected (code: `reason_code`) when the carrier does not approve. Source: labels.void.

        `label_already_used`: the parcel has been scanned; reading the label again tells so.
        """
        refusal: RequestRejected | None = None
        try:
            response = await self._call(self._api.void_label, places={"label_id": command.label})
            answer = parsed(VoidAnswer, json_of(response), "labels.void")
            if not answer.approved:
                refusal = RequestRejected("labels.void: not approved", status=200, code=answer.reason_code)
        except RequestRejected as error:
            refusal = error
        events = await self._found(self._api.get_label, places={"label_id": command.label})
        voided = any(event.label.state is LabelState.VOIDED for event in events)
        if refusal is not None and not voided:
            raise refusal
        return events

    async def subscriptions(self) -> Sequence[Subscription]:
        answer = json_of(await self._call(self._api.list_webhooks))
        if not isinstance(answer, list):
            raise SchemaMismatch("webhooks.list: not a list")
        return [_subscription(parsed(WebhookObject, item, "webhooks.list")) for item in answer]

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        """Tracking events to `url`. Our labels come with the answer that made them: a hint would cost one call more."""
        event = self._api.track_event
        if any(known.url == url and known.topic == event for known in await self.subscriptions()):
            return ()
        response = await self._call(self._api.create_webhook, json={"event": event, "url": url})
        return (_subscription(parsed(WebhookObject, json_of(response), "webhooks.create")),)

    async def unsubscribe(self, external_id: str) -> None:
        """A webhook that is gone already is a success."""
        try:
            await self._call(self._api.delete_webhook, places={"webhook_id": external_id})
        except RequestRejected as error:
            if error.status != 404:
                raise

    async def aclose(self) -> None:
        await self._transport.aclose()
        await self._jwks.aclose()

    async def _buy_for_shipment(self, command: BuyLabel) -> Sequence[LabelObserved]:
        """The shipment was made and its label was not. Source: labels.create_for_shipment."""
        response = await self._call(
            self._api.find_shipment, places={"external_shipment_id": command.external_shipment_id}
        )
        made = parsed(ShipmentObject, json_of(response), "shipments.find")
        response = await self._call(self._api.label_for_shipment, json={}, places={"shipment_id": made.shipment_id})
        return (self._bought(response, command),)

    async def _found(
        self, operation: Operation, fulfillment_order: str | None = None, *, places: Mapping[str, str]
    ) -> Sequence[LabelObserved]:
        try:
            response = await self._call(operation, places=places)
        except RequestRejected as error:
            if error.status == 404:
                return ()
            raise
        label = parsed(LabelObject, json_of(response), operation.name)
        if label.status == "error":  # was never made
            return ()
        return (self._observed(label, response, fulfillment_order, wrote=False),)

    async def track(self, label: str) -> Sequence[TrackingScanned]:
        """Source: ShipEngine OpenAPI, get_tracking_log_from_label."""
        try:
            response = await self._call(self._api.track_label, places={"label_id": label})
        except RequestRejected as error:
            if error.status == 404:
                return ()
            raise
        return scans(parsed(TrackObject, json_of(response), "labels.track"), self._connection)

    async def _pages(self, params: Params) -> AsyncIterator[Sequence[LabelObserved]]:
        number = 1
        while True:
            response = await self._call(
                self._api.list_labels, params={**params, "page": number, "page_size": PAGE_SIZE}
            )
            page, version = parsed(LabelPage, json_of(response), "labels.list"), observed_at(response, wrote=False)
            yield [
                label_observed(label, connection=self._connection, version=version)
                for label in page.labels
                if label.status != "error"
            ]
            if number >= page.pages or not page.labels:
                return
            number += 1

    def _bought(self, response: httpx.Response, command: BuyLabel) -> LabelObserved:
        label = parsed(LabelObject, json_of(response), "labels.create")
        return self._observed(label, response, command.fulfillment_order, wrote=True)

    def _observed(
        self, label: LabelObject, response: httpx.Response, fulfillment_order: str | None, *, wrote: bool
    ) -> LabelObserved:
        version = observed_at(response, wrote=wrote)
        return label_observed(label, connection=self._connection, version=version, fulfillment_order=fulfillment_order)

    async def _call(
        self,
        operation: Operation,
        *,
        places: Mapping[str, str] | None = None,
        json: Any = None,
        params: Params | None = None,
    ) -> httpx.Response:
        path = operation.path.format_map({name: quote(value, safe="") for name, value in (places or {}).items()})
        return await self._transport.request(
            operation.method,
            path,
            json=json,
            params=params,
            idempotent=operation.idempotent,
            operation=operation.name,
        )


def classify_shipstation(response: httpx.Response, call: Call) -> TradewindError | None:
    """Adds the `error_code` of the first error. Source: ShipEngine OpenAPI, error_response_body."""
    error = classify(response, call)
    if isinstance(error, RequestRejected):
        code = _error_code(response)
        return RequestRejected(f"{error} {code or ''}".rstrip(), status=error.status, code=code)
    return error


def _tells_nothing(event: LabelObserved) -> bool:
    return event.label.state is LabelState.PURCHASED and not event.label.has_left


def _error_code(response: httpx.Response) -> str | None:
    try:
        code = response.json()["errors"][0]["error_code"]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return code if isinstance(code, str) else None


def _subscription(webhook: WebhookObject) -> Subscription:
    return Subscription(external_id=webhook.webhook_id, topic=webhook.event, url=webhook.url)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _api_key(connection: Connection) -> str:
    key = connection.secrets.get("api_key")
    if not key:
        raise ConfigurationError("api_key", f"connection {connection.key}", "an API key of the ShipStation account")
    return key
