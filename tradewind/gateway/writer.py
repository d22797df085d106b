"""Group commit: the deliveries that wait at one moment share one transaction.

A durable commit costs one sync of the disk however many rows it carries. So one thread writes; whatever arrives while
it commits makes the next group.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tradewind.errors import TransientError
from tradewind.gateway.store import StoreUnavailable
from tradewind.ledger.delivery import Delivery, Stored

log = logging.getLogger(__name__)

GATHER_S = 0.002
"""How long a group waits for others once several deliveries have come together: a commit costs the processor
time of several deliveries, so that a busy gateway that waits for a moment answers sooner."""


class QueueFull(TransientError):
    """More deliveries wait than the queue holds."""


@dataclass(slots=True)
class _Waiting:
    delivery: Delivery
    answer: asyncio.Future[Stored]


_Answers = list[tuple[asyncio.Future[Stored], Stored | Exception]]


class Writer:
    """A bounded queue and the thread that empties it.

    store: commits a group, called in that thread alone. capacity: deliveries that may wait. group: most in one
    transaction.
    """

    def __init__(
        self, store: Callable[[Sequence[Delivery]], Sequence[Stored]], *, capacity: int = 2000, group: int = 200
    ) -> None:
        self._store = store
        self.capacity = capacity
        self._group = group
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._telling = False
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def close(self, within_s: float = 10.0) -> None:
        """Commit what waits, then end. Deliveries put from now on are refused.

        A store that hangs is waited for no longer than `within_s`: nobody was told that it took anything.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join, within_s)

    @property
    def depth(self) -> int:
        """Deliveries that wait for a commit to begin."""
        return len(self._queue)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    async def put(self, delivery: Delivery) -> Stored:
        """Wait until the delivery is committed. Raises QueueFull, StoreUnavailable: nothing was stored.

        A caller that stops waiting takes nothing back: the delivery may still be committed.
        """
        answer: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._closing:
                raise StoreUnavailable("the gateway is stopping")
            if len(self._queue) >= self.capacity:
                raise QueueFull(f"{self.capacity} deliveries wait already")
            self._queue.append(_Waiting(delivery, answer))
            if not self._telling:
                # At the end of the loop's turn: what arrived in it makes one group, and wakes the thread once.
                self._telling = True
                answer.get_loop().call_soon(self._tell)
        return await answer

    def _tell(self) -> None:
        with self._changed:
            self._telling = False
            self._changed.notify()

    def _run(self) -> None:
        while group := self._next_group():
            outcomes = self._write([waiting.delivery for waiting in group])
            # One call into each loop, however many wait there: each call wakes it, and takes the lock from this thread.
            answers: dict[asyncio.AbstractEventLoop, _Answers] = {}
            for waiting, outcome in zip(group, outcomes, strict=True):
                answers.setdefault(waiting.answer.get_loop(), []).append((waiting.answer, outcome))
            for loop, those in answers.items():
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(_answer, those)

    def _next_group(self) -> list[_Waiting]:
        """What waits now, at least one; nothing when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            more = 1 < len(self._queue) < self._group and not self._closing
        if more:
            time.sleep(GATHER_S)
        with self._changed:
            return [self._queue.popleft() for _ in range(min(self._group, len(self._queue)))]

    def _write(self, deliveries: Sequence[Delivery]) -> Sequence[Stored | Exception]:
        try:
            return self._store(deliveries)
        except StoreUnavailable as error:
            log.warning("%d deliveries not stored: %s", len(deliveries), error)
            return [error] * len(deliveries)
        except Exception:  # a row that the database does not take must not cost the others their commit
            return self._write_singly(deliveries)

    def _write_singly(self, deliveries: Sequence[Delivery]) -> Sequence[Stored | Exception]:
        outcomes: list[Stored | Exception] = []
        for delivery in deliveries:
            try:
                outcomes += self._store([delivery])
            except StoreUnavailable as error:
                return [*outcomes, *[error] * (len(deliveries) - len(outcomes))]
            except Exception as error:
                log.exception("a delivery to %s was not stored", delivery.connection)
                outcomes.append(error)
        return outcomes


def _answer(answers: _Answers) -> None:
    for answer, outcome in answers:
        if answer.done():
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
