"""`tradewind restore`: put a backup in place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[
        Path, typer.Argument(help="The folder that `tradewind backup` wrote.", exists=True, file_okay=False)
    ],
) -> None:
    """Fill an empty ledger and key store from a backup; the master key must be the one it was made under."""
    from tradewind.ledger.backup import restore
    from tradewind.settings import load_settings

    settings = load_settings()
    restore(settings, source)
    typer.echo("Restored. `tradewind doctor` shows what is there; `tradewind up` goes on from it.")
