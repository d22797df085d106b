"""/dead-letters: what failed for good, by cause, and once more."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.gateway.pages.desk import ACTOR, Desk, form_of
from tradewind.ledger import audit, dead_letters
from tradewind.ledger.keyring import KeyRing


class DeadLetterViews:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request) -> Response:
        groups = await self._desk.ledger.read(lambda conn, _: dead_letters.groups(conn, closed=True))
        replayed = request.query_params.get("replayed", "")
        return self._desk.page(request, "dead_letters.html", {"groups": groups, "replayed": replayed})

    async def replay(self, request: Request) -> Response:
        name = (await form_of(request)).get("name", "")
        count = await self._desk.ledger.write(lambda conn, keys: _replayed(conn, keys, name))
        return RedirectResponse(f"/dead-letters?replayed={count}", 303)


def _replayed(conn: Connection, keys: KeyRing, name: str) -> int:
    count = dead_letters.replay_group(conn, keys, name)
    audit.append(conn, ACTOR, "dead_letters.replayed", {"group": name, "count": count})
    return count
