"""Webhook endpoints: one per address, in the pinned API version, for every topic that is wanted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from pydantic import BaseModel

from tradewind.domain.roles import Subscription
from tradewind.providers.stripe.api import API_VERSION, PAGE_SIZE, StripeApi
from tradewind.providers.stripe.webhooks import WANTED_EVENTS
from tradewind.transport import json_of, parsed


class EndpointObject(BaseModel):
    id: str
    url: str
    status: str
    enabled_events: list[str]
    api_version: str | None = None
    secret: str | None = None


class EndpointPage(BaseModel):
    data: list[EndpointObject]
    has_more: bool


class Endpoints:
    """knows_secret: whether the connection holds the signing secret of its endpoint; it does once one was made."""

    def __init__(self, api: StripeApi, *, knows_secret: bool) -> None:
        self._api = api
        self._knows_secret = knows_secret

    async def list(self) -> Sequence[Subscription]:
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
        response = await self._api.post("/v1/webhook_endpoints", "webhook_endpoints.create", data, str(uuid.uuid4()))
        for endpoint in existing:
            await self.unsubscribe(endpoint.id)
        self._knows_secret = True
        return (_subscription(parsed(EndpointObject, json_of(response), "webhook_endpoints.create")),)

    async def unsubscribe(self, external_id: str) -> None:
        await self._api.delete(f"/v1/webhook_endpoints/{external_id}", "webhook_endpoints.delete")

    async def _endpoints(self) -> Sequence[EndpointObject]:
        # Stripe allows at most 16 endpoints an account: one page holds them.
        response = await self._api.get("/v1/webhook_endpoints", "webhook_endpoints.list", {"limit": PAGE_SIZE})
        return parsed(EndpointPage, json_of(response), "webhook_endpoints.list").data


def _is_wanted(endpoint: EndpointObject) -> bool:
    events = set(endpoint.enabled_events)
    hears = "*" in events or events.issuperset(WANTED_EVENTS)
    return hears and endpoint.status == "enabled" and endpoint.api_version == API_VERSION


def _subscription(endpoint: EndpointObject) -> Subscription:
    topic = ",".join(endpoint.enabled_events)
    return Subscription(external_id=endpoint.id, topic=topic, url=endpoint.url, secret=endpoint.secret)
