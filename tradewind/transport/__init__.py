"""The one httpx stack that every provider uses: governed, retried, authenticated, measured."""

from tradewind.transport.answers import MOST_SKEW_S, clock_skew_s, json_of, observed_at, parsed, retry_after_s, took_s
from tradewind.transport.auth import HeaderAuth
from tradewind.transport.classify import Call, Classify, classify
from tradewind.transport.provider_clock import ProviderClock, provider_clock
from tradewind.transport.retry import NO_RETRY, STANDARD_RETRY, Retry
from tradewind.transport.transport import Feedback, Observe, Timeouts, Transport

__all__ = [
    "MOST_SKEW_S",
    "NO_RETRY",
    "STANDARD_RETRY",
    "Call",
    "Classify",
    "Feedback",
    "HeaderAuth",
    "Observe",
    "ProviderClock",
    "Retry",
    "Timeouts",
    "Transport",
    "classify",
    "clock_skew_s",
    "json_of",
    "observed_at",
    "parsed",
    "provider_clock",
    "retry_after_s",
    "took_s",
]
