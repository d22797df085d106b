"""Stripe's API version 2026-07-29.dahlia: requests, idempotency keys, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from tradewind.domain.connections import Connection
from tradewind.errors import ConfigurationError, KeySpent, OutcomeUnknown, RateLimited, RequestRejected, TradewindError
from tradewind.governor import Governor
from tradewind.providers.stripe.limits import budget, livemode_of
from tradewind.transport import Call, HeaderAuth, Transport, classify

API_VERSION = "2026-07-29.dahlia"
DEFAULT_BASE_URL = "https://api.stripe.com"
PAGE_SIZE = 100
WRONG_MODE = "wrong_mode"
"""Code of an answer in test mode to a live key, or the reverse."""

Params = Mapping[str, str | int | Sequence[str]]


class StripeApi:
    """One account. Every POST carries an idempotency key, so it may be sent again."""

    def __init__(self, connection: Connection, governor: Governor, *, client: httpx.AsyncClient | None = None) -> None:
        key = _secret_key(connection)
        self.connection = str(connection.key)
        self._livemode = livemode_of(key)
        self._transport = Transport(
            self.connection,
            connection.settings.get("base_url", DEFAULT_BASE_URL),
            HeaderAuth("Authorization", f"Bearer {key}"),
            budget(connection),
            governor,
            client=client,
            classify=classify_stripe,
            headers={"Stripe-Version": connection.settings.get("api_version", API_VERSION)},
        )

    async def get(self, path: str, operation: str, params: Params) -> httpx.Response:
        return await self._transport.request("GET", path, params=params, idempotent=True, operation=operation)

    async def post(
        self, path: str, operation: str, data: Mapping[str, str | Sequence[str]], key: str
    ) -> httpx.Response:
        """key: idempotency key. Raises KeySpent for a failure that is replayed from it."""
        return await self._transport.request(
            "POST", path, data=data, headers={"Idempotency-Key": key}, idempotent=True, operation=operation
        )

    async def delete(self, path: str, operation: str) -> None:
        """What is gone already is a success."""
        try:
            await self._transport.request("DELETE", path, idempotent=True, operation=operation)
        except RequestRejected as error:
            if error.status != 404:
                raise

    def check_mode(self, livemode: bool | None, what: str) -> None:
        """Raises RequestRejected (code `wrong_mode`) for an object of the other mode than the connection's key."""
        if None not in (livemode, self._livemode) and livemode is not self._livemode:
            told = "live" if livemode else "test"
            raise RequestRejected(f"{what}: an answer in {told} mode to a key of the other mode", code=WRONG_MODE)

    async def aclose(self) -> None:
        await self._transport.aclose()


def is_replayed(response: httpx.Response) -> bool:
    """Whether Stripe gave the answer that it had stored under the key: it shows the object as it was then."""
    replayed: str = response.headers.get("Idempotent-Replayed", "")
    return replayed.lower() == "true"


def classify_stripe(response: httpx.Response, call: Call) -> TradewindError | None:
    """Adds Stripe's error code, its 409 and its stored failures.

    409: another request with the same key is still being worked on. A 5xx that is replayed from the key will never be
    another answer. Source: docs.stripe.com/error-low-level, docs.stripe.com/api/idempotent_requests ("retries with the
    same key return the saved response, including 500 errors").
    """
    error = classify(response, call)
    if error is None or isinstance(error, RateLimited):
        return error
    if response.status_code == 409:
        return OutcomeUnknown(f"{call.operation}: HTTP 409, the key is in use")
    if response.status_code >= 500 and is_replayed(response):
        return KeySpent(f"{error}, stored under the key")
    if isinstance(error, RequestRejected):
        code = _error_code(response)
        return RequestRejected(f"{error} {code or ''}".rstrip(), status=error.status, code=code)
    return error


def _error_code(response: httpx.Response) -> str | None:
    """Stripe's `error.code`, or `error.type` when it has none."""
    try:
        error = response.json()["error"]
        code = error.get("code") or error.get("type")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return code if isinstance(code, str) else None


def _secret_key(connection: Connection) -> str:
    key = connection.secrets.get("secret_key")
    if not key:
        raise ConfigurationError("secret_key", f"connection {connection.key}", "a Stripe secret or restricted key")
    return key
