"""`tradewind demo`: a whole shop on this machine."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

ORDERS_PER_S = 1.0
INVOICES_PER_S = 2.5


def command(
    orders: Annotated[int, typer.Option(min=1, help="How many orders the shoppers place.")] = 60,
    seed: Annotated[int, typer.Option(help="Every choice of the world comes from it.")] = 1,
    faults: Annotated[str, typer.Option(help="none, mild or hostile: see docs/sandbox.md.")] = "none",
    life: Annotated[str, typer.Option(help="What happens to orders, full or plain: see docs/sandbox.md.")] = "full",
    replay: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Act out a shop's own order history (CSV).")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result there as JSON.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up and print the addresses.")] = False,
) -> None:
    """Run a whole shop on this machine: orders placed, shipped, reconciled, one fault planted, found and alerted.

    Everything is started on free ports and stopped at the end. Exit code 0 only if nothing was lost, doubled or left
    unexplained.
    """
    from rich.console import Console

    from tradewind.demo.scenario import Plan
    from tradewind.demo.show import run_demo

    if faults not in ("none", "mild", "hostile"):
        raise typer.BadParameter("must be none, mild or hostile", param_hint="--faults")
    if life not in ("full", "plain"):
        raise typer.BadParameter("must be full or plain", param_hint="--life")
    rate_per_s = INVOICES_PER_S if replay else ORDERS_PER_S
    plan = Plan(orders, seed, faults, replay.absolute() if replay else None, rate_per_s, life)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    if not run_demo(plan, Console(), stopping, json_file=json_file, keep=keep):
        raise typer.Exit(1)
