"""Orders in real time: from the inbox to the ledger, from the ledger to the providers."""

from __future__ import annotations

import time

from prefect import flow

from tasks.connections import take_over_blocks
from tasks.orders import (
    announce_dead_letter,
    summarise_window,
    sweep_connection,
    tagged,
    waiting_counts,
    watch_subscriptions,
)
from tasks.window import Window, lead, successor_of
from tasks.work import Work, log, work
from tradewind.errors import TradewindError
from tradewind.sync.runner import DeadLetter

DEPLOYMENT = "order-sync/order-sync"


@flow(name="order-sync", flow_run_name="orders for {window_s:.0f} s")
async def order_sync(window_s: float = 120.0, sweep_interval_s: float = 180.0) -> str:
    """Keep orders in step, for one window.

    One run leads and one stands by; any other ends at once. The leader applies deliveries and sends commands in plain
    loops, sweeps every connection for what webhooks missed, and leaves when its time is up and a successor waits.

    Args:
        window_s: How long to lead, in seconds; at most 200.
        sweep_interval_s: Pause between two sweeps of all connections, in seconds.
    """
    successor = successor_of(DEPLOYMENT, {"window_s": window_s, "sweep_interval_s": sweep_interval_s})
    async with (
        work("critical") as at,
        lead(at, window_s=window_s, standby_s=window_s + 60.0, successor=successor) as seat,
    ):
        if seat is None:
            return "a leader and a standby are in place"
        await take_over_blocks()
        window, runner = seat
        await keep_watch(at, window, runner.totals.dead, sweep_interval_s)
        runner.stop()
        await summarise_window(runner.totals, await waiting_counts(at))
        return f"{runner.totals.taken} deliveries applied, {runner.totals.sent} commands sent"


async def keep_watch(at: Work, window: Window, dead: list[DeadLetter], sweep_interval_s: float) -> None:
    """While the loops run: sweep at every interval and announce dead letters, until the window is over."""
    sweep_at, announced = time.monotonic(), 0
    while not await window.over():
        for letter in dead[announced:]:
            announce_dead_letter(letter)
            announced += 1
        if time.monotonic() >= sweep_at:
            await look_for_missed(at)
            sweep_at = time.monotonic() + sweep_interval_s
        await window.wait(0.5)


async def look_for_missed(at: Work) -> None:
    """Sweep every connection and check its webhook subscriptions; one that fails does not hold up the others."""
    for connection in at.connected():
        key = str(connection.key)
        for step in (sweep_connection, watch_subscriptions):
            try:
                await tagged(step, key)(key)
            except TradewindError as error:
                log("%s failed for %s, again at the next interval: %r", step.name, key, error)
