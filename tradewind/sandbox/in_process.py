"""A way into the sandbox without a socket, for whoever runs it in process."""

import httpx

from tradewind.sandbox.app import create_app
from tradewind.sandbox.kernel import Sandbox


class InProcess(httpx.AsyncBaseTransport):
    """Takes requests to a sandbox in this process. Does not start it: see `Sandbox.start`.

    An answer that was cut is what it is on a network: `httpx.RemoteProtocolError`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = httpx.ASGITransport(create_app(sandbox))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        promised = response.headers.get("Content-Length")
        if promised is not None and len(body) < int(promised):
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        return response
