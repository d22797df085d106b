"""`tradewind gateway`: the webhook receiver as a process of its own."""

from __future__ import annotations

import logging
from typing import Annotated

import typer


def command(
    host: Annotated[str | None, typer.Option(help="Where to listen; the setting gateway_host unless given.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The setting gateway_port unless given; 0: a free one.")
    ] = None,
) -> None:
    """Receive the providers' webhooks until SIGTERM or Ctrl-C; what was taken in is stored before it ends."""
    from tradewind.gateway.serve import serve
    from tradewind.settings import load_settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = load_settings()
    serve(
        settings,
        settings.gateway_host if host is None else host,
        settings.gateway_port if port is None else port,
        on_ready=lambda url: typer.echo(f"Gateway {url}"),
    )
