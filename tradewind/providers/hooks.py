"""What the gateway hands to a provider's webhook room, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tradewind.errors import TransientError


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


class KeyUnknown(TransientError):
    """Signed with a key that has not been fetched yet: the provider is asked to repeat later."""
