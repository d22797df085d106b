"""`tradewind keys`: what the providers sign their webhooks with."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tradewind.domain.connections import Connection
    from tradewind.providers.hooks import Rotation

app = typer.Typer(help="Rotate what a provider signs its webhooks with.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Rotate what a provider signs its webhooks with."""


@app.command()
def rotate(
    connection: Annotated[str, typer.Argument(help="As `provider:account`, e.g. stripe:main.")],
    grace_hours: Annotated[
        float | None,
        typer.Option(min=0, help="How long what the old secret signed is still taken; 0 if it has leaked. Usually 24."),
    ] = None,
) -> None:
    """Take over a signing secret that was changed at the provider, without losing a delivery.

    Change it at the provider first. The new secret is asked for, or read from standard input when that is no terminal;
    it is never an argument, which other users of the machine could read. Gateways know it within 30 seconds, and at
    once when the first delivery signed with it arrives. The connection's Prefect block is written too when Prefect's
    server answers.
    """
    from tradewind.cli.operator import operator, with_ledger
    from tradewind.ledger import connections
    from tradewind.ledger.rotation import rotate_secret

    rotation = _rotation(connection)
    typer.echo(rotation.how, err=True)
    value = _new_secret()
    grace = rotation.grace if grace_hours is None else timedelta(hours=grace_hours)
    with with_ledger() as ledger, ledger.write() as conn:
        try:
            changed = rotate_secret(
                conn, ledger.keys, connection, rotation.secret, value, grace=grace, actor=operator()
            )
        except LookupError as error:
            raise typer.BadParameter(str(error), param_hint="CONNECTION") from None
        rotated = connections.get(conn, ledger.keys, connection)
    if not changed:
        typer.echo(f"{connection} has this secret already.")
        return
    typer.echo(f"{connection} takes the new secret, and the old one for {grace.total_seconds() / 3600:g} hours more.")
    typer.echo(_written_to_block(rotated))


def _rotation(connection: str) -> Rotation:
    from pydantic import ValidationError

    from tradewind.providers.registry import provider_of

    try:
        rotation = provider_of(connection).rotation
    except ValidationError:
        raise typer.BadParameter("is written provider:account, e.g. stripe:main", param_hint="CONNECTION") from None
    if rotation is None:
        advice = "its provider signs with keys that it publishes; they are fetched by themselves"
        raise typer.BadParameter(advice, param_hint="CONNECTION")
    return rotation


def _written_to_block(connection: Connection) -> str:
    """Write the connection's block, if Prefect's server answers; gives what became of it. The ledger has the secret
    whatever happens here, and its revision is the newer one, so that an old block does not bring the old one back."""
    from tradewind.settings import load_settings
    from tradewind.stack.environment import prefect_api_url
    from tradewind.stack.prefect_api import PrefectApi

    url = os.environ.get("PREFECT_API_URL") or prefect_api_url(load_settings())
    later = "the next `tradewind deploy` writes it there"
    with PrefectApi(url) as api:
        if not api.healthy():
            return f"Its Prefect block still has the old one: no Prefect server answers at {url}; {later}."
    os.environ.setdefault("PREFECT_API_URL", url)
    from deployments import accounts

    try:
        written = asyncio.run(accounts.write_missing([connection]))
    except Exception as error:  # whatever goes wrong at Prefect leaves the rotation as it is
        return f"Its Prefect block still has the old one ({type(error).__name__} from {url}); {later}."
    if not written:
        return f"Its Prefect block {accounts.block_name(connection)} is newer than the ledger and was left alone."
    return f"Its Prefect block {written[0]} has it too."


def _new_secret() -> str:
    value = str(typer.prompt("New secret", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline()
    if not value.strip():
        raise typer.BadParameter("is empty", param_hint="the new secret")
    return value.strip()
