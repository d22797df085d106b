"""The one seam between asynchronous callers and the synchronous ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Writers of one SQLite file wait for each other anyway; a few threads let reads pass them.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ledger")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a ledger function in a thread of its own pool and give its result."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: function(*args, **kwargs))
