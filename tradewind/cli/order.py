"""`tradewind order`: one order's timeline, and where it hangs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Connection

    from tradewind.ledger.keyring import KeyRing
    from tradewind.ledger.timeline import Entry, Timeline

app = typer.Typer(help="Show what happened to an order.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Show what happened to an order."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The order's name at its store (#1042), or its id here.")],
    connection: Annotated[str | None, typer.Option(help="The store, when two have an order of this name.")] = None,
) -> None:
    """Show every event, change and command of an order, its ids at the providers, and where it hangs."""
    from rich.console import Console

    from tradewind.cli.operator import with_ledger
    from tradewind.ledger.timeline import find_orders, timeline

    with with_ledger() as ledger, ledger.read() as conn:
        found = [row for row in find_orders(conn, name) if connection in (None, row.connection)]
        if not found:
            raise typer.BadParameter(f"no order is named {name}", param_hint="NAME")
        if len(found) > 1:
            stores = ", ".join(row.connection for row in found)
            raise typer.BadParameter(f"{stores} each have an order {name}: say which", param_hint="--connection")
        shown = timeline(conn, found[0].id)
        parts = _parts(conn, ledger.keys, shown)
    console = Console(highlight=False, soft_wrap=True)
    _print(console, shown, parts)


def _parts(conn: Connection, keys: KeyRing, shown: Timeline) -> list[str]:
    from tradewind.gateway.pages.orders import linked

    lines = []
    for link in linked(conn, keys, shown):
        told = (link.part.kind, link.part.connection, link.part.external_id, link.part.note, link.url)
        lines.append("  ".join(text for text in told if text))
    return lines


def _print(console: Console, shown: Timeline, parts: list[str]) -> None:
    from rich.markup import escape

    order = shown.order
    console.print(f"[bold]{escape(order.name or order.external_id)}[/] {escape(order.connection)}, {order.state}")
    console.print(escape(order.id))
    _section(console, "Where it hangs", [_hang(shown, place) for place in range(len(shown.hangs))] or ["nowhere"])
    _section(console, "At the providers", parts)
    if shown.cut:
        console.print("\nThere is more than is shown: this is the newest of it.")
    if shown.pruned:
        console.print("\nHow it began is not here: deliveries, and what they changed, are kept for a time.")
    _section(console, "Timeline (UTC)", [_line(entry) for entry in shown.entries])


def _section(console: Console, title: str, lines: list[str]) -> None:
    from rich.markup import escape

    console.print(f"\n[bold]{title}[/]")
    for line in lines:
        console.print(f"  {escape(line)}")


def _hang(shown: Timeline, place: int) -> str:
    hang = shown.hangs[place]
    ahead = hang.until_at is not None and hang.until_at > datetime.now(UTC)
    until = f", again at {hang.until_at:%Y-%m-%d %H:%M:%S}" if ahead else ""
    return f"{hang.what} {hang.why}{until}"


def _line(entry: Entry) -> str:
    at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    if entry.delivery is not None:
        row = entry.delivery
        reason = f", {row.reason}" if row.reason else ""
        return f"{at}  event    {row.topic} from {row.connection}: {row.state}{reason} (delivery {row.id})"
    if entry.change is not None:
        change = entry.change
        fields = "; ".join(f"{one.path}: {one.before or '–'} → {one.after or '–'}" for one in change.fields)
        became = f"{change.state_before or 'new'} → {change.state_after}" if change.state_after else "to be read again"
        return f"{at}  change   {became} by delivery {change.delivery_id}{': ' if fields else ''}{fields}"
    assert entry.command is not None
    command = entry.command
    reason = f", {command.reason}" if command.reason else ""
    return f"{at}  command  {command.verb} at {command.connection}: {command.state}{reason} ({command.key})"
