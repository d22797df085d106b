"""The sandbox as one ASGI application."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware

from tradewind.sandbox import parts
from tradewind.sandbox.api_faults import ApiFaults
from tradewind.sandbox.kernel import Sandbox


def create_app(sandbox: Sandbox) -> Starlette:
    """All providers and the control API on one port. Its lifespan starts and stops webhooks and the merchant."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await sandbox.start()
        try:
            yield
        finally:
            await sandbox.stop()

    return Starlette(
        routes=parts.routes(sandbox),
        middleware=[Middleware(ApiFaults, sandbox=sandbox)],
        lifespan=lifespan,
    )
