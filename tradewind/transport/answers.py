"""Reading answers: JSON bodies and the time a provider asks us to stay away."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from tradewind.errors import SchemaMismatch

MOST_SKEW_S = 2.0

M = TypeVar("M", bound=BaseModel)


def json_of(response: httpx.Response) -> Any:
    """The body as JSON. Raises SchemaMismatch when it is none."""
    try:
        return response.json()
    except ValueError as error:
        raise SchemaMismatch(f"{response.request.url.path}: the answer is not JSON") from error


def parsed(model: type[M], value: Any, what: str) -> M:
    """`value` as the wire model. Raises SchemaMismatch, which names the fields but never shows what they held."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors(include_input=False))
        raise SchemaMismatch(f"{what}: {'; '.join(faults)}") from None


def date_of(response: httpx.Response) -> datetime | None:
    """The provider's clock, from the `Date` header (whole seconds); None without one."""
    try:
        read_at = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return read_at if read_at.tzinfo else read_at.replace(tzinfo=UTC)


def sent_at(response: httpx.Response) -> datetime:
    """Our clock right before the request was sent."""
    at: datetime = response.extensions["tradewind_sent_at"]
    return at


def answered_at(response: httpx.Response) -> datetime:
    """Our clock right after the answer came."""
    at: datetime = response.extensions["tradewind_answered_at"]
    return at


def took_s(response: httpx.Response) -> float:
    """Seconds from sending the request to having its answer."""
    return (answered_at(response) - sent_at(response)).total_seconds()


def clock_skew_s(response: httpx.Response) -> float:
    """The provider's clock minus ours, in seconds, as far as the answer proves it; 0.0 when both may show the same.

    `Date` is cut to whole seconds and was written somewhere between request and answer: a slow answer is no skew.
    """
    date = date_of(response)
    if date is None:
        return 0.0
    least = (date - answered_at(response)).total_seconds()
    most = (date - sent_at(response)).total_seconds() + 1.0
    return max(least, 0.0) + min(most, 0.0)


def observed_at(response: httpx.Response, *, wrote: bool) -> datetime:
    """As of when an answer describes its resource: the version of a snapshot from a provider that states none.

    A read is dated when it was sent: it may have waited on the way back while something newer was written. A write is
    dated when it was answered: it describes what it made. By our clock, which is finer than the `Date` header, unless
    the two are apart by more than two seconds; then the provider's counts.
    """
    at = answered_at(response) if wrote else sent_at(response)
    skew_s = clock_skew_s(response)
    return at + timedelta(seconds=skew_s) if abs(skew_s) > MOST_SKEW_S else at


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
