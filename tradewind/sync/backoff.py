"""How long a command waits before it is tried again: exponential, with full jitter, bounded."""

from __future__ import annotations

import random

BASE_S = 0.5
LIMIT_S = 300.0


def backoff_s(attempts: int, rng: random.Random) -> float:
    """Seconds before the next attempt, after `attempts` (≥ 1) have failed: within half and the whole of 0.5 s · 2ⁿ, at
    most five minutes."""
    span_s = min(LIMIT_S, BASE_S * 2.0 ** min(attempts - 1, 20))
    return span_s * (0.5 + rng.random() / 2)
