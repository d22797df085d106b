"""`tradewind resume`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    connections: Annotated[
        list[str], typer.Argument(metavar="CONNECTION...", help="As `provider:account`, e.g. shopify:north.")
    ],
) -> None:
    """Send what waited while a connection was paused."""
    from tradewind.cli.operator import operator, with_ledger
    from tradewind.sync.going_live import resume

    with with_ledger() as ledger:
        for key in connections:
            connection = resume(ledger, key, actor=operator())
            typer.echo(f"{key} is {connection.state.value.replace('_', '-')} again.")
