"""`tradewind deliveries`: what was received, what became of it, and once more."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from sqlalchemy import Connection

    from tradewind.ledger.delivery import DeliveryContent, DeliveryRow

app = typer.Typer(help="List, show and replay what was received.", no_args_is_help=True)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_COLOURS = {"applied": "green", "superseded": "dim", "parked": "yellow", "dead": "red"}
Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="As `tradewind deliveries list` shows them.")]


@app.callback()
def _group() -> None:
    """List, show and replay what was received."""


@app.command("list")
def list_deliveries(
    state: Annotated[str | None, typer.Option(help="received, claimed, applied, superseded, parked or dead.")] = None,
    connection: Annotated[str | None, typer.Option(help="As `provider:account`, e.g. shopify:north.")] = None,
    topic: Annotated[str | None, typer.Option(help="As the provider names it, e.g. orders/create.")] = None,
    order: Annotated[str | None, typer.Option(help="The order's name at the store (#1042), or its id here.")] = None,
    since: Annotated[str | None, typer.Option(help="A time (ISO 8601, UTC unless it says), or 30m, 12h, 7d.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List deliveries, newest first, and count them by state."""
    from rich.console import Console

    from tradewind.cli.operator import with_ledger
    from tradewind.ledger import inbox
    from tradewind.ledger.delivery import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"must be one of {', '.join(STATES)}", param_hint="--state")
    since_at = _time(since, datetime.now(UTC)) if since else None
    with with_ledger() as ledger, ledger.read() as conn:
        filters = {"state": state, "connection": connection, "topic": topic}
        found: list[DeliveryRow] = []
        for order_id in _order_ids(conn, order):
            found += inbox.search(conn, order_id=order_id, since=since_at, limit=limit, **filters)
        counts = inbox.counts(conn)
    console = Console()
    if not console.is_terminal:
        console.width = 240  # nothing is cut from what a pipe reads
    console.print(_table(sorted(found, key=lambda row: -row.id)[:limit]))
    console.print(
        ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or "Nothing received yet."
    )


@app.command()
def show(
    ids: Ids,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="With personal data; each delivery looked at is put on the audit trail.")
    ] = False,
) -> None:
    """Show deliveries whole; personal data is masked unless --reveal."""
    from rich.console import Console

    from tradewind.cli.operator import operator, with_ledger
    from tradewind.ledger import audit, inbox

    console = Console(highlight=False, soft_wrap=True)
    with with_ledger() as ledger:
        for id in ids:
            with ledger.write() if reveal else ledger.read() as conn:
                try:
                    content = inbox.get(conn, ledger.keys, id)
                except LookupError as error:
                    raise typer.BadParameter(str(error), param_hint="ID") from None
                if reveal:
                    audit.append(conn, operator(), "delivery.revealed", {"delivery": id})
            _print(console, content, reveal)


@app.command()
def replay(ids: Ids) -> None:
    """Take deliveries in once more: each becomes a new one that names it, and is applied like any other."""
    from tradewind.cli.operator import operator, with_ledger
    from tradewind.ledger import audit, inbox

    with with_ledger() as ledger, ledger.write() as conn:
        for id in ids:
            try:
                copy = inbox.replay(conn, ledger.keys, id)
            except LookupError as error:
                raise typer.BadParameter(f"{error}; nothing was replayed", param_hint="ID") from None
            audit.append(conn, operator(), "delivery.replayed", {"delivery": id, "as": copy})
            typer.echo(f"Delivery {id} is taken in again as {copy}.")


def _order_ids(conn: Connection, order: str | None) -> list[str | None]:
    """The ids of the orders of this name: two stores may each have one. An id stands for itself."""
    from tradewind.ledger import orders

    if order is None:
        return [None]
    return [row.id for row in orders.by_name(conn, order)] or [order]


def _time(text: str, now: datetime) -> datetime:
    """Raises typer.BadParameter for what is neither a time nor a span."""
    span = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if span:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "must be a time such as 2026-11-24T08:00, or 30m, 12h, 7d", param_hint="--since"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _table(rows: list[DeliveryRow]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("ID", justify="right")
    for name in ("Received (UTC)", "Connection", "Topic", "From", "State", "Order", "Reason"):
        table.add_column(name, overflow="fold", no_wrap=name in ("Received (UTC)", "State"))
    for row in rows:
        colour = _COLOURS.get(row.state)
        state = f"[{colour}]{row.state}[/]" if colour else row.state
        repeats = f" (+{row.repeats})" if row.repeats else ""
        plain = (f"{row.received_at:%m-%d %H:%M:%S}", row.connection, row.topic, row.source + repeats)
        rest = (row.order_id or "", row.reason or (f"waits for {row.waits_for}" if row.waits_for else ""))
        table.add_row(str(row.id), *map(escape, plain), state, *map(escape, rest))
    return table


def _print(console: Console, content: DeliveryContent, reveal: bool) -> None:
    from dataclasses import asdict

    from rich.markup import escape
    from rich.table import Table

    from tradewind.ledger.masking import masked_body, masked_headers, revealed_body

    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in asdict(content.row).items():
        if value is not None:
            facts.add_row(name.replace("_", " "), escape(str(value)))
    console.print(facts)
    if content.body is None:
        console.print("Its content was erased.\n")
        return
    for name, value in (content.headers if reveal else masked_headers(content.headers)).items():
        console.print(escape(f"{name}: {value}"))
    console.print(escape(revealed_body(content.body) if reveal else masked_body(content.body)), "\n")
