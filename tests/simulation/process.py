"""A simulated process: it can die at any step and at any commit, and stand still for a while."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tests.simulation.loop import VirtualLoop


class Crash(BaseException):
    """The process is gone. Nothing that handles errors may catch it."""


class Process:
    """steps_left: how many more steps and commits it lives; None: for ever. dies_behind: asked right behind a commit.
    skew: of its wall clock.
    """

    def __init__(self, name: str, loop: VirtualLoop, *, skew: timedelta = timedelta(0)) -> None:
        from tests.simulation.loop import OWNER

        self.name = name
        self.skew = skew
        self.dead = False
        self.steps_left: int | None = None
        self.dies_behind: Callable[[], bool] = lambda: False
        self.on_death: list[Callable[[], None]] = []
        self.pauses_after: list[int] = []  # how many writes lie before each pause
        self.on_pause: Callable[[], None] = lambda: None
        self.keep: list[Any] = []  # tasks of the dead are kept: collecting them would run their `finally`
        self._loop = loop
        self._paused_until = 0.0
        self._waiting: list[Callable[[], None]] = []
        self._context = contextvars.copy_context()
        self._context.run(OWNER.set, self)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a task in this process."""
        self.keep.append(self._loop.create_task(work, context=self._context.copy()))

    def may_step(self, step: Callable[[], None]) -> bool:
        """Whether the step happens now; a paused process does it later, a dead one never."""
        if self.dead:
            return False
        if self._loop.time() < self._paused_until:
            self._waiting.append(step)
            return False
        return not self._dies()

    def reach(self) -> None:
        """A commit boundary. Raises Crash when the process dies here, or is dead."""
        if self.dead or self._dies():
            raise Crash(self.name)

    def commit(self) -> None:
        """Right behind a commit. Raises Crash as `reach` does."""
        if not self.dead and self.dies_behind():
            self.kill()
        self.reach()

    def lose_processor(self) -> bool:
        """Before a write: whether the process is stopped here."""
        if not self.pauses_after:
            return False
        self.pauses_after[0] -= 1
        if self.pauses_after[0] > 0:
            return False
        del self.pauses_after[0]
        self.on_pause()
        return True

    def pause(self, seconds: float) -> None:
        """Stand still, as a machine that swaps, or a stopped process."""
        self._paused_until = self._loop.time() + seconds
        self._loop.call_later(seconds, self._resume, context=contextvars.Context())

    def kill(self) -> None:
        if not self.dead:
            self.dead = True
            for notice in self.on_death:
                notice()

    def _dies(self) -> bool:
        if self.steps_left is None:
            return False
        self.steps_left -= 1
        if self.steps_left > 0:
            return False
        self.kill()
        return True

    def _resume(self) -> None:
        if self._loop.time() < self._paused_until:
            return
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            step()
