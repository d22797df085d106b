"""Access tokens by the client credentials grant: they live 24 hours and are kept in memory.

Source: shopify.dev, "Using the client credentials grant".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx

from tradewind.errors import ProviderUnavailable, RateLimited, RequestRejected, SchemaMismatch, TradewindError
from tradewind.governor import Clock
from tradewind.transport import retry_after_s

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - a path, no password
REFRESH_BEFORE_S = 300.0


class ClientCredentials(httpx.Auth):
    """Puts a living access token on every request.

    One request fetches it while the others wait. It is replaced five minutes before it ends, and once when Shopify
    answers 401. Raises RequestRejected (code: the OAuth error) when the credentials are refused.
    """

    def __init__(self, base_url: str, client_id: str, client_secret: str, clock: Clock) -> None:
        self._url = base_url.rstrip("/") + TOKEN_PATH
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._token: str | None = None
        self._good_until = 0.0
        self._fetching = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        for last in (False, True):
            async with self._fetching:
                if self._token is None or self._clock.monotonic() >= self._good_until:
                    granted = yield self._grant_request()
                    await granted.aread()
                    self._take(granted)
                token = self._token
            request.headers["X-Shopify-Access-Token"] = token or ""
            response = yield request
            if response.status_code != 401 or last:
                return
            self._forget(token)

    def _grant_request(self) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        return httpx.Request("POST", self._url, data=form, headers={"Accept": "application/json"})

    def _take(self, response: httpx.Response) -> None:
        if not response.is_success:
            raise _refusal(response)
        try:
            answer = response.json()
            self._token = str(answer["access_token"])
            lifetime_s = float(answer["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise SchemaMismatch("access_token: the answer has no token and lifetime") from error
        self._good_until = self._clock.monotonic() + max(0.0, lifetime_s - REFRESH_BEFORE_S)

    def _forget(self, token: str | None) -> None:
        # Only the token that was refused: another request may have replaced it meanwhile.
        if self._token == token:
            self._token = None


def _refusal(response: httpx.Response) -> TradewindError:
    status, text = response.status_code, f"access_token: HTTP {response.status_code}"
    if status == 429:
        return RateLimited(text, retry_after_s=retry_after_s(response))
    if status >= 500 or status == 408:
        return ProviderUnavailable(text, retry_after_s=retry_after_s(response))
    code = _oauth_error(response)
    return RequestRejected(f"{text} {code or ''}".rstrip(), status=status, code=code)


def _oauth_error(response: httpx.Response) -> str | None:
    """RFC 6749, section 5.2."""
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return error if isinstance(error, str) else None
