"""One connection's way to its provider."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from tradewind import __version__
from tradewind.errors import ConfigurationError, RateLimited, TradewindError
from tradewind.governor import Budget, Governor, Lane, current_lane
from tradewind.telemetry.api_calls import ApiCall, ApiCalls, api_calls
from tradewind.transport.classify import Call, Classify, classify, classify_failure
from tradewind.transport.provider_clock import note_date
from tradewind.transport.retry import STANDARD_RETRY, DoNotRepeat, Retry, forbids_repeating, retrying

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READS = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, to send a chunk, to wait for a chunk of the answer, to wait for a free connection."""

    connect_s: float = 5.0
    write_s: float = 10.0
    read_s: float = 20.0
    pool_s: float = 10.0

    def as_httpx(self) -> httpx.Timeout:
        return httpx.Timeout(connect=self.connect_s, write=self.write_s, read=self.read_s, pool=self.pool_s)


@dataclass(frozen=True)
class Feedback:
    """What a response says of the budget; see `Governor.feedback`."""

    remaining: float | None = None
    restore_per_s: float | None = None
    retry_after_s: float | None = None
    refunded: float = 0.0


Observe = Callable[[httpx.Response, float], Feedback | None]
"""Reads the budget out of a response; the number is the cost that the call was admitted with."""


@dataclass
class _Progress:
    tries: int = 0
    throttled: int = 0
    status: int | None = None


class Transport:
    """classify: the provider's classification of answers. observe: its reading of the budget headers or body.

    headers: sent with every call. client: shared or made for tests; a client of our own is closed by `aclose`.
    """

    def __init__(
        self,
        connection: str,
        base_url: str,
        auth: httpx.Auth | None,
        budget: Budget,
        governor: Governor,
        *,
        timeouts: Timeouts = Timeouts(),
        client: httpx.AsyncClient | None = None,
        telemetry: ApiCalls | None = None,
        classify: Classify = classify,
        observe: Observe | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ConfigurationError("base_url", f"connection {connection}", "an http(s) address")
        self.connection = connection
        self.governor = governor
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._timeout = timeouts.as_httpx()
        self._own_client = client is None
        self._client = client or _new_client(base_url, budget.max_concurrency)
        self._telemetry = telemetry or api_calls
        self._classify = classify
        self._observe = observe
        self._headers = {"User-Agent": f"tradewind/{__version__}", **(headers or {})}
        governor.register(connection, budget)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Mapping[str, str | Sequence[str]] | None = None,
        params: Mapping[str, str | int | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        cost: float = 1,
        lane: Lane | None = None,
        idempotent: bool,
        effect: bool | None = None,
        retry: Retry = STANDARD_RETRY,
        operation: str | None = None,
    ) -> httpx.Response:
        """A successful answer, after at most three tries and ten seconds.

        path: below the base address. cost: in the budget's units. lane: the context's (`with lane(…)`) unless given.
        idempotent: sending it twice has one effect. effect: it can change something; unless given, anything but GET.
        operation: name in logs and metrics, without ids.
        Raises RateLimited, ProviderUnavailable (nothing happened), OutcomeUnknown (sent, no usable answer),
        RequestRejected, or what the provider's classification adds.
        """
        call = Call(operation or f"{method} {path}", idempotent, method not in _READS if effect is None else effect)
        request = self._client.build_request(
            method,
            self._base_url + path,
            json=json,
            data=data,
            params=params,
            headers={**self._headers, **(headers or {})},
            timeout=self._timeout,
        )
        progress, started = _Progress(), self.governor.clock.monotonic()
        error: BaseException | None = None
        try:
            return await self._repeated(request, call, cost, lane or current_lane(), retry, progress)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._record(call, progress, error, self.governor.clock.monotonic() - started)

    async def aclose(self) -> None:
        if self._own_client:
            await self._client.aclose()

    async def _repeated(
        self, request: httpx.Request, call: Call, cost: float, lane: Lane, retry: Retry, progress: _Progress
    ) -> httpx.Response:
        policy = retrying(retry, call, self.governor.clock.sleep)
        try:
            return await policy(self._once, request, call, cost, lane, progress)
        except DoNotRepeat as final:
            raise final.error from None

    async def _once(
        self, request: httpx.Request, call: Call, cost: float, lane: Lane, progress: _Progress
    ) -> httpx.Response:
        forbidden = False
        try:
            async with self.governor.admit(self.connection, cost, lane):
                progress.tries += 1
                response = await self._send(request, call, progress)
                forbidden = forbids_repeating(response)
                error = self._classify(response, call)
                self._take_feedback(response, cost, error)
                if error is not None:
                    progress.throttled += isinstance(error, RateLimited)
                    raise error
                return response
        except TradewindError as error:
            if forbidden:
                raise DoNotRepeat(error) from error
            raise

    async def _send(self, request: httpx.Request, call: Call, progress: _Progress) -> httpx.Response:
        progress.status = None
        sent_at = self.governor.clock.now()
        try:
            response = await self._client.send(request, auth=self._auth)
        except httpx.RequestError as error:
            raise classify_failure(error, call) from error
        progress.status = response.status_code
        response.extensions["tradewind_sent_at"] = sent_at
        response.extensions["tradewind_answered_at"] = self.governor.clock.now()
        note_date(response)
        return response

    def _take_feedback(self, response: httpx.Response, cost: float, error: TradewindError | None) -> None:
        seen = self._observe(response, cost) if self._observe else None
        asked_s = error.retry_after_s if isinstance(error, RateLimited) else None
        if seen is None and asked_s is None:
            return
        seen = seen or Feedback()
        self.governor.feedback(
            self.connection,
            remaining=seen.remaining,
            restore_per_s=seen.restore_per_s,
            retry_after_s=seen.retry_after_s if asked_s is None else asked_s,
            refunded=seen.refunded,
            cost=cost,
        )

    def _record(self, call: Call, progress: _Progress, error: BaseException | None, latency_s: float) -> None:
        name = type(error).__name__ if error is not None else None
        self._telemetry.record(
            ApiCall(
                self.connection, call.operation, progress.status, name, latency_s, progress.tries, progress.throttled
            )
        )


def _new_client(base_url: str, max_concurrency: int) -> httpx.AsyncClient:
    """A client that reuses connections for a shorter time than servers keep them idle (5 s is a usual least)."""
    limits = httpx.Limits(
        max_connections=max_concurrency, max_keepalive_connections=max_concurrency, keepalive_expiry=4.0
    )
    # The environment's proxy leads away from this machine, never back to it.
    proxied = httpx.URL(base_url).host not in _LOOPBACK
    return httpx.AsyncClient(limits=limits, trust_env=proxied, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the certificate authorities takes 20 ms: once a process."""
    return httpx.create_ssl_context()
