"""Repeating inside one request: few tries, little time, only what is safe to send again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential, wait_random

from tradewind.errors import OutcomeUnknown, TransientError
from tradewind.transport.classify import Call


@dataclass(frozen=True)
class Retry:
    """tries: in all. within_s: no further try starts later than this after the first. Waits start at first_wait_s."""

    tries: int
    within_s: float
    first_wait_s: float


STANDARD_RETRY = Retry(tries=3, within_s=10.0, first_wait_s=0.2)
NO_RETRY = Retry(tries=1, within_s=0.0, first_wait_s=0.0)


class DoNotRepeat(Exception):
    """Carries an error that the provider asked us not to try again; never leaves the transport."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def retrying(retry: Retry, call: Call, sleep: Callable[[float], Awaitable[None]]) -> AsyncRetrying:
    """The tenacity policy: transient failures of any call (nothing happened), unknown outcomes of idempotent ones."""
    backoff = wait_exponential(multiplier=retry.first_wait_s, max=5.0) + wait_random(0.0, retry.first_wait_s)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, TransientError) else None
        return max(asked_s or 0.0, backoff(state))

    def repeatable(error: BaseException) -> bool:
        return isinstance(error, TransientError) or (call.idempotent and isinstance(error, OutcomeUnknown))

    return AsyncRetrying(
        stop=stop_after_attempt(retry.tries) | stop_before_delay(retry.within_s),
        wait=wait,
        retry=retry_if_exception(repeatable),
        sleep=sleep,
        reraise=True,
    )


def forbids_repeating(response: httpx.Response) -> bool:
    """`Stripe-Should-Retry: false`: the provider knows that repeating is useless."""
    asked: str = response.headers.get("Stripe-Should-Retry", "")
    return asked.lower() == "false"
