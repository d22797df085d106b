"""Every error that tradewind raises on purpose, as one tree.

TradewindError
├── TransientError              try again later; nothing is wrong with the request
│   ├── RateLimited             refused by a limit; nothing happened
│   └── ProviderUnavailable     not reached, or 5xx to a call without effect
├── OutcomeUnknown              sent, no answer: the effect may have happened
├── KeySpent                    the provider repeats a stored failure under this idempotency key
├── PermanentError              trying again changes nothing
│   ├── RequestRejected         the provider refused the request
│   ├── SignatureInvalid        a delivery that is not signed as its provider signs
│   ├── SchemaMismatch          a payload that does not have the documented shape
│   └── InvalidTransition       an event that an order in this state cannot take
├── LedgerError
│   ├── LeaseLost               another worker has taken over the row
│   ├── VersionConflict         the record was changed since it was read
│   ├── LedgerTooNew            the database was migrated by a newer tradewind
│   └── SealBroken              a sealed value that cannot be opened
└── ConfigurationError          a setting is missing or wrong: names it, its source and what would be right

Decisions look at the class, never at the message. tests/unit/test_errors.py holds the drawing against the code.
"""

from __future__ import annotations


class TradewindError(Exception):
    """Base of all errors that tradewind raises on purpose."""


class TransientError(TradewindError):
    """Trying the same again later may succeed."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(TransientError):
    """Refused by a rate limit; nothing happened at the provider."""


class ProviderUnavailable(TransientError):
    """The provider was not reached, or failed before it took the call."""


class OutcomeUnknown(TradewindError):
    """The request was sent and no usable answer came: the effect may have happened."""


class KeySpent(TradewindError):
    """The provider has stored a failure under the idempotency key and will repeat it: only another key can succeed.

    Whether the failed request has had its effect is to be looked up first.
    """


class PermanentError(TradewindError):
    """Trying the same again changes nothing."""


# RFC 6749, section 5.2; the last is Shopify's, for an app that is not installed (any more).
_NO_ACCESS = frozenset(("invalid_client", "invalid_grant", "unauthorized_client", "app_not_installed"))


class RequestRejected(PermanentError):
    """The provider understood the request and refused it.

    status: HTTP status, or None when the refusal came inside a 200 answer. code: the provider's own error code.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def ends_access(self) -> bool:
        """The credentials are not good, or not any more: nothing else will be answered until a person renews them."""
        return self.status == 401 or self.code in _NO_ACCESS


class SignatureInvalid(PermanentError):
    """A delivery whose signature, or whose signed time, does not hold."""


class SchemaMismatch(PermanentError):
    """A payload without the documented shape."""


class InvalidTransition(PermanentError):
    """An event that the order, in its present state, cannot take."""


class LedgerError(TradewindError):
    """The ledger refused a write to protect what it holds."""


class LeaseLost(LedgerError):
    """The lease on a row has passed to another worker; its result must not be written."""


class VersionConflict(LedgerError):
    """The record was changed by someone else since it was read."""


class LedgerTooNew(LedgerError):
    """The database was migrated by a newer tradewind than this one."""


class SealBroken(LedgerError):
    """A sealed value was changed, belongs to another row, or was sealed with a key that is not there.

    order_id: of an order whose personal data it is.
    """

    def __init__(self, message: str, *, order_id: str | None = None) -> None:
        super().__init__(message)
        self.order_id = order_id


class ConfigurationError(TradewindError):
    """A setting is missing or wrong.

    setting: its name. source: the file or variable it came from. advice: what would be right.
    """

    def __init__(self, setting: str, source: str, advice: str) -> None:
        super().__init__(f"{setting} (from {source}): {advice}")
        self.setting = setting
        self.source = source
        self.advice = advice
