"""Alerts on dead letters: one for each group that opens, told until it has arrived, closed by success."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from prefect.events import Event
from prefect.logging import disable_run_logger

import tasks.alerts
import tasks.dead_letters
from tasks.dead_letters import tell_of_dead_letters, watch_what_fails
from tasks.work import work
from tests.flows.server import PrefectServer
from tests.flows.shop import delivery, until
from tradewind.ledger import dead_letters, inbox
from tradewind.ledger.dead_letters import Group
from tradewind.ledger.engine import Ledger

CAUSE = "SchemaMismatch.shopify.decode"


@pytest.fixture(autouse=True)
def _no_run() -> Iterator[None]:
    with disable_run_logger():
        yield


class Server:
    """Takes events as Prefect's does; `away` makes it refuse them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False
        self.asked = 0

    def __call__(self, **options: Any) -> Server:
        assert options == {"reconnection_attempts": 0, "checkpoint_every": 1}
        return self

    async def __aenter__(self) -> Server:
        self.asked += 1
        if self.away:
            raise OSError("nobody answers")
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def emit(self, event: Event) -> None:
        self.events.append(event)

    @property
    def told(self) -> list[str]:
        return [event.resource.id for event in self.events]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(tasks.alerts, "get_events_client", server)
    monkeypatch.setattr(tasks.dead_letters, "LOOK_S", 0.01)
    monkeypatch.setattr(tasks.dead_letters, "SETTLE_S", 0.01)
    monkeypatch.setattr(tasks.dead_letters, "AGAIN_S", 0.01)
    return server


class Watch:
    """A window that is over when the test says so."""

    def __init__(self) -> None:
        self.stopping = False

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def take(ledger: Ledger, state: str, *keys: str) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery(key) for key in keys])
        claimed = inbox.claim(conn, ledger.keys, worker="w", limit=100, lease_s=60)
        died = {"reason": "SchemaMismatch: no", "place": "decode"} if state == "dead" else {}
        inbox.finish(conn, [inbox.Outcome(one.id, one.epoch, state, **died) for one in claimed])  # type: ignore[arg-type]


def groups(ledger: Ledger) -> Sequence[Group]:
    with ledger.read() as conn:
        return dead_letters.groups(conn)


async def test_a_group_is_told_once_however_many_join_it(ledger: Ledger, events: Server) -> None:
    take(ledger, "dead", "1", "2")
    await tell_of_dead_letters(ledger)
    take(ledger, "dead", "3")
    await tell_of_dead_letters(ledger)
    assert events.told == [f"tradewind.dead-letters.{CAUSE}"]
    assert events.events[0].event == "tradewind.dead-letter"
    assert events.events[0].payload["count"] == 2


async def test_what_could_not_be_told_is_told_by_the_next_run(ledger: Ledger, events: Server) -> None:
    take(ledger, "dead", "1")
    events.away = True
    with pytest.raises(OSError, match="nobody answers"):
        await tell_of_dead_letters(ledger)
    events.away = False
    await tell_of_dead_letters(ledger)
    assert len(events.told) == 1


async def test_nothing_is_asked_of_the_server_while_there_is_nothing_to_tell(ledger: Ledger, events: Server) -> None:
    await tell_of_dead_letters(ledger)
    assert events.asked == 0


async def test_a_window_tells_closes_and_tells_again(ledger: Ledger, events: Server) -> None:
    watch = Watch()
    async with work("critical") as at:
        watching = asyncio.create_task(watch_what_fails(at, watch))  # type: ignore[arg-type]
        take(ledger, "dead", "1")
        await until(lambda: len(events.told) == 1)
        with ledger.write() as conn:
            dead_letters.replay_group(conn, ledger.keys, CAUSE)
        take(ledger, "applied")
        await until(lambda: not groups(ledger))
        take(ledger, "dead", "2")
        await until(lambda: len(events.told) == 2)
        watch.stopping = True
        await asyncio.wait_for(watching, timeout=30.0)
    assert set(events.told) == {f"tradewind.dead-letters.{CAUSE}"}


async def test_a_server_that_is_away_does_not_end_the_watch(ledger: Ledger, events: Server) -> None:
    watch = Watch()
    events.away = True
    take(ledger, "dead", "1")
    async with work("critical") as at:
        watching = asyncio.create_task(watch_what_fails(at, watch))  # type: ignore[arg-type]
        await until(lambda: events.asked >= 2)
        events.away = False
        await until(lambda: len(events.told) == 1)
        watch.stopping = True
        await asyncio.wait_for(watching, timeout=30.0)


@pytest.mark.xdist_group("prefect")
async def test_prefects_server_hears_of_a_group_once(server: PrefectServer, ledger: Ledger) -> None:
    with ledger.write() as conn:
        inbox.store(conn, ledger.keys, [delivery("1")])
        (one,) = inbox.claim(conn, ledger.keys, worker="w", limit=1, lease_s=60)
        reason = "Unheard: of ada@example.com"
        inbox.finish(conn, [inbox.Outcome(one.id, one.epoch, "dead", reason=reason, place="reduce")])
    await tell_of_dead_letters(ledger)
    await tell_of_dead_letters(ledger)
    (told,) = server.events("tradewind.dead-letter", "Unheard.shopify.reduce")
    assert told["resource"]["prefect.resource.id"] == "tradewind.dead-letters.Unheard.shopify.reduce"
    assert told["payload"]["example"]["reason"] == "Unheard: of •••"
