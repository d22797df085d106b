"""Reading answers: JSON bodies and the time a provider asks us to stay away."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from tradewind.errors import SchemaMismatch


def json_of(response: httpx.Response) -> Any:
    """The body as JSON. Raises SchemaMismatch when it is none."""
    try:
        return response.json()
    except ValueError as error:
        raise SchemaMismatch(f"{response.request.url.path}: the answer is not JSON") from error


def date_of(response: httpx.Response) -> datetime | None:
    """The provider's clock, from the `Date` header (whole seconds); None without one."""
    try:
        read_at = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return read_at if read_at.tzinfo else read_at.replace(tzinfo=UTC)


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds from `Retry-After`, given as seconds or as a date (RFC 9110 10.2.3); None when absent or unreadable."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, response)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(text: str, response: httpx.Response) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (date_of(response) or datetime.now(UTC))).total_seconds())
