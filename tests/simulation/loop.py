"""An event loop whose time jumps: when nothing is left to do now, it is at once the time of the next timer."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import selectors
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from tests.simulation.process import Crash, Process

if TYPE_CHECKING:
    from asyncio import events

OWNER: contextvars.ContextVar[Process | None] = contextvars.ContextVar("owner", default=None)
"""The simulated process that a step belongs to; None: the world."""


class _Jump(selectors.BaseSelector):
    """Waits for nothing: time passes at once."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def get_map(self) -> dict[Any, Any]:
        return {}

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for ever: the simulation has come to a standstill")
        self.elapsed_s += max(timeout, 0.0)
        return []


class _Step(asyncio.Handle):
    """A step of a process: it does not happen once the process is dead, and waits while it is paused."""

    __slots__ = ("owner",)

    def _run(self) -> None:
        if self.owner is None or self.owner.may_step(self._run):
            super()._run()


class _Timer(asyncio.TimerHandle):
    __slots__ = ("owner",)

    def _run(self) -> None:
        if self.owner is None or self.owner.may_step(self._run):
            super()._run()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Deterministic: one thread, no input but its timers. What runs "in a thread" runs at once, as a greenlet, and may
    be suspended by `suspend` wherever a thread might be."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._clock_resolution = 1e-6
        self.set_exception_handler(_hush)

    def time(self) -> float:
        return self._jump.elapsed_s

    def _call_soon(self, callback: Callable[..., Any], args: Any, context: Any) -> asyncio.Handle:
        handle = _Step(callback, args, self, context)
        handle.owner = OWNER.get() if context is None else context.get(OWNER)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> events.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        timer.owner = OWNER.get() if context is None else context.get(OWNER)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True
        return timer

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        answer = self.create_future()

        def body() -> None:
            try:
                result = func(*args)
            except Crash:
                return
            except Exception as error:
                if not answer.cancelled():
                    answer.set_exception(error)
            else:
                if not answer.cancelled():
                    answer.set_result(result)

        thread = greenlet(body)
        thread.gr_context = contextvars.copy_context()
        thread.switch()
        return answer

    def suspend(self, seconds: float) -> None:
        """Let the others go on for a while. Does nothing outside of a "thread"."""
        thread = getcurrent()
        if thread.parent is not None:
            self.call_later(seconds, thread.switch)
            thread.parent.switch()


def _hush(_: asyncio.AbstractEventLoop, __: dict[str, Any]) -> None:
    """Tasks of dead processes end as they end."""
