"""/orders: found by name, and each with its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.domain.connections import Connection as Account
from tradewind.gateway.pages.desk import Desk
from tradewind.gateway.pages.rendering import segment
from tradewind.ledger import connections
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.timeline import Part, Timeline, find_orders, newest_orders, timeline
from tradewind.providers.registry import admin_url


@dataclass(frozen=True)
class Linked:
    """A part of the order with its page at the provider; None when it has none."""

    part: Part
    url: str | None


class OrderViews:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def search(self, request: Request) -> Response:
        """One order of this name is opened at once; of several stores', one asks which."""
        name = request.query_params.get("name", "").strip()
        found = await self._desk.ledger.read(
            lambda conn, _: find_orders(conn, name) if name else newest_orders(conn, limit=50)
        )
        if name and len(found) == 1:
            return RedirectResponse(f"/orders/{segment(found[0].id)}", 303)
        return self._desk.page(request, "orders.html", {"name": name, "found": found})

    async def show(self, request: Request) -> Response:
        id = request.path_params["id"]
        shown, links = await self._desk.ledger.read(lambda conn, keys: _shown(conn, keys, id))
        return self._desk.page(request, "order.html", {"shown": shown, "order": shown.order, "links": links})


def _shown(conn: Connection, keys: KeyRing, id: str) -> tuple[Timeline, list[Linked]]:
    shown = timeline(conn, id)
    return shown, linked(conn, keys, shown)


def linked(conn: Connection, keys: KeyRing, shown: Timeline) -> list[Linked]:
    """The order's parts with their pages at the providers."""
    known: Mapping[str, Account] = {
        str(one.key): one for one in connections.list(conn, keys) if str(one.key) in _names(shown)
    }
    return [
        Linked(part, admin_url(known[part.connection], part.kind, part.external_id))
        if part.connection in known
        else Linked(part, None)
        for part in shown.parts
    ]


def _names(shown: Timeline) -> set[str]:
    return {part.connection for part in shown.parts}
