"""From an authentic request to the inbox row that it becomes, however odd its body."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from hashlib import sha256

from tradewind.gateway.verdict import with_verdict
from tradewind.ledger.delivery import Delivery
from tradewind.providers.hooks import HookIdentity, HookRequest, Verdict
from tradewind.providers.registry import Provider

log = logging.getLogger(__name__)

LONGEST_KEY = 200
LONGEST_TOPIC = 100
LONGEST_CORRELATION = 200


def delivery_of(
    provider: Provider, connection: str, hook: HookRequest, received_at: datetime, verdict: Verdict | None = None
) -> Delivery:
    """The delivery to store. Never raises: an authentic delivery that nobody can read is stored all the same."""
    identity = _identity(provider, connection, hook)
    correlation = identity.correlation
    return Delivery(
        connection=connection,
        source="webhook",
        delivery_key=_storable_key(identity.delivery_key),
        topic=_storable(identity.topic, LONGEST_TOPIC),
        body=hook.body,
        format="raw",
        headers=with_verdict(hook.headers, verdict),
        occurred_at=_storable_time(identity.occurred_at),
        received_at=received_at,
        correlation=None if correlation is None else _storable(correlation, LONGEST_CORRELATION),
    )


def _identity(provider: Provider, connection: str, hook: HookRequest) -> HookIdentity:
    try:
        return provider.identify(hook)
    except Exception:  # a provider that heard 5xx for a body that we cannot read would repeat it and then give up
        log.exception("%s: a delivery without a readable identity", connection)
        return HookIdentity(f"sha256:{sha256(hook.body).hexdigest()}", "unreadable", None, None, None)


def _storable_key(key: str) -> str:
    """The key itself, or a digest of one that a text column would not take (PostgreSQL takes no NUL)."""
    if key and len(key) <= LONGEST_KEY and key.isprintable():
        return key
    return f"sha256:{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _storable(text: str, most: int) -> str:
    cut = text[:most]
    return cut if cut.isprintable() else "".join(each if each.isprintable() else "?" for each in cut)


def _storable_time(at: datetime | None) -> datetime | None:
    try:
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except OverflowError:  # an offset may lead out of the calendar
        return None
