"""The command line: one file per command, loaded only when that command is asked for.

A command's file exposes `command` (a function with typer annotations) or `app` (a typer.Typer with subcommands).
SUMMARIES stands for the files until one is needed: so `tradewind --help` answers without Prefect, pandas, Great
Expectations or SQLAlchemy. A TradewindError that a command raises is one line on stderr and exit code 2.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tradewind.errors import TradewindError

SUMMARIES = {
    "demo": "Run a whole shop on this machine, and judge the result.",
    "up": "Run everything on this machine until Ctrl-C.",
    "deploy": "Put what the project needs into the Prefect server in use.",
    "doctor": "Check whether all is well, and advise on each fault.",
    "connect": "Connect an account of a provider.",
    "go-live": "Let tradewind write to a connection from now on.",
    "pause": "Hold every write to a connection; nothing is lost.",
    "resume": "Send what waited while a connection was paused.",
    "keys": "Rotate what a provider signs its webhooks with.",
    "sandbox": "Serve the simulated providers and their merchant on one port.",
    "gateway": "Receive the providers' webhooks.",
    "deliveries": "List, show, replay and capture what was received.",
    "order": "Show what happened to an order, and where it hangs.",
    "dead-letters": "List what has failed for good, by cause, and try it again.",
    "backup": "Copy ledger and key store, each into a folder of its own.",
    "restore": "Fill an empty ledger and key store from a backup.",
    "version": "Print the version.",
}


class LazyGroup(TyperGroup):
    """Lists every command from SUMMARIES and imports the file of the one that runs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name=name, help=summary) for name, summary in SUMMARIES.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name is not None else stub, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TradewindError as error:
            typer.echo(f"tradewind: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(2) from None


def load_command(name: str) -> Any:
    """The command of this name, from its file; `go-live` is in `go_live.py`."""
    module = import_module(f"tradewind.cli.{name.replace('-', '_')}")
    if hasattr(module, "app"):
        module.app.rich_markup_mode = None
        group = typer.main.get_group(module.app)
        group.name = name
        return group
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name)(module.command)
    return typer.main.get_command(single)


main = typer.Typer(
    cls=LazyGroup,
    name="tradewind",
    help="Keeps a merchant's systems in step: orders, stock and money, never lost, never doubled.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help starts four times as fast
    pretty_exceptions_show_locals=False,
)


@main.callback()
def _group() -> None:
    """Keeps a merchant's systems in step: orders, stock and money, never lost, never doubled."""
