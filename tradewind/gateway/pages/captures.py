"""/captures: switch capture on for a path, and look at what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.gateway.pages.deliveries import LONGEST_SHOWN
from tradewind.gateway.pages.desk import ACTOR, BadForm, Desk, form_of, number_of
from tradewind.gateway.pages.tap import CaptureTap
from tradewind.ledger import captures
from tradewind.ledger.captures import Capture, Captured
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.masking import masked_body, masked_headers

SHOWN_OF_A_PATH = 20


@dataclass(frozen=True)
class Shown:
    """A captured request, masked. refused: it asked for a place in the inbox and was not let in."""

    id: int
    method: str
    answered: int
    size: int
    received_at: datetime
    headers: Mapping[str, str]
    body: str | None
    refused: bool


class CaptureViews:
    def __init__(self, desk: Desk, tap: CaptureTap) -> None:
        self._desk = desk
        self._tap = tap

    async def show(self, request: Request) -> Response:
        listed = await self._desk.ledger.read(_listed)
        return self._desk.page(request, "captures.html", {"listed": listed, "most": captures.MOST_MINUTES})

    async def start(self, request: Request) -> Response:
        form = await form_of(request)
        path = form.get("path", "").strip()
        minutes = number_of(form.get("minutes", ""), "Minutes")
        try:
            await self._desk.ledger.write(lambda conn, _: captures.start(conn, path, minutes=minutes, actor=ACTOR))
        except ValueError as error:
            raise BadForm(f"{error}.") from None
        await self._tap.reload()
        return RedirectResponse("/captures", 303)

    async def stop(self, request: Request) -> Response:
        path = (await form_of(request)).get("path", "")
        await self._desk.ledger.write(lambda conn, keys: captures.stop(conn, keys, path, actor=ACTOR))
        await self._tap.reload()
        return RedirectResponse("/captures", 303)


def _listed(conn: Connection, keys: KeyRing) -> Sequence[tuple[Capture, Sequence[Shown]]]:
    return [
        (one, [_shown(each) for each in captures.requests(conn, keys, one.path, limit=SHOWN_OF_A_PATH)])
        for one in captures.listed(conn)
    ]


def _shown(one: Captured) -> Shown:
    return Shown(
        id=one.id,
        method=one.method,
        answered=one.answered,
        size=one.size,
        received_at=one.received_at,
        headers=masked_headers(one.headers),
        body=masked_body(one.body)[:LONGEST_SHOWN] if one.body is not None else None,
        refused=one.answered >= 400,
    )
