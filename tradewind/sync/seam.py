"""The one seam between asynchronous callers and the synchronous ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

_log = logging.getLogger("tradewind.runner")
P = ParamSpec("P")
R = TypeVar("R")

LEDGER_AWAY_S = 1.0

# Writers of one SQLite file wait for each other anyway; a few threads let reads pass them.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ledger")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a ledger function in a thread of its own pool and give its result."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: function(*args, **kwargs))


async def patiently(step: Callable[[], Awaitable[R]]) -> R:
    """The step's result; while the ledger is away or busy the step is repeated. It must do nothing but ledger work."""
    while True:
        try:
            return await step()
        except OperationalError as error:
            _log.warning("the ledger does not answer, again in %.0f s: %s", LEDGER_AWAY_S, error.orig)
            await asyncio.sleep(LEDGER_AWAY_S)
