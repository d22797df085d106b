"""From what happened to a call to the one error that says what may be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tradewind.errors import OutcomeUnknown, ProviderUnavailable, RateLimited, RequestRejected, TradewindError
from tradewind.transport.answers import retry_after_s


@dataclass(frozen=True)
class Call:
    """What classification must know of a call.

    idempotent: sending it again is safe (a read, or a write with an idempotency key). effect: it can change something.
    """

    operation: str
    idempotent: bool
    effect: bool


Classify = Callable[[httpx.Response, Call], TradewindError | None]

# Refused by something in front of the provider's application, or before it read the request: nothing happened.
_NOT_TAKEN = frozenset((408, 425))


def classify(response: httpx.Response, call: Call) -> TradewindError | None:
    """None for 2xx, otherwise the error to raise. A provider wraps this with what its own documents add.

    A 5xx to a call that can change something leaves the outcome unknown: a proxy may have lost the answer.
    """
    status = response.status_code
    if response.is_success:
        return None
    text = f"{call.operation}: HTTP {status}"
    if status == 429:
        return RateLimited(text, retry_after_s=retry_after_s(response))
    if status in _NOT_TAKEN:
        return ProviderUnavailable(text, retry_after_s=retry_after_s(response))
    if status >= 500:
        return no_answer(text, call, retry_after=retry_after_s(response))
    return RequestRejected(text, status=status)


def classify_failure(error: httpx.RequestError, call: Call) -> TradewindError:
    """The error for a call without an answer."""
    text = f"{call.operation}: {type(error).__name__}"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return ProviderUnavailable(text)
    return no_answer(text, call)


def no_answer(text: str, call: Call, *, retry_after: float | None = None) -> TradewindError:
    """OutcomeUnknown for a call that can change something, ProviderUnavailable for one that only reads."""
    return OutcomeUnknown(text) if call.effect else ProviderUnavailable(text, retry_after_s=retry_after)
