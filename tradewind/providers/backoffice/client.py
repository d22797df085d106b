"""Calls to the back office."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import httpx

from tradewind.domain.connections import Connection
from tradewind.domain.events import Event, JournalRecorded, Resource
from tradewind.domain.roles import Health, Journal, Subscription
from tradewind.errors import ConfigurationError
from tradewind.governor import Governor
from tradewind.providers.backoffice.limits import budget
from tradewind.providers.backoffice.mapping import DocumentPage, journal_recorded
from tradewind.providers.backoffice.webhooks import TOPIC
from tradewind.transport import HeaderAuth, Transport, clock_skew_s, json_of, parsed


def connect(connection: Connection, governor: Governor) -> Journal:
    """Raises ConfigurationError without an address or a secret."""
    return BackOfficeClient(connection, governor)


class BackOfficeClient:
    """A journal. Its documents are facts: they are listed, and never read again."""

    def __init__(self, connection: Connection, governor: Governor, *, client: httpx.AsyncClient | None = None) -> None:
        self._connection = str(connection.key)
        secret = connection.secrets.get("secret")
        if not secret:
            raise ConfigurationError(
                "secret", f"connection {self._connection}", "the secret shared with the back office"
            )
        base_url = connection.settings.get("base_url", "")
        auth = HeaderAuth("Authorization", f"Bearer {secret}")
        self._transport = Transport(self._connection, base_url, auth, budget(connection), governor, client=client)

    async def health(self) -> Health:
        response = await self._listed(datetime.now(UTC))
        return Health(account_name=self._connection, clock_skew_s=clock_skew_s(response))

    async def fetch(self, resource: Resource) -> Sequence[Event]:
        return ()

    async def documents(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[JournalRecorded]]:
        """One page: the back office lists everything that was booked since a time, whenever it occurred."""
        page = parsed(DocumentPage, json_of(await self._listed(since)), "documents")
        yield [journal_recorded(value, self._connection) for value in page.documents]

    async def subscriptions(self) -> Sequence[Subscription]:
        """None: the back office does not list its one subscription."""
        return ()

    async def subscribe(self, url: str) -> Sequence[Subscription]:
        """Replaces the one address that documents are sent to."""
        await self._transport.request(
            "POST", "/subscription", json={"url": url}, idempotent=True, operation="subscription.set"
        )
        return (Subscription(external_id=TOPIC, topic=TOPIC, url=url),)

    async def unsubscribe(self, external_id: str) -> None:
        """Does nothing: the one subscription can only be replaced."""

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _listed(self, since: datetime) -> httpx.Response:
        params = {"since": since.astimezone(UTC).isoformat()}
        return await self._transport.request(
            "GET", "/documents", params=params, idempotent=True, operation="documents.list"
        )
