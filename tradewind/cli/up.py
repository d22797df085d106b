"""`tradewind up`: everything on this machine, standing."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer


def command(
    alert_url: Annotated[str | None, typer.Option(help="Address that takes alerts as an HTTP POST of JSON.")] = None,
) -> None:
    """Run gateway, Prefect's server, its worker and the order sync on this machine until Ctrl-C.

    Ctrl-C stops all of them, in order, and loses nothing.
    """
    from tradewind.gateway.pages.token import how_to_get
    from tradewind.settings import load_settings
    from tradewind.stack.environment import PREFECT_HOST, prefect_ui_url
    from tradewind.stack.ports import require_free
    from tradewind.stack.stack import Stack, Stopped
    from tradewind.stack.watch import Watch

    settings = load_settings()
    require_free(settings.gateway_host, settings.gateway_port, "gateway_port")
    require_free(PREFECT_HOST, settings.prefect_port, "prefect_port")
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    stack = Stack(settings, alert_url=alert_url, stopping=stopping)
    try:
        stack.start_server()
        stack.start_gateway()
        typer.echo(f"Gateway  {stack.gateway_url}")
        stack.deploy()
        stack.run_order_sync()
        typer.echo(f"Prefect  {prefect_ui_url(settings)}")
        typer.echo(f"Pages    {stack.gateway_url}/deliveries (token: {how_to_get(settings)})")
        typer.echo(f"State    {settings.state_dir}\nCtrl-C stops everything.")
        Watch(stack, typer.echo).until(stopping)
    except Stopped as stopped:
        typer.echo(str(stopped))
    finally:
        typer.echo("Stopping.")
        stack.stop()
