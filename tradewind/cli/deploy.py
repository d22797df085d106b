"""`tradewind deploy`: what the Prefect server must have."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Only show what would change; exit code 1 if anything.")
    ] = False,
    alert_url: Annotated[str | None, typer.Option(help="Address that takes alerts as an HTTP POST of JSON.")] = None,
    wait: Annotated[float, typer.Option(help="Wait so many seconds for the server to answer.")] = 0.0,
) -> None:
    """Put blocks, limits, deployments and automations into the Prefect server in use. Running it twice is harmless."""
    from deployments import apply
    from tradewind.cli.prefect_errors import prefect_reachable
    from tradewind.ledger.engine import open_ledger
    from tradewind.settings import load_settings

    settings = load_settings()
    ledger = open_ledger(settings)
    try:
        with prefect_reachable():
            if not check:
                asyncio.run(apply.deploy(settings, ledger, alert_url=alert_url, wait_s=wait, report=typer.echo))
                return
            lines = asyncio.run(apply.differences(ledger))
    finally:
        ledger.close()
    for line in lines:
        typer.echo(f"differs: {line}")
    if lines:
        raise typer.Exit(1)
    typer.echo("The Prefect server is as the project says.")
