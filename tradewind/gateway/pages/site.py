"""The pages as the gateway mounts them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tradewind.gateway.pages.access import Access
from tradewind.gateway.pages.captures import CaptureViews
from tradewind.gateway.pages.deliveries import DeliveryViews
from tradewind.gateway.pages.desk import Desk, View
from tradewind.gateway.pages.letters import DeadLetterViews
from tradewind.gateway.pages.login import START, LoginViews
from tradewind.gateway.pages.orders import OrderViews
from tradewind.gateway.pages.reading import LedgerReader
from tradewind.gateway.pages.rendering import SECURITY, STATIC, Pages
from tradewind.gateway.pages.tap import CaptureTap
from tradewind.gateway.pages.token import page_token
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import Settings

_FILE = re.compile(r"[a-z0-9.]+\.(css|js|svg)")
_ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Site:
    """token: None closes the pages, and says so. open_ledger: for a ledger of their own."""

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        token: str | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = LedgerReader(open_ledger)
        self._desk = Desk(self._ledger, Access(token), Pages())
        self._tap = CaptureTap(self._ledger, now=now)

    @classmethod
    def of(cls, settings: Settings) -> Site:
        return cls(lambda: open_ledger(settings), page_token(settings))

    def around(self, receive: View) -> View:
        """The webhook endpoint, with capture of what it refuses."""
        return self._tap.around(receive)

    def routes(self) -> list[BaseRoute]:
        login, deliveries = LoginViews(self._desk), DeliveryViews(self._desk)
        orders, letters = OrderViews(self._desk), DeadLetterViews(self._desk)
        captures = CaptureViews(self._desk, self._tap)
        pages: list[tuple[str, View, str]] = [
            ("/deliveries", deliveries.search, "GET"),
            ("/deliveries/replay", deliveries.replay, "POST"),
            ("/deliveries/{id:int}", deliveries.show, "GET"),
            ("/orders", orders.search, "GET"),
            ("/orders/{id:path}", orders.show, "GET"),
            ("/dead-letters", letters.show, "GET"),
            ("/dead-letters/replay", letters.replay, "POST"),
            ("/captures", captures.show, "GET"),
            ("/captures/start", captures.start, "POST"),
            ("/captures/stop", captures.stop, "POST"),
            ("/logout", login.leave, "POST"),
        ]
        return [
            *(Route(path, self._desk.guarded(view), methods=[method]) for path, view, method in pages),
            Route("/", _start),
            Route("/login", login.show, methods=["GET"]),
            Route("/login", login.enter, methods=["POST"]),
            Route("/static/{name}", _static),
            Route("/capture/{name}", self._tap.receive, methods=_ANY),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the gateway runs: look which captures are on; in the end, let the ledger go."""
        watching = asyncio.create_task(self._tap.keep_fresh())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await asyncio.to_thread(self._ledger.close)


async def _start(request: Request) -> Response:
    return RedirectResponse(START, 307)


async def _static(request: Request) -> Response:
    """Style and scripts: no secrets, so they need no token."""
    name = request.path_params["name"]
    if not _FILE.fullmatch(name) or not (STATIC / name).is_file():
        return Response(status_code=404)
    return FileResponse(STATIC / name, headers={**SECURITY, "Cache-Control": "public, max-age=300"})
