"""Alerts on dead letters: one for each group that opens, however many deliveries and commands are in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.events import Event

from tasks import alerts
from tasks.window import Window
from tasks.work import Work, attempt
from tradewind.ledger import dead_letters
from tradewind.ledger.dead_letters import Group
from tradewind.ledger.engine import Ledger
from tradewind.sync.seam import in_thread

EVENT = "tradewind.dead-letter"
LOOK_S = 0.5
SETTLE_S = 5.0
AGAIN_S = 10.0


async def watch_what_fails(at: Work, window: Window) -> None:
    """Tell of every group that opens and of every connection that is paused, and close the groups whose members have
    succeeded, until the window is over."""
    await attempt("adopting dead letters", in_thread(_adopt, at.ledger))
    settle_at = 0.0
    while not window.stopping:
        if time.monotonic() >= settle_at:
            settle_at = time.monotonic() + SETTLE_S
            await attempt("closing groups of dead letters", in_thread(_settle, at.ledger))
            await attempt("telling of paused connections", _tell_of_paused(at.ledger))
        told = await attempt("telling of dead letters", tell_of_dead_letters(at.ledger))
        await window.wait(LOOK_S if told else AGAIN_S)


async def tell_of_dead_letters(ledger: Ledger) -> None:
    """Emit the event that the automation alerts on for each group that has opened; told again until it has arrived.

    The mark that it was told is set in the ledger, after the server has confirmed the event: what dies right before a
    crash is told by the next run. Raises what the events client raises while Prefect's server is away.
    """
    groups = await in_thread(_untold, ledger)
    if groups:
        await alerts.emit([event_of(group) for group in groups])
        await in_thread(_told, ledger, groups)


def event_of(group: Group) -> Event:
    """What the alert says of a group; nothing personal is in it."""
    return Event(
        event=EVENT,
        occurred=datetime.now(UTC),
        resource={"prefect.resource.id": f"tradewind.dead-letters.{group.name}", "prefect.resource.name": group.name},
        payload={
            "group": group.name,
            "count": group.count,
            "opened_at": group.opened_at.isoformat(),
            "example": {"kind": group.example_kind, "id": group.example_id, "reason": group.example_reason},
            "advice": f"mend what the reason names, then `tradewind dead-letters replay {group.name}`",
        },
    )


async def _tell_of_paused(ledger: Ledger) -> None:
    await alerts.tell(ledger, await in_thread(alerts.paused, ledger))


def _adopt(ledger: Ledger) -> None:
    with ledger.write() as database:
        dead_letters.adopt(database)


def _settle(ledger: Ledger) -> None:
    with ledger.read() as database:
        if not dead_letters.groups(database):
            return
    with ledger.write() as database:
        dead_letters.settle(database)


def _untold(ledger: Ledger) -> list[Group]:
    with ledger.read() as database:
        return dead_letters.unannounced(database)


def _told(ledger: Ledger, groups: Sequence[Group]) -> None:
    with ledger.write() as database:
        dead_letters.announced(database, groups)
