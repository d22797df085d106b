"""Alerts on connections and on the gateway: each is told once for what it is about, as soon as Prefect's server hears.

The mark that it was told is set in the ledger, after the server has confirmed the event: what happens right before a
crash, or while the server is away, is told by the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect.events import Event
from prefect.events.clients import get_events_client

from tradewind.domain.connections import Connection, ConnectionState
from tradewind.ledger import connections, cursors
from tradewind.ledger.cursors import Cursor
from tradewind.ledger.engine import Ledger
from tradewind.ledger.hearing import Hearing
from tradewind.sync.seam import in_thread

PAUSED = "tradewind.connection.paused"
SILENT = "tradewind.connection.silent"
UNREACHABLE = "tradewind.gateway.unreachable"
TELLING_S = 10.0


@dataclass(frozen=True)
class Alert:
    """event: its name. about: the connection or address. since: of what it tells; a later one is another alert."""

    event: str
    about: str
    since: datetime
    payload: dict[str, Any]

    @property
    def mark(self) -> str:
        return f"told/{self.event}/{self.about}"


async def tell(ledger: Ledger, alerts: Sequence[Alert]) -> int:
    """Emit those that were not told; gives how many. Raises what the events client raises while the server is away."""
    new = await in_thread(_untold, ledger, alerts)
    if new:
        await emit([_event(alert) for alert in new])
        await in_thread(_told, ledger, new)
    return len(new)


async def emit(events: Sequence[Event]) -> None:
    """Send events to Prefect's server, each confirmed. Raises TimeoutError, or what the events client raises."""
    # Not tried again here: `emit_event` would put them into a queue and promise nothing.
    async with (
        asyncio.timeout(TELLING_S),
        get_events_client(reconnection_attempts=0, checkpoint_every=1) as client,
    ):
        for event in events:
            await client.emit(event)


def paused(ledger: Ledger) -> list[Alert]:
    """One for each connection that is paused, by hand or by its provider."""
    with ledger.read() as database:
        held = [one for one in connections.list(database, ledger.keys) if one.state is ConnectionState.PAUSED]
        return [_paused(one, connections.changed_at(database, one.key)) for one in held]


def _paused(connection: Connection, since: datetime) -> Alert:
    key = str(connection.key)
    payload = {
        "connection": key,
        "reason": connection.paused_reason or "by hand",
        "advice": f"what is to be written waits; `tradewind resume {key}` once the cause is gone",
    }
    return Alert(PAUSED, key, since, payload)


def silent(hearing: Hearing) -> list[Alert]:
    """One when webhooks used to come, and none has come of what sweeps have found since."""
    if not hearing.silent or hearing.heard_at is None:
        return []
    payload = {
        "connection": hearing.connection,
        "heard_at": hearing.heard_at.isoformat(),
        "advice": "sweeps bring in what changes, minutes late; `tradewind doctor` looks at subscription and address",
    }
    return [Alert(SILENT, hearing.connection, hearing.heard_at, payload)]


def unreachable(public_url: str, reason: str, now: datetime) -> Alert:
    """Told again every hour that it lasts."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Alert(UNREACHABLE, public_url, hour, {"public_url": public_url, "reason": reason})


def _event(alert: Alert) -> Event:
    name = alert.event.removeprefix("tradewind.")
    return Event(
        event=alert.event,
        occurred=datetime.now(UTC),
        resource={"prefect.resource.id": f"tradewind.{name}.{alert.about}", "prefect.resource.name": alert.about},
        payload=alert.payload,
    )


def _untold(ledger: Ledger, alerts: Sequence[Alert]) -> list[Alert]:
    with ledger.read() as database:
        told = {alert.mark: cursors.get(database, alert.mark) for alert in alerts}
    return [alert for alert in alerts if (mark := told[alert.mark]) is None or mark.updated_at < alert.since]


def _told(ledger: Ledger, alerts: Sequence[Alert]) -> None:
    with ledger.write() as database:
        for alert in alerts:
            cursors.set(database, alert.mark, Cursor(alert.since))
