"""The table of who repeats what, from the constants that decide it."""

from __future__ import annotations

from tasks.retries import BATCH_RETRIES
from tradewind.governor.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S
from tradewind.governor.gate import LONGEST_WAIT_S
from tradewind.providers.registry import PROVIDERS
from tradewind.settings import Settings
from tradewind.sync.backoff import BASE_S, LIMIT_S
from tradewind.sync.dispatch import LAST_GENERATION, LONGEST_ASKED_S, SHARE_OF_LEASE
from tradewind.transport.retry import STANDARD_RETRY

HEAD = """\
# Who repeats what

One owner for each failure: what one of these gives up goes to the next, and nothing is repeated by two.

| where | repeats | how often | waits | gives up to |
|---|---|---|---|---|
"""


def retries_page() -> str:
    """Every owner of a retry with its bounds."""
    waits = ", ".join(f"{seconds:g} s" for seconds in _batch_waits())
    lanes = ", ".join(f"{lane} {seconds:g} s" for lane, seconds in LONGEST_WAIT_S.items())
    rows = [
        (
            "one request (`transport/retry.py`)",
            "TransientError of calls that are idempotent or keyed",
            f"{STANDARD_RETRY.tries} tries, none later than {STANDARD_RETRY.within_s:g} s after the first",
            f"exponential from {STANDARD_RETRY.first_wait_s:g} s with jitter; `Retry-After` is honoured",
            "whoever called",
        ),
        (
            "order sync (`sync/dispatch.py`)",
            "TransientError, OutcomeUnknown and KeySpent (under the next key) of commands",
            f"until it is done, or refused {LAST_GENERATION + 1} times; an attempt takes {SHARE_OF_LEASE:.0%} of its "
            "lease at most",
            f"half to whole of {BASE_S:g} s · 2ⁿ, at most {LIMIT_S:g} s (`sync/backoff.py`); `Retry-After` up to "
            f"{LONGEST_ASKED_S:g} s",
            "a dead letter, for a PermanentError",
        ),
        (
            "batch flows (`tasks/retries.py`)",
            "TransientError, by its class alone",
            f"{BATCH_RETRIES['retries']} times",
            f"{waits}, each up to {BATCH_RETRIES['retry_jitter_factor']:.0%} longer",
            "a failed run, and its alert",
        ),
        (
            "circuit breaker (`governor/breaker.py`)",
            "a probe of a provider that is down",
            f"opens after {FAILURES_TO_OPEN} failures in a row",
            f"{FIRST_PAUSE_S:g} s, doubling to {LONGEST_PAUSE_S:g} s",
            "ProviderUnavailable, at once, without a call",
        ),
        (
            "waiting for budget (`governor/gate.py`)",
            "a call that the budget does not allow yet",
            "until it may go",
            f"by lane: {lanes}",
            "RateLimited, nothing sent",
        ),
        (
            "claims of the inbox (`ledger/inbox.py`)",
            "deliveries whose worker is gone",
            "until they are finished",
            f"the lease, {Settings.model_fields['lease_s'].default:g} s unless set",
            "a dead letter with its reason, for what cannot be read or taken",
        ),
    ]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    providers = ", ".join(PROVIDERS)
    return f"{HEAD}{table}\n\nProviders: {providers}. Their budgets are in `tradewind/providers/*/limits.py`."


def _batch_waits() -> list[float]:
    return list(BATCH_RETRIES["retry_delay_seconds"](BATCH_RETRIES["retries"]))
