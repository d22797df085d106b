"""Alerts on connections and on the public address: each told once for what it is about, and again for what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.logging import disable_run_logger

import tasks.alerts
import tasks.orders
from tasks import alerts
from tests.flows.test_dead_letters import Server
from tests.sandboxes import running_receiver
from tests.unit.sync.desk import connect_all
from tradewind.domain.connections import ConnectionState
from tradewind.errors import RequestRejected
from tradewind.ledger import connections
from tradewind.ledger.engine import Ledger
from tradewind.ledger.hearing import SILENT_AFTER, Hearing
from tradewind.sync.going_live import pause, resume

AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
STORE = "shopify:north"


@pytest.fixture(autouse=True)
def _no_run() -> Iterator[None]:
    with disable_run_logger():
        yield


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(tasks.alerts, "get_events_client", server)
    return server


def state(ledger: Ledger) -> ConnectionState:
    with ledger.read() as database:
        return connections.get(database, ledger.keys, STORE).state


async def test_a_paused_connection_is_told_once_for_every_pause(ledger: Ledger, events: Server) -> None:
    connect_all(ledger)
    assert await alerts.tell(ledger, alerts.paused(ledger)) == 0
    for _ in range(2):
        pause(ledger, STORE, reason="stocktaking", actor="test")
        assert [await alerts.tell(ledger, alerts.paused(ledger)) for _ in range(2)] == [1, 0]
        resume(ledger, STORE, actor="test")
    assert events.told == [f"tradewind.connection.paused.{STORE}"] * 2
    assert events.events[0].event == "tradewind.connection.paused"
    assert events.events[0].payload["reason"] == "stocktaking"


async def test_what_could_not_be_told_is_told_later(ledger: Ledger, events: Server) -> None:
    one = alerts.unreachable("https://hooks.example.com", "does not answer", AT)
    events.away = True
    with pytest.raises(OSError, match="nobody answers"):
        await alerts.tell(ledger, [one])
    events.away = False
    assert await alerts.tell(ledger, [one]) == 1


async def test_an_address_that_stays_away_is_told_every_hour(ledger: Ledger, events: Server) -> None:
    told = [
        await alerts.tell(ledger, [alerts.unreachable("https://hooks.example.com", "no", AT + timedelta(minutes=late))])
        for late in (0, 10, 44, 45, 46, 105)
    ]
    assert told == [1, 0, 0, 1, 0, 1]


async def test_a_silence_is_told_once_until_a_webhook_comes_again(ledger: Ledger, events: Server) -> None:
    quiet = Hearing(STORE, heard_at=AT, unheard=SILENT_AFTER)
    for hearing, told in (
        (Hearing(STORE, heard_at=AT, unheard=SILENT_AFTER - 1), 0),
        (quiet, 1),
        (quiet, 0),
        (Hearing(STORE, heard_at=AT + timedelta(hours=1), unheard=SILENT_AFTER), 1),
        (Hearing(STORE, heard_at=None, unheard=0), 0),
    ):
        assert await alerts.tell(ledger, alerts.silent(hearing)) == told


@pytest.mark.parametrize("step", ["sweep", "check_subscriptions"])
async def test_refused_credentials_pause_the_connection(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    connect_all(ledger)

    async def refuse(*_: Any, **__: Any) -> None:
        raise RequestRejected("access_token: HTTP 401", status=401)

    monkeypatch.setattr("tasks.work.ClientPool.__call__", lambda *_: None)
    monkeypatch.setattr(tasks.orders, step, refuse)
    task = tasks.orders.sweep_connection if step == "sweep" else tasks.orders.watch_subscriptions
    arguments = (STORE, 10.0) if step == "sweep" else (STORE,)
    with pytest.raises(RequestRejected):
        await task.fn(*arguments)
    assert state(ledger) is ConnectionState.PAUSED


async def test_another_refusal_pauses_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_all(ledger)

    async def refuse(*_: Any, **__: Any) -> None:
        raise RequestRejected("changes: HTTP 422", status=422)

    monkeypatch.setattr("tasks.work.ClientPool.__call__", lambda *_: None)
    monkeypatch.setattr(tasks.orders, "sweep", refuse)
    with pytest.raises(RequestRejected):
        await tasks.orders.sweep_connection.fn(STORE, 10.0)
    assert state(ledger) is ConnectionState.LIVE


async def test_an_address_that_is_not_the_gateways_is_told(
    ledger: Ledger, events: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_receiver() as receiver:
        monkeypatch.setenv("TRADEWIND_PUBLIC_URL", receiver.url)
        assert not await tasks.orders.probe_public_address.fn()
    assert [event.event for event in events.events] == ["tradewind.gateway.unreachable"]
    assert "is not tradewind's gateway" in events.events[0].payload["reason"]


async def test_without_a_public_address_nothing_is_probed(ledger: Ledger, events: Server) -> None:
    assert await tasks.orders.probe_public_address.fn()
    assert events.asked == 0
