"""What every view needs: the ledger, the visitor, a way to answer, and one place for what goes wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.gateway.pages.access import Access, Visitor
from tradewind.gateway.pages.reading import LedgerReader
from tradewind.gateway.pages.rendering import Pages
from tradewind.gateway.store import StoreUnavailable
from tradewind.ledger.search import SearchTooSlow

View = Callable[[Request], Awaitable[Response]]
ACTOR = "pages"
"""Who replays and captures, on the audit trail: whoever has the token."""
LONGEST_FORM = 64 * 1024


class BadForm(Exception):
    """What was filled in cannot be meant; says what would be right."""


@dataclass(frozen=True)
class Desk:
    ledger: LedgerReader
    access: Access
    pages: Pages

    def page(self, request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        shared = {"csrf": visitor.csrf if visitor else None, "inside": visitor is not None, "path": request.url.path}
        return self.pages.response(template, {**shared, **values}, status)

    def message(self, request: Request, title: str, text: str, status: int) -> Response:
        return self.page(request, "message.html", {"title": title, "text": text}, status)

    def guarded(self, view: View) -> View:
        """The view for visitors with the token; a POST only from our own forms."""

        async def endpoint(request: Request) -> Response:
            if self.access.closed:
                return self.message(request, "These pages are closed", _HOW_TO_OPEN, 403)
            visitor = self.access.visitor(request)
            if visitor is None:
                return self._turned_away(request)
            request.state.visitor = visitor
            if request.method == "POST" and not self.access.is_meant(visitor, (await form_of(request)).get("csrf", "")):
                text = "It did not come from a page of this site, or the page was too old. Open the page and try again."
                return self.message(request, "The form was not accepted", text, 403)
            return await self._answered(view, request)

        return endpoint

    def _turned_away(self, request: Request) -> Response:
        if "authorization" in request.headers or request.method == "POST":
            wait_s = self.access.wait_s(request)
            headers = {"WWW-Authenticate": "Bearer"} | ({"Retry-After": str(wait_s)} if wait_s else {})
            answer = self.message(request, "Not let in", "The token is not the right one, or was tried too often.", 401)
            answer.status_code = 429 if wait_s else 401
            answer.headers.update(headers)
            return answer
        # As it was sent: an order's id has slashes of its own.
        path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
        there = path + (f"?{request.url.query}" if request.url.query else "")
        login = f"/login?next={quote(there, safe='')}"
        if "hx-request" in request.headers:
            return Response(status_code=401, headers={"HX-Redirect": login})
        return RedirectResponse(login, 303)

    async def _answered(self, view: View, request: Request) -> Response:
        try:
            return await view(request)
        except BadForm as error:
            return self.message(request, "That cannot be meant", str(error), 400)
        except LookupError as error:
            return self.message(request, "Not found", f"{error.args[0] if error.args else error}.".capitalize(), 404)
        except SearchTooSlow as error:
            return self.message(request, "Too much to search", f"{error}.".capitalize(), 503)
        except StoreUnavailable:
            text = "Deliveries are answered with 503 meanwhile, and their senders repeat them. Try again in a moment."
            return self.message(request, "The ledger does not answer", text, 503)


_HOW_TO_OPEN = (
    "No token is configured. Set TRADEWIND_PAGES_TOKEN (at least 16 characters), or let the gateway make its file in "
    "the state folder, and start the gateway again."
)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form, the last of each name; read once. Raises BadForm when it is too long."""
    return {name: values[-1] for name, values in (await lists_of(request)).items()}


async def lists_of(request: Request) -> dict[str, list[str]]:
    """The same with every value of each name."""
    if not hasattr(request.state, "form"):
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_FORM:
                raise BadForm("The form is too long.")
        request.state.form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000)
    found: dict[str, list[str]] = request.state.form
    return found


_SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
SPANS = {"1h": "1 hour", "24h": "24 hours", "": "7 days", "30d": "30 days", "all": "Any time"}
"""How a form names them; the empty one is what is meant unless something is chosen."""


def since_of(span: str, now: datetime) -> datetime | None:
    """When a span such as `7d` began; None for `all`. Raises BadForm."""
    if span not in (*_SPANS, "all"):
        raise BadForm(f"The span must be one of {', '.join(_SPANS)}, all.")
    return now - _SPANS[span] if span in _SPANS else None


def time_of(text: str, what: str) -> datetime | None:
    """A time as a form gives it, in UTC unless it says otherwise; None for none. Raises BadForm."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadForm(f"{what} must be a time such as 2026-11-24T08:00.") from None


def number_of(text: str, what: str) -> int:
    """Raises BadForm for what is no id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadForm(f"{what} must be a number.")
    return int(text)
