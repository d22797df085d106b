"""`tradewind go-live`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    connections: Annotated[
        list[str], typer.Argument(metavar="CONNECTION...", help="As `provider:account`, e.g. shopify:north.")
    ],
) -> None:
    """Let tradewind write to a connection, for orders placed from now on.

    What was placed before is recorded and never commanded. A store's orders also need their payment processor and their
    carrier to be live.
    """
    from datetime import UTC, datetime

    from tradewind.cli.operator import operator, with_ledger
    from tradewind.sync.going_live import go_live

    with with_ledger() as ledger:
        for key in connections:
            connection = go_live(ledger, key, at=datetime.now(UTC), actor=operator())
            assert connection.live_from is not None
            typer.echo(f"{key} is live for orders placed from {connection.live_from:%Y-%m-%d %H:%M:%S} UTC on.")
