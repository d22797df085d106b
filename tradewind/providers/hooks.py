"""What the gateway hands to a provider's webhook room, and what it gets back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tradewind.errors import TransientError

_LONGEST_NAME = 200


@dataclass(frozen=True)
class HookRequest:
    """A webhook as it arrived. headers: names in lower case. body: the raw bytes that were signed."""

    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class HookIdentity:
    """What a delivery is, read without judging its body.

    delivery_key: unique per delivery within the connection; a repetition has the same. topic: what the mapping reads
    it as. correlation: joins deliveries that one change caused. api_version: as the provider states it.
    """

    delivery_key: str
    topic: str
    occurred_at: datetime | None
    correlation: str | None
    api_version: str | None


@dataclass(frozen=True)
class Verdict:
    """How a signature held. secret: the name of the secret or key that made it, never its value.

    signed_at: when it was made, for the schemes that sign a time.
    """

    scheme: str
    secret: str
    signed_at: datetime | None = None


@dataclass(frozen=True)
class Rotation:
    """How the signing secret of a provider is changed.

    secret: its name among the connection's secrets. grace: how long what the older one signed may still arrive. how:
    what a person does at the provider first.
    """

    secret: str
    grace: timedelta
    how: str


class KeyUnknown(TransientError):
    """Signed with a key that has not been fetched yet: the provider is asked to repeat later."""


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; empty for anything else, since a delivery is identified however odd its body."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def plain(value: Any) -> str | None:
    """The value if it can name something in any database and log: 1 to 200 characters of printable ASCII."""
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isascii() and value.isprintable():
        return value
    return None


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time as UTC, which it is taken for unless it says otherwise; None for anything else."""
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
