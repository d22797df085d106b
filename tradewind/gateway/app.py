"""The gateway as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tradewind.gateway.accounts import Accounts
from tradewind.gateway.bodies import Bodies
from tradewind.gateway.health import Health
from tradewind.gateway.hooks import ANSWER_WITHIN_S, Hooks
from tradewind.gateway.pages.site import Site
from tradewind.gateway.store import Store
from tradewind.gateway.writer import Writer
from tradewind.providers.registry import PROVIDERS, Provider

HOOKS = "/hooks/"


class Gateway(Starlette):
    """The application. A webhook does not pass its router, which would cost it half of what the server does."""

    receive: Callable[[Request], Awaitable[Response]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(HOOKS):
            provider, _, account = scope["path"][len(HOOKS) :].partition("/")
            if provider and account and "/" not in account:
                scope["path_params"] = {"provider": provider, "account": account}
                response = await self.receive(Request(scope, receive, send))
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def create_app(
    store: Store,
    *,
    providers: Mapping[str, Provider] = PROVIDERS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    public_url: str | None = None,
    bodies: Bodies | None = None,
    accounts: Accounts | None = None,
    writer: Writer | None = None,
    answer_within_s: float = ANSWER_WITHIN_S,
    site: Site | None = None,
) -> Gateway:
    """The receiver over `store`. Its lifespan starts the writer, and ends when all that was taken in is committed.

    public_url: where providers send to, when that is not the address that requests arrive under. bodies, accounts,
    writer: to set other bounds than the usual ones. site: the pages to serve beside.
    """
    writer = writer or Writer(store.store)
    accounts = accounts or Accounts(store.connections)
    health = Health(writer, store.probe)
    hooks = Hooks(
        providers=providers,
        accounts=accounts,
        bodies=bodies or Bodies(),
        writer=writer,
        now=now,
        public_url=public_url,
        answer_within_s=answer_within_s,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        writer.start()
        reloading = asyncio.create_task(accounts.keep_fresh())
        try:
            async with site.running() if site else nullcontext():
                yield
        finally:
            reloading.cancel()
            with suppress(asyncio.CancelledError):
                await reloading
            await writer.close()

    receive = site.around(hooks.receive) if site else hooks.receive
    app = Gateway(
        routes=[
            # For what is not sent by POST; the rest does not come here.
            Route(f"{HOOKS}{{provider}}/{{account}}", receive, methods=["POST"]),
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            *(site.routes() if site else ()),
        ],
        lifespan=lifespan,
    )
    app.receive = receive
    return app
