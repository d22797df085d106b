"""The wait before another attempt: exponential, jittered, bounded."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tradewind.sync.backoff import BASE_S, LIMIT_S, backoff_s


@given(st.integers(min_value=1, max_value=10_000), st.integers())
def test_it_lies_within_half_and_the_whole_of_its_span(attempts: int, seed: int) -> None:
    span_s = min(LIMIT_S, BASE_S * 2 ** min(attempts - 1, 64))
    assert span_s / 2 <= backoff_s(attempts, random.Random(seed)) <= span_s


def test_many_who_failed_together_do_not_come_back_together() -> None:
    rng = random.Random(1)
    assert len({round(backoff_s(5, rng), 3) for _ in range(100)}) > 90
