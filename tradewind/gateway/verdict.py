"""How a delivery was verified, kept with its headers under a name that no HTTP header can have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from tradewind.providers.hooks import Verdict

NAME = ":verified"


def with_verdict(headers: Mapping[str, str], verdict: Verdict | None) -> Mapping[str, str]:
    """The headers to store."""
    if verdict is None:
        return headers
    return {**headers, NAME: _told(verdict)}


def verdict_of(headers: Mapping[str, str]) -> tuple[Verdict | None, dict[str, str]]:
    """The verdict, None for a delivery from before they were kept, or that no provider sent; the headers as sent."""
    sent = {name: value for name, value in headers.items() if name != NAME}
    if NAME not in headers:
        return None, sent
    scheme, secret, signed_at = json.loads(headers[NAME])
    return Verdict(scheme, secret, datetime.fromisoformat(signed_at) if signed_at else None), sent


@lru_cache(maxsize=64)
def _told(verdict: Verdict) -> str:
    """Remembered, since the deliveries of one second are mostly verified alike."""
    signed_at = verdict.signed_at.isoformat() if verdict.signed_at is not None else None
    return json.dumps([verdict.scheme, verdict.secret, signed_at])
