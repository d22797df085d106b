"""Templates, and what they show times, amounts and states as."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from tradewind.domain.money import Money

HERE = Path(__file__).parent
STATIC = HERE / "static"

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
"""Of every page: nothing but our own files, no inline script or style, no framing."""

# How a state is shown beside its word: good, waiting, trouble, or quiet.
_TONES = {
    **dict.fromkeys(("applied", "done", "live", "shipped", "delivered", "completed", "paid", "captured"), "good"),
    **dict.fromkeys(("labelled", "partially_shipped", "purchased", "success", "won"), "good"),
    **dict.fromkeys(("received", "claimed", "parked", "pending", "in_flight", "on_hold", "placed"), "waiting"),
    **dict.fromkeys(("authorized", "partially_paid", "return_requested", "needs_response", "under_review"), "waiting"),
    **dict.fromkeys(("dead", "failed", "delivery_failed", "disputed", "lost", "open"), "trouble"),
}
_MARKS = {"good": "✓", "waiting": "…", "trouble": "!", "quiet": "–"}
_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (float("inf"), 86_400, "d"))


class Pages:
    """Renders templates; `now` decides how old things are said to be."""

    def __init__(self) -> None:
        loader = FileSystemLoader(HERE / "templates")
        self._templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters.update(badge=badge, money=money, words=words, segment=segment, utc=utc)
        self._templates.globals.update(age=age, query=query, now=lambda: datetime.now(UTC))

    def response(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A page. It may hold what others must not see, so nobody in between keeps it."""
        text = self._templates.get_template(template).render(**values)
        return HTMLResponse(text, status, {**SECURITY, "Cache-Control": "no-store"})


def utc(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at is not None else "–"


def age(at: datetime | None, now: datetime) -> str:
    """`12 s ago`, `in 3 min`; nothing for no time."""
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    size, unit = next((size, unit) for below, size, unit in _STEPS if abs(seconds) < below)
    span = f"{int(abs(seconds) // size)} {unit}"
    return f"{span} ago" if seconds >= 0 else f"in {span}"


def money(minor: int | None, currency: str | None) -> str:
    return str(Money(minor=minor, currency=currency)) if minor is not None and currency else "–"


def words(name: str) -> str:
    """`partially_shipped` as people say it."""
    return name.replace("_", " ")


def badge(state: str | None) -> Markup:
    """A state as a label with a mark, so that it is told without colour too."""
    if not state:
        return Markup("")
    tone = _TONES.get(state, "quiet")
    shown = Markup('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>')
    return shown.format(tone, _MARKS[tone], words(state))


def segment(text: str) -> str:
    """One part of an address; an order's id has slashes of its own."""
    return quote(text, safe="")


def query(values: Mapping[str, Any], **changes: Any) -> str:
    """A query string of what is set, with changes."""
    return urlencode({name: value for name, value in {**values, **changes}.items() if value not in (None, "")})
