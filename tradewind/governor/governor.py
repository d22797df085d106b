"""Who may call a provider now: budget, lanes, concurrency, what the provider said, and the circuit breaker."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tradewind.errors import OutcomeUnknown, ProviderUnavailable
from tradewind.governor.budget import Budget, Lane
from tradewind.governor.clock import Clock, SystemClock
from tradewind.governor.gate import Gate
from tradewind.governor.leases import LeaseSource, LocalLeases


class Governor:
    """One per event loop, for every connection that the process calls."""

    def __init__(self, leases: LeaseSource | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._leases = leases or LocalLeases(self._clock)
        self._gates: dict[str, Gate] = {}
        self._tickets = itertools.count()

    @property
    def clock(self) -> Clock:
        return self._clock

    def register(self, connection: str, budget: Budget) -> None:
        """State the connection's budget; stating another one replaces it from the next call on."""
        gate = self._gates.get(connection)
        if gate is None:
            self._gates[connection] = Gate(connection, budget, self._leases, self._clock, self._tickets)
        else:
            gate.budget = budget

    @asynccontextmanager
    async def admit(self, connection: str, cost: float, lane: Lane) -> AsyncIterator[None]:
        """Wait for the right to make one call of `cost`, and hold one of the connection's places while it runs.

        How the block ends tells the breaker: ProviderUnavailable and OutcomeUnknown are failures of the provider,
        any other ending is an answer. Raises ProviderUnavailable at once while the circuit is open, RateLimited when
        the wait would be longer than the lane allows; nothing was sent in both cases.
        """
        gate = self._gates[connection]
        lane = await gate.enter(cost, lane)
        try:
            yield
        except (ProviderUnavailable, OutcomeUnknown):
            gate.breaker.failed(self._clock.monotonic())
            raise
        except Exception:
            gate.breaker.succeeded()
            raise
        except BaseException:
            gate.breaker.abandoned()
            raise
        else:
            gate.breaker.succeeded()
        finally:
            gate.leave(cost, lane)

    def feedback(
        self,
        connection: str,
        *,
        remaining: float | None = None,
        restore_per_s: float | None = None,
        retry_after_s: float | None = None,
        refunded: float = 0.0,
        cost: float = 0.0,
    ) -> None:
        """Take in what a response says.

        remaining: units left at the provider. restore_per_s: how fast they come back. retry_after_s: call nothing
        before. refunded: units of the call's cost that the provider gave back. cost: of the call that was answered,
        while it is still admitted.
        """
        self._gates[connection].observe(remaining, restore_per_s, retry_after_s, refunded, cost)

    def waiting(self, connection: str) -> int:
        """How many calls wait to be admitted."""
        gate = self._gates.get(connection)
        return gate.waiting if gate else 0
