"""Cut off what takes too long, with one timer for all: a timer for each request costs as much as its signature."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Deadlines:
    """within_s: how long each piece of work may take; it is cut off at most a tenth later."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._running: deque[Deadline] = deque()  # by the time at which they end
        self._ticking = False

    def begin(self) -> Deadline:
        """A context for the current task. Raises TimeoutError at its end if the time was over."""
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop.time() + self._within_s)
        self._running.append(deadline)
        if not self._ticking:
            self._ticking = True
            loop.call_later(self._within_s / 10, self._tick, loop)
        return deadline

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._running and (self._running[0].is_over or self._running[0].until <= now):
            self._running.popleft().cut_off()
        self._ticking = bool(self._running)
        if self._ticking:
            loop.call_later(self._within_s / 10, self._tick, loop)


class Deadline:
    """What asyncio.timeout is, without a timer of its own."""

    __slots__ = ("_cancelling", "_cut_off", "_task", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._cut_off = False

    @property
    def is_over(self) -> bool:
        return self._task is None

    def cut_off(self) -> None:
        if self._task is not None:
            self._cut_off = True
            self._task.cancel()

    def __enter__(self) -> Deadline:
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        assert task is not None
        # Someone else may have cancelled the task too: then it ends as cancelled.
        if self._cut_off and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
