"""The sandbox as a process of its own."""

import asyncio
import contextlib
import json
import socket

import uvicorn

from tradewind.sandbox.app import create_app
from tradewind.sandbox.kernel import Sandbox, create_sandbox


class _Server(uvicorn.Server):
    """Prints the sandbox's description, one line of JSON, once it listens."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox) -> None:
        super().__init__(config)
        self._sandbox = sandbox

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(json.dumps(self._sandbox.describe()), flush=True)


def serve(host: str, port: int, seed: int, faults: str) -> None:
    """Serve until SIGINT or SIGTERM. port 0: a free one. Raises OSError when the port is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        shown_host = f"[{host}]" if ":" in host else host
        sandbox = create_sandbox(seed=seed, faults=faults, base_url=f"http://{shown_host}:{listener.getsockname()[1]}")
        # "critical": an answer that is cut on purpose is an error to the server, not to us.
        config = uvicorn.Config(
            create_app(sandbox), log_level="critical", access_log=False, timeout_graceful_shutdown=1, ws="none"
        )
        # uvicorn raises the signal again once it has stopped; an interrupt is how one stops a server by hand.
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_Server(config, sandbox).serve(sockets=[listener]))
