"""Orders in real time: from the inbox to the ledger, from the ledger to the providers."""

from __future__ import annotations

import asyncio

from prefect import flow

from tasks.connections import take_over_blocks
from tasks.dead_letters import tell_of_dead_letters, watch_what_fails
from tasks.orders import (
    how_it_stands,
    probe_public_address,
    summarise_window,
    sweep_connection,
    tagged,
    watch_subscriptions,
)
from tasks.spans import orders_name
from tasks.successor import successor_of
from tasks.window import Window, beside, lead
from tasks.work import Work, attempt, work
from tradewind.sync.runner import Totals

DEPLOYMENT = "order-sync/order-sync"
SWEEP_ENDS_EARLY_S = 15.0
"""Before the window's end: a sweep that is under way then would be cancelled."""
SWEEP_AT_LEAST_S = 10.0


@flow(name="order-sync", flow_run_name=orders_name)
async def order_sync(window_s: float | None = None, sweep_interval_s: float | None = None) -> str:
    """Keep orders in step, for one window.

    One run leads and one stands by; any other ends at once. The leader applies deliveries and sends commands in plain
    loops, sweeps every connection for what webhooks missed, and leaves when its time is up and a successor waits.

    Args:
        window_s: How long to lead, in seconds, at most 200; without it, as the setting says.
        sweep_interval_s: Pause between two sweeps of all connections, in seconds; without it, as the setting says.
    """
    successor = successor_of(DEPLOYMENT, {"window_s": window_s, "sweep_interval_s": sweep_interval_s})
    async with work("critical") as at:
        lasts_s = window_s or at.settings.window_s
        async with lead(at, window_s=lasts_s, standby_s=lasts_s + 60.0, successor=successor) as window:
            if window is None:
                return "a leader and a standby are in place"
            watching = look_after_connections(at, window, sweep_interval_s or at.settings.sweep_interval_s)
            async with beside(watching), beside(watch_what_fails(at, window)):
                totals = await lead_until_over(window)
            await attempt("telling of dead letters", tell_of_dead_letters(at.ledger))
            await summarise_window(totals, await how_it_stands(at))
            return f"{totals.taken} deliveries applied, {totals.sent} commands sent"


async def lead_until_over(window: Window) -> Totals:
    """Wait until the window is over and what was in hand is finished."""
    while not await window.over():
        await window.wait(0.5)
    return await window.finish()


async def look_after_connections(at: Work, window: Window, sweep_interval_s: float) -> None:
    """Take newer blocks over, then sweep all connections at every interval, until the window is over."""
    await attempt("taking newer blocks over", take_over_blocks())
    while not window.stopping:
        await attempt("sweeping", look_for_missed(at, max(window.left_s - SWEEP_ENDS_EARLY_S, SWEEP_AT_LEAST_S)))
        await window.wait(sweep_interval_s)


async def look_for_missed(at: Work, within_s: float) -> None:
    """Check every connection's webhook subscriptions and sweep it, side by side: one does not hold up the others."""
    keys = [str(connection.key) for connection in at.connected()]
    probing = attempt("probing the public address", probe_public_address()) if at.settings.public_url else None
    looking = [look_at_connection(key, within_s) for key in keys]
    await asyncio.gather(*looking, *([probing] if probing else []))


async def look_at_connection(key: str, within_s: float) -> None:
    """Subscriptions first: where some were gone, the sweep reads again from when they were last seen."""
    await attempt(f"watching the subscriptions of {key}", tagged(watch_subscriptions, key)(key))
    await attempt(f"sweeping {key}", tagged(sweep_connection, key)(key, within_s))
