"""`tradewind deliveries`: what was received, what became of it, once more, and what nobody answers for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from tradewind.ledger.changes import Change
    from tradewind.ledger.delivery import DeliveryContent, DeliveryRow

app = typer.Typer(help="List, show, replay and capture what was received.", no_args_is_help=True)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_COLOURS = {"applied": "green", "superseded": "dim", "parked": "yellow", "dead": "red"}
Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="As `tradewind deliveries list` shows them.")]


@app.callback()
def _group() -> None:
    """List, show, replay and capture what was received."""


@app.command("list")
def list_deliveries(
    state: Annotated[str | None, typer.Option(help="received, claimed, applied, superseded, parked or dead.")] = None,
    connection: Annotated[str | None, typer.Option(help="As `provider:account`, e.g. shopify:north.")] = None,
    topic: Annotated[
        str | None, typer.Option(help="As the provider names it, e.g. orders/create; or its beginning, orders/*.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="The order's name at the store (#1042), or its id here.")] = None,
    since: Annotated[str | None, typer.Option(help="A time (ISO 8601, UTC unless it says), or 30m, 12h, 7d.")] = None,
    until: Annotated[str | None, typer.Option(help="Received before it; written as --since is.")] = None,
    before: Annotated[int | None, typer.Option(help="Only ids below it: how to go on to the next page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List deliveries, newest first, and count them by state."""
    from rich.console import Console

    from tradewind.cli.operator import with_ledger
    from tradewind.ledger import inbox
    from tradewind.ledger.delivery import STATES
    from tradewind.ledger.search import Wanted, find

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"must be one of {', '.join(STATES)}", param_hint="--state")
    wanted = Wanted(
        order=order,
        topic=topic,
        connection=connection,
        state=state,
        since=_time(since, "--since") if since else None,
        until=_time(until, "--until") if until else None,
        before=before,
    )
    with with_ledger() as ledger, ledger.read() as conn:
        found = find(conn, wanted, limit=limit)
        counts = inbox.counts(conn)
    console = Console()
    if not console.is_terminal:
        console.width = 240  # nothing is cut from what a pipe reads
    console.print(_table(found.rows))
    if found.next_before is not None:
        console.print(f"There are older ones: go on with --before {found.next_before}")
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
    from tradewind.ledger import audit, changes, inbox

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
                changed = changes.of_delivery(conn, id)
            _print(console, content, changed, reveal)


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


@app.command()
def capture(
    path: Annotated[str, typer.Argument(help="/capture/NAME, or /hooks/PROVIDER/ACCOUNT for what is refused there.")],
    minutes: Annotated[int, typer.Option(min=1, max=120, help="For how long.")] = 15,
) -> None:
    """Keep what is sent to a path, unverified and apart, for some minutes; it is never applied."""
    from tradewind.cli.operator import operator, with_ledger
    from tradewind.ledger import captures

    with with_ledger() as ledger, ledger.write() as conn:
        try:
            until = captures.start(conn, path, minutes=minutes, actor=operator())
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="PATH") from None
    typer.echo(f"Capturing {path} until {until:%H:%M:%S} UTC: tradewind deliveries captured {path}")


@app.command()
def captured(path: Annotated[str, typer.Argument(help="As it was given to `tradewind deliveries capture`.")]) -> None:
    """Show what was captured at a path, the latest first; personal data is masked."""
    from tradewind.cli.operator import with_ledger
    from tradewind.ledger import captures
    from tradewind.ledger.masking import masked_body, masked_headers

    with with_ledger() as ledger, ledger.read() as conn:
        found = captures.requests(conn, ledger.keys, path)
    for one in found:
        fate = f"refused with {one.answered}" if one.answered >= 400 else f"answered {one.answered}"
        typer.echo(f"{one.received_at:%Y-%m-%d %H:%M:%S}  {one.method}  {fate}  {one.size:,} bytes")
        for name, value in masked_headers(one.headers).items():
            typer.echo(f"{name}: {value}")
        typer.echo(f"{masked_body(one.body) if one.body is not None else 'Its content was erased.'}\n")
    if not found:
        typer.echo(f"Nothing was captured at {path}.")


def _time(text: str, option: str) -> datetime:
    """Raises typer.BadParameter for what is neither a time nor a span."""
    span = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if span:
        return datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "must be a time such as 2026-11-24T08:00, or 30m, 12h, 7d", param_hint=option
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _table(rows: Sequence[DeliveryRow]) -> Table:
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


def _print(console: Console, content: DeliveryContent, changed: Sequence[Change], reveal: bool) -> None:
    from dataclasses import asdict

    from rich.markup import escape
    from rich.table import Table

    from tradewind.gateway.verdict import verdict_of
    from tradewind.ledger.masking import masked_body, masked_headers, revealed_body

    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in asdict(content.row).items():
        if value is not None:
            facts.add_row(name.replace("_", " "), escape(str(value)))
    verdict, headers = verdict_of(content.headers)
    if verdict is not None:
        age = f", {content.row.received_at - verdict.signed_at} before its receipt" if verdict.signed_at else ""
        facts.add_row("verified", escape(f"{verdict.scheme}, by {verdict.secret}{age}"))
    for change in changed:
        facts.add_row("effect", escape(_effect(change)))
    console.print(facts)
    if content.body is None:
        console.print("Its content was erased, or cannot be opened any more.\n")
        return
    for name, value in (headers if reveal else masked_headers(headers)).items():
        console.print(escape(f"{name}: {value}"))
    console.print(escape(revealed_body(content.body) if reveal else masked_body(content.body)), "\n")


def _effect(change: Change) -> str:
    became = f"{change.state_before or 'new'} → {change.state_after}" if change.state_after else "to be read again"
    fields = "".join(f"\n{one.path}: {one.before or '–'} → {one.after or '–'}" for one in change.fields)
    commands = "".join(f"\nthen {key}" for key in change.commands)
    return f"{change.order_id or 'no order known'}: {became}{fields}{commands}"
