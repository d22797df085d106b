"""`tradewind backup`: ledger and key store, apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    target: Annotated[Path, typer.Argument(help="A folder; `ledger` and `keys` are made in it.", file_okay=False)],
) -> None:
    """Copy the ledger and the key store, each into a folder of its own, while everything runs on.

    Keep the two apart: whoever has both, and the master key, can read everything. Erasing a customer's key in the key
    store erases the customer in every ledger backup. The master key is in neither: without it, neither can be read.
    """
    from tradewind.ledger.backup import backup
    from tradewind.settings import load_settings

    settings = load_settings()
    for path in backup(settings, target):
        typer.echo(f"{path}  {path.stat().st_size:,} bytes")
    if settings.master_key is None:
        typer.echo(f"Keep the master key too, in a third place: {settings.master_key_file}")
