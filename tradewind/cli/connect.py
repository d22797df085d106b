"""`tradewind connect`: one subcommand for each provider that is connected by hand."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

app = typer.Typer(help="Connect an account of a provider.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Connect an account of a provider."""


@app.command()
def shopify(
    account: Annotated[str, typer.Argument(help="A short name for the store, e.g. north.")],
    shop: Annotated[str | None, typer.Option(help="The store's own domain, e.g. north.myshopify.com.")] = None,
    client_id: Annotated[str | None, typer.Option(envvar="SHOPIFY_CLIENT_ID", help="From the app's settings.")] = None,
    client_secret: Annotated[
        str | None,
        typer.Option(envvar="SHOPIFY_CLIENT_SECRET", help="From the app's settings; asked for if not given."),
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Public https:// address of the gateway; the setting public_url unless given.")
    ] = None,
    plan: Annotated[
        str, typer.Option(help="The store's plan, which sets its rate limit: standard, advanced, plus, enterprise.")
    ] = "standard",
    processor_gateways: Annotated[
        str, typer.Option(help="Gateways whose payments are captured at the processor itself, comma separated.")
    ] = "stripe",
    backfill_days: Annotated[
        int | None, typer.Option(min=0, help="Days of past orders to read now; 0 for none; asked for if not given.")
    ] = None,
    probe: Annotated[bool, typer.Option(help="See that the gateway answers at its public address.")] = True,
    base_url: Annotated[str | None, typer.Option(help="Where the API is, if not at the store's own domain.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: what is not given keeps its default.")] = False,
) -> None:
    """Connect a Shopify store, read-only until `tradewind go-live`.

    Needs an app of your own: in the Shopify Dev Dashboard make an app, give its version the scopes that this command
    names, release it and install it in the store; client id and client secret are on the app's Settings page.
    """
    from tradewind.cli.connecting import Answers, connect_store

    ask = Answers(yes=yes)
    settings = {
        "shop_domain": ask.text(shop, "Store domain (name.myshopify.com)", "--shop"),
        "plan": plan,
        "processor_gateways": processor_gateways,
    }
    settings["base_url"] = (base_url or f"https://{settings['shop_domain']}").rstrip("/")
    secrets = {
        "client_id": ask.text(client_id, "Client id", "--client-id"),
        "client_secret": ask.text(client_secret, "Client secret", "--client-secret", hidden=True),
    }
    asyncio.run(
        connect_store(
            f"shopify:{account}",
            settings,
            secrets,
            public_url=public_url,
            backfill_days=backfill_days,
            probe=probe,
            ask=ask,
        )
    )
