"""The watch over a standing stack: what dies is started again, and orders go on while Prefect's server is away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.sandboxes import eventually
from tradewind.stack import watch as watch_module
from tradewind.stack.watch import Watch


@dataclass
class FakePart:
    name: str
    running: bool = True
    starts: int = 0
    log: Path = Path("part.log")

    def start(self) -> None:
        self.starts += 1
        self.running = True

    def stop(self) -> None:
        self.running = False


@dataclass
class FakeStack:
    parts: tuple[FakePart, ...] = field(default_factory=lambda: (FakePart("gateway"), FakePart("worker")))
    understudy: FakePart = field(default_factory=lambda: FakePart("understudy", running=False))
    is_healthy: bool = True
    run_state: str = "SCHEDULED"
    asked: int = 0

    def module(self, name: str, module: str) -> FakePart:
        assert (name, module) == ("understudy", "tradewind.stack.understudy")
        return self.understudy

    @property
    def prefect(self) -> Any:
        return SimpleNamespace(healthy=lambda: self.is_healthy, state=lambda run: self.run_state)

    def run_order_sync(self) -> str:
        self.asked += 1
        return "run"


@dataclass
class Watched:
    stack: FakeStack
    said: list[str]
    stop: Callable[[], None]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(watch_module, "CHECK_S", 0.01)
    monkeypatch.setattr(watch_module, "AWAY_S", 0.1)
    monkeypatch.setattr(watch_module, "RESTART_SPACING_S", 0.1)
    stack, said, stopping = FakeStack(), [], threading.Event()
    watching = threading.Thread(target=Watch(stack, said.append).until, args=(stopping,))  # type: ignore[arg-type]

    def stop() -> None:
        stopping.set()
        watching.join(timeout=10)
        assert not watching.is_alive()

    watching.start()
    yield Watched(stack, said, stop)
    stop()


def test_what_has_died_is_started_again_and_told(watched: Watched) -> None:
    gateway, worker = watched.stack.parts
    gateway.running = False
    eventually(lambda: gateway.starts == 1)
    assert worker.starts == 0
    assert watched.said == ["gateway had ended and is started again; see part.log"]


def test_what_dies_again_at_once_is_not_started_without_a_pause(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "RESTART_SPACING_S", 3600.0)
    gateway = watched.stack.parts[0]
    gateway.running = False
    eventually(lambda: gateway.starts == 1)
    gateway.running = False
    watched.stop()
    assert gateway.starts == 1


def test_an_understudy_leads_while_the_server_is_away_and_leaves_when_it_is_back(watched: Watched) -> None:
    watched.stack.is_healthy = False
    eventually(lambda: watched.stack.understudy.running)
    watched.stack.is_healthy = True
    eventually(lambda: watched.stack.asked)
    assert watched.stack.understudy.running, "it leads until a run of order-sync has begun"
    watched.stack.run_state = "RUNNING"
    eventually(lambda: not watched.stack.understudy.running)
    assert watched.stack.asked == 1
    assert watched.said == [
        "Prefect's server is away: orders go on without it", "Prefect's server is back: order-sync leads again"
    ]  # fmt: skip
    assert watched.stack.understudy.starts == 1


def test_a_server_that_is_away_for_a_moment_changes_nothing(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "AWAY_S", 3600.0)
    watched.stack.is_healthy = False
    watched.stop()
    assert watched.said == []
    assert watched.stack.understudy.starts == 0


def test_the_understudy_is_not_left_behind(watched: Watched) -> None:
    watched.stack.is_healthy = False
    eventually(lambda: watched.stack.understudy.running)
    watched.stop()
    assert not watched.stack.understudy.running
