"""The webhook subscriptions that a connection should have, against those that the provider has."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from tradewind.domain.connections import Connection
from tradewind.domain.roles import Client, PublishesKeys
from tradewind.domain.rotation import rotated
from tradewind.ledger import connections, cursors, hearing
from tradewind.ledger.dialect import db_now
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings
from tradewind.sync.seam import in_thread
from tradewind.sync.sweep import CURSOR

SEEN = "subscribed"
"""Cursor: the time up to which the connection's subscriptions are known to have been there."""

OLD_SECRET_FOR = timedelta(hours=24)
"""What the endpoint before signed may still be on its way for as long as Stripe lets two secrets overlap."""

_log = logging.getLogger("tradewind.subscriptions")


def hook_url(settings: Settings, connection: Connection) -> str | None:
    """Where the connection's provider delivers to: the public address, else, for a provider on this machine, the
    gateway's own; None when the provider could not reach it."""
    base = settings.public_url
    if base is None:
        if not _on_this_machine(connection.settings.get("base_url", "")):
            return None
        base = f"http://{settings.gateway_host}:{settings.gateway_port}"
    return f"{base}/hooks/{connection.key.provider}/{connection.key.account}"


async def check_subscriptions(
    ledger: Ledger, connection: Connection, client: Client, settings: Settings, *, now: datetime | None = None
) -> int:
    """Create what is missing; gives how many were. A secret that the provider reveals at creation is kept.

    When subscriptions that were there are gone, the next sweep reads again from when they were last seen, or from the
    last webhook if that is earlier. Without a public address nothing is subscribed: the sweeps alone bring in what
    happens.
    """
    url = hook_url(settings, connection)
    if url is None:
        _log.warning("%s: no webhooks without a public address; set public_url", connection.key)
        return 0
    created = await client.subscribe(url)
    if created:
        gap_since = await in_thread(_open_gap, ledger, str(connection.key))
        if gap_since is not None:
            _log.warning("%s: subscriptions were gone; read again from %s", connection.key, gap_since)
    if isinstance(client, PublishesKeys):
        keys = await client.signing_keys()
        await in_thread(_keep_keys, ledger, connection, keys)
    secret = next((one.secret for one in created if one.secret), None)
    if secret is not None:
        await in_thread(_keep_secret, ledger, connection, secret)
    # Last: what fails before is done again, and the gap begins where it began.
    await in_thread(_note_seen, ledger, str(connection.key), now or datetime.now(UTC))
    return len(created)


def _on_this_machine(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _open_gap(ledger: Ledger, key: str) -> datetime | None:
    """Have the next sweep read what no webhook may have told of; gives from when, None for a first subscription."""
    with ledger.write() as database:
        seen = cursors.get(database, f"{key}/{SEEN}")
        known = [hearing.last_webhook(database, key), seen.updated_at if seen else None]
        since = min((at for at in known if at is not None), default=None)
        if since is not None:
            cursors.rewind(database, f"{key}/{CURSOR}", since)
    return since


def _note_seen(ledger: Ledger, key: str, now: datetime) -> None:
    with ledger.write() as database:
        cursors.set(database, f"{key}/{SEEN}", cursors.Cursor(now))


def _keep_keys(ledger: Ledger, connection: Connection, keys: str) -> None:
    """The gateway calls no provider: the keys reach it through the ledger."""
    with ledger.write() as database:
        connections.update_settings(database, ledger.keys, connection.key, {"jwks": keys})


def _keep_secret(ledger: Ledger, connection: Connection, secret: str) -> None:
    """The secret before stays valid beside it: deliveries signed with it may still be on their way."""
    with ledger.write() as database:
        known = connections.get(database, ledger.keys, connection.key).secrets
        changes = rotated(known, "webhook_secret", secret, now=db_now(database), grace=OLD_SECRET_FOR)
        connections.update_secrets(database, ledger.keys, connection.key, changes)
