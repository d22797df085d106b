"""Waiting for what other coroutines do, without the clock."""

import asyncio
from collections.abc import Callable


async def settle(condition: Callable[[], object], turns: int = 2000) -> None:
    """Give the others turns until the condition holds. Raises AssertionError when it never does."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to pass")
