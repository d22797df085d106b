"""Idempotency keys as Stripe documents them for API v1.

The first answer is kept for 24 hours once the endpoint has begun to execute, 500s included; the same key with other
parameters is a 400; the same key while the first request still runs is a 409. Source: Stripe API reference,
"Idempotent requests" and "Advanced error handling".
"""

from dataclasses import dataclass
from typing import Final

from tradewind.sandbox.clock import Clock
from tradewind.sandbox.stripe.errors import StripeError

KEPT_FOR_S: Final = 24 * 3600.0


@dataclass(frozen=True)
class Reply:
    """An answer that can be given again."""

    status: int
    body: bytes
    request_id: str


@dataclass
class _Entry:
    fingerprint: str
    begun_s: float
    reply: Reply | None = None


class IdempotencyKeys:
    """One account's keys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def begin(self, key: str, fingerprint: str) -> Reply | None:
        """The kept answer, or None: execute, then `finish` or `abandon`. Raises StripeError on misuse."""
        self._forget_old()
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(fingerprint, self._clock.monotonic())
            return None
        if entry.fingerprint != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeError(400, message, kind="idempotency_error")
        if entry.reply is None:
            message = f"There is currently another in-progress request using this Idempotent Key: {key}"
            raise StripeError(409, message, kind="idempotency_error", code="idempotency_key_in_use")
        return entry.reply

    def finish(self, key: str, reply: Reply) -> None:
        """Keep the answer."""
        self._entries[key].reply = reply

    def abandon(self, key: str) -> None:
        """Keep nothing: the endpoint did not begin."""
        self._entries.pop(key, None)

    def _forget_old(self) -> None:
        """Entries stand in the order of their first use, so only the head can be too old."""
        horizon_s = self._clock.monotonic() - KEPT_FOR_S
        while self._entries and next(iter(self._entries.values())).begun_s < horizon_s:
            del self._entries[next(iter(self._entries))]
