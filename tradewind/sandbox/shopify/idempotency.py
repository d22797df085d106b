"""Mutations under an idempotency key: carried out once, whatever is sent again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tradewind.sandbox.shopify.refusal import RefusalError

KEPT: Final = timedelta(hours=24)


@dataclass(frozen=True)
class _Attempt:
    arguments: Any
    at: datetime
    result: Any = None
    failed: bool = False


class IdempotencyKeys:
    """The keys that one app has used in one store.

    Source: shopify.dev, "Implementing idempotency", and the codes of the mutations' error enums. Requests are served
    one at a time here, so a concurrent one cannot occur.
    """

    def __init__(self) -> None:
        self._attempts: dict[str, _Attempt] = {}

    def once(self, key: str, arguments: Any, at: datetime, act: Callable[[], Any]) -> Any:
        """The result of the action, or that of the first request with this key.

        Raises RefusalError if the key was used for something else, or if that first request was refused.
        """
        attempt = self._attempts.get(key)
        if attempt is None or at - attempt.at > KEPT:
            return self._first(key, arguments, at, act)
        if attempt.arguments != arguments:
            raise RefusalError(
                "The idempotency key was used before with other parameters.", code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
            )
        if attempt.failed:
            raise RefusalError(
                "The first request with this idempotency key failed.", code="IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
            )
        return attempt.result

    def _first(self, key: str, arguments: Any, at: datetime, act: Callable[[], Any]) -> Any:
        try:
            result = act()
        except RefusalError:
            self._attempts[key] = _Attempt(arguments, at, failed=True)
            raise
        self._attempts[key] = _Attempt(arguments, at, result)
        return result
