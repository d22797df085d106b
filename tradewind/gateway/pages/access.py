"""Who may see the pages: whoever has the token, in a header, or in exchange for it a cookie of half a day."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "tradewind_session"
SESSION_S = 12 * 3600
ATTEMPTS = 5
ATTEMPTS_WITHIN_S = 60.0
_MOST_SENDERS = 1000


@dataclass(frozen=True)
class Visitor:
    """Someone with the token. csrf: what a form sends back; None where a browser sends nothing by itself."""

    csrf: str | None


class Access:
    """token: None closes the pages. clock: Unix seconds."""

    def __init__(self, token: str | None, *, clock: Callable[[], float] = time.time) -> None:
        self._token = token
        self._clock = clock
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def closed(self) -> bool:
        return self._token is None

    def visitor(self, request: Request) -> Visitor | None:
        """Whoever sent the request, if they may see the pages."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Visitor(None) if self.allows(request, given.strip()) else None
        cookie = request.cookies.get(COOKIE, "")
        return Visitor(self._mac(f"csrf/{cookie}")) if self._is_ours(cookie) else None

    def allows(self, request: Request, token: str) -> bool:
        """Whether it is the token; a wrong one is counted. Always False while there were too many."""
        if self._token is None or self.wait_s(request):
            return False
        # Digests are of one length, so that the comparison tells nothing of the token's.
        if hmac.compare_digest(_digest(token), _digest(self._token)):
            return True
        self._count(request)
        return False

    def wait_s(self, request: Request) -> int:
        """Seconds until this sender may try again; 0: now."""
        oldest = self._recent(_sender(request))
        return int(oldest[0] + ATTEMPTS_WITHIN_S - self._clock()) + 1 if len(oldest) >= ATTEMPTS else 0

    def let_in(self, request: Request, response: Response) -> None:
        """Give the cookie. It is no use without the token that signed it: a new token ends every session."""
        value = f"{int(self._clock()) + SESSION_S}.{secrets.token_hex(8)}"
        secure = request.url.scheme == "https"
        cookie = f"{value}.{self._mac(value)}"
        response.set_cookie(COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)

    def let_out(self, response: Response) -> None:
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    def is_meant(self, visitor: Visitor, csrf: str) -> bool:
        """Whether a POST came from one of our forms, and not from a page that somebody else made."""
        return visitor.csrf is None or hmac.compare_digest(visitor.csrf.encode(), csrf.encode())

    def _is_ours(self, cookie: str) -> bool:
        value, _, mac = cookie.rpartition(".")
        expires = value.partition(".")[0]
        if self._token is None or not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        return hmac.compare_digest(self._mac(value).encode(), mac.encode()) and self._clock() < int(expires)

    def _mac(self, text: str) -> str:
        assert self._token is not None
        return hmac.new(self._token.encode(), f"tradewind pages/{text}".encode(), hashlib.sha256).hexdigest()

    def _count(self, request: Request) -> None:
        sender = _sender(request)
        self._failed[sender] = [*self._recent(sender), self._clock()]
        self._failed.move_to_end(sender)
        while len(self._failed) > _MOST_SENDERS:
            self._failed.popitem(last=False)

    def _recent(self, sender: str) -> list[float]:
        since = self._clock() - ATTEMPTS_WITHIN_S
        return [at for at in self._failed.get(sender, ()) if at > since]


def _sender(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
