"""Webhook subscriptions of this app in this store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradewind.domain.roles import Subscription
from tradewind.errors import RequestRejected
from tradewind.providers.shopify.api import AdminApi
from tradewind.providers.shopify.documents import SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE
from tradewind.providers.shopify.webhooks import WANTED_TOPICS
from tradewind.providers.shopify.wire import Page, SubscriptionNode
from tradewind.transport import parsed


class Subscriptions:
    def __init__(self, api: AdminApi) -> None:
        self._api = api

    async def listed(self) -> Sequence[Subscription]:
        found: list[Subscription] = []
        after: str | None = None
        while True:
            data = await self._api.query(SUBSCRIPTIONS, {"after": after})
            page = parsed(Page[SubscriptionNode], data.get("webhookSubscriptions"), "Subscriptions")
            found += [_subscription(node) for node in page.nodes]
            if not page.page_info.has_next_page:
                return found
            after = page.page_info.end_cursor

    async def create_missing(self, url: str) -> Sequence[Subscription]:
        """Subscribe `url` to every wanted topic that it does not hear yet. Source: webhookSubscriptionCreate."""
        heard = await self._heard(url)
        return [await self._create(topic, url) for topic, name in WANTED_TOPICS.items() if name not in heard]

    async def delete(self, external_id: str) -> None:
        await self._api.mutate(UNSUBSCRIBE, {"id": external_id})

    async def _create(self, topic: str, url: str) -> Subscription:
        sent = {"topic": topic, "webhookSubscription": {"uri": url, "format": "JSON"}}
        try:
            payload: dict[str, Any] = await self._api.mutate(SUBSCRIBE, sent)
        except RequestRejected:
            # Refused because it exists (an earlier attempt whose answer was lost), or for good.
            existing = (await self._heard(url)).get(WANTED_TOPICS[topic])
            if existing is None:
                raise
            return existing
        return _subscription(parsed(SubscriptionNode, payload.get("webhookSubscription"), "Subscribe"))

    async def _heard(self, url: str) -> dict[str, Subscription]:
        return {each.topic: each for each in await self.listed() if each.url == url}


def _subscription(node: SubscriptionNode) -> Subscription:
    topic = WANTED_TOPICS.get(node.topic, node.topic.lower())
    return Subscription(external_id=node.id, topic=topic, url=node.uri)
