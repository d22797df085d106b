"""`tradewind pause`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    connections: Annotated[
        list[str], typer.Argument(metavar="CONNECTION...", help="As `provider:account`, e.g. shopify:north.")
    ],
    reason: Annotated[str, typer.Option(help="Kept in the audit trail and shown with the connection.")] = "by hand",
) -> None:
    """Hold every write to a connection; nothing is lost.

    Deliveries are stored and applied as before; what tradewind would write waits until `tradewind resume`.
    """
    from tradewind.cli.operator import operator, with_ledger
    from tradewind.sync.going_live import pause

    with with_ledger() as ledger:
        for key in connections:
            pause(ledger, key, reason=reason, actor=operator())
            typer.echo(f"{key} is paused. `tradewind resume {key}` sends what waits.")
