"""The standing parts on one machine: gateway, Prefect's server, its worker, and what is deployed there."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from tradewind.errors import TradewindError
from tradewind.ledger.engine import migrate
from tradewind.settings import Settings
from tradewind.stack.environment import MARK, PREFECT_HOST, prefect_api_url, stack_environment
from tradewind.stack.prefect_api import PrefectApi
from tradewind.stack.process import Part, end, marked, tail

POLL_S = 0.1
WORK_POOL = "tradewind"
FLOWS_S = 15.0


class NotReady(TradewindError):
    """A part did not become ready in time."""


class Stopped(TradewindError):
    """It was asked to stop while it waited for a part."""


class Stack:
    """Starts the parts, watches them, and stops them in order.

    alert_url: where the automations send alerts. stopping: set when whoever waits for a part should give up.
    """

    def __init__(
        self, settings: Settings, *, alert_url: str | None = None, stopping: threading.Event | None = None
    ) -> None:
        self.settings = settings
        self._alert_url = alert_url
        self._stopping = stopping or threading.Event()
        self._env = stack_environment(settings)
        self._made: list[Part] = []
        self.gateway = self._tradewind("gateway", "gateway")
        self.server = self._part(
            "prefect-server", "prefect", "server", "start", "--host", PREFECT_HOST, "--port", str(settings.prefect_port)
        )
        self.worker = self._part("worker", "prefect", "worker", "start", "--pool", WORK_POOL, "--type", "process")
        self.prefect = PrefectApi(prefect_api_url(settings))

    @property
    def gateway_url(self) -> str:
        return f"http://{self.settings.gateway_host}:{self.settings.gateway_port}"

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.gateway, self.server, self.worker

    def start_server(self) -> None:
        """Prefect's server first: it takes longest."""
        self.server.start()

    def start_gateway(self) -> None:
        """Migrate the ledger and open the gateway; ready when it answers.

        Raises LedgerTooNew, NotReady, PartDied, Stopped.
        """
        migrate(self.settings)
        self.gateway.start()
        self.wait_until(lambda: _answers(f"{self.gateway_url}/readyz"), 30.0, self.gateway)

    def deploy(self) -> None:
        """Put deployments, blocks, limits and automations into the server when it answers, and start the worker.

        The deploying process imports what it needs while the server starts, the worker while things are deployed.
        Raises NotReady, PartDied, Stopped.
        """
        alert = ("--alert-url", self._alert_url) if self._alert_url else ()
        deploying = self._tradewind("deploy", "deploy", "--wait", "120", *alert)
        deploying.start()
        try:
            self.wait_until(self.prefect.healthy, 90.0, self.server)
            self.wait_until(lambda: self.prefect.has_work_pool(WORK_POOL) or not deploying.running, 60.0, self.server)
            self.worker.start()
            self.wait_until(lambda: not deploying.running, 180.0, self.server)
        finally:
            deploying.stop()
        if not deploying.succeeded:
            raise NotReady(f"`tradewind deploy` failed: {tail(deploying.log)}")

    def run_order_sync(self) -> str:
        """Ask for the first run now rather than at the next minute; gives its id."""
        return self.prefect.run("order-sync/order-sync")

    def stop(self) -> None:
        """Flows first: they finish their batch; then worker and server, and the gateway last: it still receives."""
        # A process that is still starting ends at SIGTERM without saying so, which the worker would call a crash.
        with contextlib.suppress(httpx.HTTPError):
            self.prefect.cancel_starting("order-sync", "tradewind was stopped while it started")
        end([*self.worker.children(), *self._orphans()], timeout_s=FLOWS_S)
        for part in (self.worker, self.server, self.gateway):
            part.stop()
        end(self._orphans(), timeout_s=FLOWS_S)
        self.prefect.close()

    def check(self) -> None:
        """Raises PartDied for the first part that has ended."""
        for part in self.parts:
            part.check()

    def wait_until(self, ready: Callable[[], bool], timeout_s: float, part: Part) -> None:
        """Wait for a condition while the part lives. Raises NotReady, PartDied, Stopped."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            part.check()
            if time.monotonic() > deadline:
                raise NotReady(f"{part.name} was not ready within {timeout_s:.0f} s; see {part.log}")
            if self._stopping.wait(POLL_S):
                raise Stopped(f"stopped before {part.name} was ready")

    def part(self, name: str, *arguments: str) -> Part:
        """A further `tradewind` process of this stack, not started yet."""
        return self._tradewind(name, *arguments)

    def module(self, name: str, module: str) -> Part:
        """A further Python module as a process of this stack, not started yet."""
        return self._part(name, module)

    def processes(self) -> list[psutil.Process]:
        """Every process that came of this stack, also those whose parent was killed."""
        return marked(self._env[MARK])

    def _orphans(self) -> list[psutil.Process]:
        """Flows whose worker was killed: they go on, and nobody is their parent any more."""
        found = self.processes()
        parts, parents = {part.pid for part in self._made}, {process.pid for process in found}
        return [one for one in found if one.pid not in parts and one.info["ppid"] not in parents]

    def _tradewind(self, name: str, *arguments: str) -> Part:
        return self._part(name, "tradewind", *arguments)

    def _part(self, name: str, module: str, *arguments: str) -> Part:
        part = Part(name, [sys.executable, "-m", module, *arguments], self._env, self._log(name))
        self._made.append(part)
        return part

    def _log(self, name: str) -> Path:
        return self.settings.state_dir / "logs" / f"{name}.log"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).is_success
    except httpx.TransportError:
        return False
