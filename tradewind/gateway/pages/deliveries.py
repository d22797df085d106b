"""/deliveries: found, shown whole, taken in once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tradewind.gateway.pages.desk import ACTOR, SPANS, BadForm, Desk, lists_of, number_of, since_of, time_of
from tradewind.gateway.verdict import verdict_of
from tradewind.ledger import audit, changes, inbox, outbox
from tradewind.ledger.changes import Change
from tradewind.ledger.delivery import STATES, DeliveryRow
from tradewind.ledger.keyring import KeyRing
from tradewind.ledger.masking import masked_body, masked_headers
from tradewind.ledger.outbox import CommandRow
from tradewind.ledger.search import Found, Wanted, find
from tradewind.ledger.tables import connection as connections
from tradewind.ledger.tables import inbox as table
from tradewind.ledger.tables import orders
from tradewind.providers.hooks import Verdict

PAGE = 50
MOST_AT_ONCE = 100
LONGEST_SHOWN = 200_000
FILTERS = ("order", "topic", "connection", "state", "since", "until")


@dataclass(frozen=True)
class Shown:
    """One delivery as its page shows it: everything personal is masked. body: None once it was erased."""

    row: DeliveryRow
    verdict: Verdict | None
    headers: Mapping[str, str]
    body: str | None
    size: int
    changes: Sequence[Change]
    commands: Mapping[str, CommandRow]
    names: Mapping[str, str]
    replays: Sequence[tuple[int, str]]

    @property
    def signature_age_s(self) -> float | None:
        """Between the signature and the receipt; negative when the sender's clock is ahead."""
        if self.verdict is None or self.verdict.signed_at is None:
            return None
        return (self.row.received_at - self.verdict.signed_at).total_seconds()


class DeliveryViews:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def search(self, request: Request) -> Response:
        asked = {name: request.query_params.get(name, "").strip() for name in FILTERS}
        wanted = _wanted(asked, request.query_params.get("before", ""))
        found, names, known = await self._desk.ledger.read(lambda conn, _: _found(conn, wanted))
        values = {
            "asked": asked,
            "found": found,
            "names": names,
            "connections": known,
            "states": STATES,
            "spans": SPANS,
            "replayed": request.query_params.get("replayed", ""),
            "further": wanted.before is not None,
        }
        return self._desk.page(request, "deliveries.html", values)

    async def show(self, request: Request) -> Response:
        id = request.path_params["id"]
        shown = await self._desk.ledger.read(lambda conn, keys: _shown(conn, keys, id))
        return self._desk.page(request, "delivery.html", {"shown": shown, "row": shown.row})

    async def replay(self, request: Request) -> Response:
        ids = sorted({number_of(text, "A delivery") for text in (await lists_of(request)).get("id", [])})
        if not ids:
            raise BadForm("Choose the deliveries to be replayed first.")
        if len(ids) > MOST_AT_ONCE:
            raise BadForm(f"At most {MOST_AT_ONCE} deliveries are replayed at one time.")
        copies = await self._desk.ledger.write(lambda conn, keys: _replayed(conn, keys, ids))
        if len(copies) == 1:
            return RedirectResponse(f"/deliveries/{copies[0]}", 303)
        return RedirectResponse(f"/deliveries?replayed={len(copies)}", 303)


def _wanted(asked: Mapping[str, str], before: str) -> Wanted:
    if asked["state"] and asked["state"] not in STATES:
        raise BadForm(f"The state must be one of {', '.join(STATES)}.")
    # Everything about one order is little; everything there is may be much.
    span = asked["since"] or ("all" if asked["order"] else "7d")
    return Wanted(
        order=asked["order"] or None,
        topic=asked["topic"] or None,
        connection=asked["connection"] or None,
        state=asked["state"] or None,
        since=since_of(span, datetime.now(UTC)),
        until=time_of(asked["until"], "Until"),
        before=number_of(before, "The page") if before else None,
    )


def _found(conn: Connection, wanted: Wanted) -> tuple[Found, dict[str, str], list[str]]:
    found = find(conn, wanted, limit=PAGE)
    known = conn.execute(select(connections.c.key).order_by(connections.c.key)).scalars()
    return found, _names(conn, {row.order_id for row in found.rows if row.order_id}), list(known)


def _names(conn: Connection, ids: set[str]) -> dict[str, str]:
    """The orders' names by id; the id where an order has no name yet."""
    query = select(orders.c.id, orders.c.name).where(orders.c.id.in_(sorted(ids)))
    return {**{id: id for id in ids}, **{row.id: row.name for row in conn.execute(query) if row.name}}


def _shown(conn: Connection, keys: KeyRing, id: int) -> Shown:
    content = inbox.get(conn, keys, id)
    verdict, sent = verdict_of(content.headers)
    changed = changes.of_delivery(conn, id)
    ids = {change.order_id for change in changed if change.order_id} | {content.row.order_id or ""} - {""}
    asked = {key for change in changed for key in change.commands}
    commands = {one.key: one for order_id in ids for one in outbox.by_order(conn, order_id) if one.key in asked}
    replays = conn.execute(select(table.c.id, table.c.state).where(table.c.replay_of == id).order_by(table.c.id))
    return Shown(
        row=content.row,
        verdict=verdict,
        headers=masked_headers(sent),
        body=masked_body(content.body)[:LONGEST_SHOWN] if content.body is not None else None,
        size=len(content.body or b""),
        changes=changed,
        commands=commands,
        names=_names(conn, ids),
        replays=[(row.id, row.state) for row in replays],
    )


def _replayed(conn: Connection, keys: KeyRing, ids: Sequence[int]) -> list[int]:
    """All of them or none. Raises LookupError for one that is not there, or was erased."""
    copies = []
    for id in ids:
        copies.append(inbox.replay(conn, keys, id))
        audit.append(conn, ACTOR, "delivery.replayed", {"delivery": id, "as": copies[-1]})
    return copies
