"""`tradewind doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tradewind.cli.checks import Check
    from tradewind.ledger.engine import Ledger
    from tradewind.settings import Settings


def command() -> None:
    """Check what is configured, reachable, migrated and in time; advise on each fault. Exit code 1 if there is one."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    wrong = 0
    for check in _checks():
        wrong += check.wrong
        mark = "[red]✗[/red]" if check.wrong else "[green]✓[/green]"
        console.print(f"{mark} [bold]{escape(check.subject)}[/bold]  {escape(check.found)}")
        if check.advice:
            console.print(f"    {escape(check.advice)}")
    if wrong:
        console.print(f"{wrong} {'fault' if wrong == 1 else 'faults'}.")
        raise typer.Exit(1)
    console.print("Everything is in order.")


def _checks() -> Iterator[Check]:
    from tradewind.cli.checks import local
    from tradewind.cli.checks.check import of_error
    from tradewind.errors import ConfigurationError
    from tradewind.settings import load_settings

    try:
        settings = load_settings()
    except ConfigurationError as error:
        yield of_error("settings", error, "")
        return
    yield local.settings_check(settings)
    missing = local.missing_databases(settings)
    if missing:
        yield from missing
        yield from _beyond(settings, None)
        return
    yield local.key_check(settings)
    yield local.disk_check(settings)
    ledger, check = local.opened(settings) if _has_key(settings) else (None, None)
    if check is not None:
        yield check
    try:
        if ledger is not None:
            yield from local.ledger_checks(settings, ledger)
            yield from local.hearing_checks(settings, ledger)
        yield from _beyond(settings, ledger)
    finally:
        if ledger is not None:
            ledger.close()


def _has_key(settings: Settings) -> bool:
    """Without its key the ledger is not opened: that would make a new one."""
    return settings.master_key is not None or settings.master_key_file.exists()


def _beyond(settings: Settings, ledger: Ledger | None) -> Iterator[Check]:
    import asyncio

    from tradewind.cli.checks import local, remote

    connected = local.connected(ledger) if ledger is not None else []
    yield from asyncio.run(remote.gateway_checks(settings, connected))
    yield from remote.prefect_checks(settings, ledger)
    if ledger is not None:
        yield from asyncio.run(remote.provider_checks(settings, connected))
