"""The order sync without Prefect: the same loops under the same leader lock, while Prefect's server is away.

Run as `python -m tradewind.stack.understudy`; SIGTERM lets it finish what is in hand.
"""

from __future__ import annotations

import asyncio
import logging
import signal

from tradewind.governor import Governor
from tradewind.ledger import leadership
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings, load_settings
from tradewind.sync.clients import ClientPool
from tradewind.sync.leases import LedgerLeases
from tradewind.sync.runner import LANE, order_sync_runner
from tradewind.sync.seam import in_thread

_log = logging.getLogger("tradewind.understudy")


async def understudy(ledger: Ledger, settings: Settings, stopping: asyncio.Event) -> None:
    """Wait for the leader's seat and lead until `stopping`; return at once when leader and standby are in place."""
    seats = leadership.acquire(ledger, LANE, timeout_s=3600.0, stopped=stopping.is_set)
    seat = await in_thread(seats.__enter__)
    try:
        if seat is not None:
            _log.warning("leading without Prefect")
            await _lead(ledger, settings, stopping)
    finally:
        await in_thread(seats.__exit__, None, None, None)


async def _lead(ledger: Ledger, settings: Settings, stopping: asyncio.Event) -> None:
    clients = ClientPool(ledger, Governor(LedgerLeases(ledger)))
    runner = order_sync_runner(ledger, clients, settings)
    running = asyncio.create_task(runner.run())
    running.add_done_callback(lambda _: stopping.set())
    try:
        await stopping.wait()
    finally:
        runner.stop()
        await running
        await clients.aclose()


async def main() -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    settings = load_settings()
    ledger = open_ledger(settings)
    try:
        await understudy(ledger, settings, stopping)
    finally:
        ledger.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(main())
