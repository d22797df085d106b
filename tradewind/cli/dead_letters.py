"""`tradewind dead-letters`: what has failed for good, by cause, and once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Connection

    from tradewind.ledger.dead_letters import Group

app = typer.Typer(help="List what has failed for good, by cause, and try it again.", invoke_without_command=True)


@app.callback()
def _list(
    context: typer.Context,
    closed: Annotated[bool, typer.Option("--closed", help="Also causes of which nothing is left.")] = False,
) -> None:
    """List what has failed for good, by cause: error, provider and place, the latest first."""
    if context.invoked_subcommand is None:
        _show(closed)


@app.command()
def replay(
    groups: Annotated[list[str], typer.Argument(metavar="GROUP...", help="As `tradewind dead-letters` names them.")],
) -> None:
    """Try all members of a group again: deliveries are taken in anew, commands go under a new key."""
    from tradewind.cli.operator import with_ledger
    from tradewind.ledger import dead_letters

    with with_ledger() as ledger:
        with ledger.read() as conn:
            for name in groups:
                _require(conn, name)
        for name in groups:
            again = 0
            while True:
                with ledger.write() as conn:
                    step = dead_letters.replay_group(conn, ledger.keys, name)
                    _audit(conn, name, step)
                again += step
                if not step:
                    break
            typer.echo(f"{name}: {again:,} tried again. The group closes when they have succeeded.")


def _show(closed: bool) -> None:
    from rich.console import Console

    from tradewind.cli.operator import with_ledger
    from tradewind.ledger import dead_letters

    with with_ledger() as ledger:
        with ledger.write() as conn:
            dead_letters.adopt(conn)
            dead_letters.settle(conn)
        with ledger.read() as conn:
            found = dead_letters.groups(conn, closed=closed)
    console = Console()
    if not console.is_terminal:
        console.width = 240  # nothing is cut from what a pipe reads
    if not found:
        console.print("No dead letters.")
        return
    console.print(_table(found))
    if any(group.state == "open" for group in found):
        console.print("Mend what the reason names, then `tradewind dead-letters replay GROUP`.")


def _require(conn: Connection, name: str) -> None:
    from tradewind.ledger import dead_letters

    try:
        dead_letters.group(conn, name)
    except LookupError as error:
        known = ", ".join(group.name for group in dead_letters.groups(conn)) or "none"
        raise typer.BadParameter(f"{error}; open are: {known}", param_hint="GROUP") from None


def _audit(conn: Connection, name: str, again: int) -> None:
    from tradewind.cli.operator import operator
    from tradewind.ledger import audit

    if again:
        audit.append(conn, operator(), "dead_letters.replayed", {"group": name, "members": again})


def _table(found: list[Group]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Group", overflow="fold")
    table.add_column("Count", justify="right")
    for name in ("State", "First seen (UTC)", "Last seen (UTC)"):
        table.add_column(name, no_wrap=True)
    for name in ("The latest", "Its reason"):
        table.add_column(name, overflow="fold")
    for group in found:
        state = f"{group.replaying:,} again" if group.replaying else group.state
        times = (f"{at:%m-%d %H:%M:%S}" for at in (group.first_seen_at, group.last_seen_at))
        example = f"{group.example_kind} {group.example_id}"
        table.add_row(
            escape(group.name), f"{group.count:,}", state, *times, escape(example), escape(group.example_reason)
        )
    return table
