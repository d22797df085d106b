"""Several processes that answer at one address: Python runs on one core in each.

They are forked from one that serves nothing itself, before it has opened anything. It holds their sockets, too: who
connects to one that has died waits until another has taken its place.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

log = logging.getLogger(__name__)

STOP_WITHIN_S = 25.0
"""SIGTERM to SIGKILL: draining, and the last commit, have their own bounds, which are shorter."""
LOOK_EVERY_S = 0.1
SETTLED_S = 10.0
"""A process that ends sooner is replaced later each time: one that cannot start must not take a core for trying."""
LONGEST_PAUSE_S = 10.0
_ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass
class _Place:
    """One of the processes, or the place of one that has ended."""

    work: Callable[[Callable[[], None]], None]
    pid: int | None = None
    started_at_s: float = 0.0
    pause_s: float = 0.0
    start_at_s: float = 0.0


class Processes:
    """work: what each of them does; it is given what to call once it is ready, and returns after SIGTERM."""

    def __init__(self, work: Sequence[Callable[[Callable[[], None]], None]]) -> None:
        self._places = [_Place(one) for one in work]
        self._ending = threading.Event()
        # Whoever holds the other end open is alive.
        self._alive, self._holds_alive = os.pipe()
        self._ready, self._tells_ready = os.pipe()
        os.set_blocking(self._ready, False)

    def run(self, on_ready: Callable[[], None]) -> None:
        """Until SIGTERM or SIGINT; then end them, and return. on_ready: called once, when all are ready."""
        before = {number: signal.signal(number, self._end) for number in _ENDING}
        gc.freeze()  # what is there now is shared; a collection would write to all of it
        try:
            waits_for = len(self._places)
            while not self._ending.is_set():
                self._keep_running(time.monotonic())
                if waits_for:
                    waits_for -= min(waits_for, self._told_ready())
                    if not waits_for:
                        on_ready()
                self._ending.wait(LOOK_EVERY_S)
        finally:
            self._end_all()
            gc.unfreeze()
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (self._alive, self._holds_alive, self._ready, self._tells_ready):
                os.close(end)

    def _end(self, *_: object) -> None:
        self._ending.set()

    def _keep_running(self, now_s: float) -> None:
        for place in self._places:
            if place.pid is not None and (status := _status(place.pid)) is not None:
                lived_s = now_s - place.started_at_s
                place.pause_s = 0.0 if lived_s > SETTLED_S else min(max(0.1, 2 * place.pause_s), LONGEST_PAUSE_S)
                log.error("gateway process %d has ended with %d; another follows", place.pid, status)
                place.pid, place.start_at_s = None, now_s + place.pause_s
            if place.pid is None and now_s >= place.start_at_s:
                place.pid, place.started_at_s = self._fork(place), now_s

    def _fork(self, place: _Place) -> int:
        # Held back until the child has dropped our handlers: it would take a signal for ours, and go on.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        pid = os.fork()
        if pid == 0:
            self._be_child(place)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        return pid

    def _be_child(self, place: _Place) -> NoReturn:
        status = 1
        try:
            for number in _ENDING:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            os.close(self._holds_alive)
            threading.Thread(target=self._end_with_parent, name="parent-watch", daemon=True).start()
            place.work(self._tell_ready)
            status = 0
        except BaseException:
            log.exception("a gateway process failed")
        finally:
            logging.shutdown()
            os._exit(status)

    def _end_with_parent(self) -> None:
        """Without it nobody would end us."""
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _tell_ready(self) -> None:
        os.write(self._tells_ready, b"1")

    def _told_ready(self) -> int:
        try:
            return len(os.read(self._ready, len(self._places)))
        except BlockingIOError:
            return 0

    def _end_all(self) -> None:
        until_s = time.monotonic() + STOP_WITHIN_S
        left = [place.pid for place in self._places if place.pid is not None]
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        while left and time.monotonic() < until_s:
            left = [pid for pid in left if _status(pid) is None]
            time.sleep(LOOK_EVERY_S / 10)
        for pid in left:
            log.error("gateway process %d did not end; it is killed", pid)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _status(pid: int) -> int | None:
    """The exit code of a child, below zero for a signal; None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
