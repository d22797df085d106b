"""`tradewind sandbox`: the simulated providers as a process of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Level(StrEnum):
    NONE = "none"
    MILD = "mild"
    HOSTILE = "hostile"


def command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 0,
    seed: Annotated[int, typer.Option(help="Every choice of the world comes from it.")] = 1,
    faults: Annotated[Level, typer.Option(help="What goes wrong, and how often: docs/sandbox.md.")] = Level.NONE,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
) -> None:
    """Serve the simulated providers and their merchant on one port; prints addresses and credentials as JSON."""
    from tradewind.errors import ConfigurationError
    from tradewind.sandbox.server import serve

    try:
        serve(host, port, seed, faults.value)
    except OSError as error:
        advice = f"cannot listen there ({error.strerror or error}); stop what uses it, or give another"
        raise ConfigurationError("--port", f"{host}:{port}", advice) from None
