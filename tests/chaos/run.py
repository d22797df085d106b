"""One chaos run: a standing stack sells while its processes are killed, and is judged when it has come to rest."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import psutil

from tradewind.demo import judge
from tradewind.demo.sandbox import Control
from tradewind.demo.shop import Shop
from tradewind.ledger import inbox
from tradewind.settings import Settings
from tradewind.stack.stack import NotReady, Stack
from tradewind.stack.watch import Watch

VICTIMS = ("gateway", "order-sync", "worker", "prefect-server")
WEIGHTS = (4, 4, 2, 1)
"""Prefect's server takes a third of a minute to come back: it is killed less often."""
BACK_S = 120.0
SETTLE_S = 600.0
BATCH = 20
RATE_PER_S = 0.5


@dataclass
class Chaos:
    """What happened. killed: by part. slowest_return_s: from a kill until the part answers again."""

    killed: Counter[str] = field(default_factory=Counter)
    slowest_return_s: float = 0.0
    away: dict[str, Any] = field(default_factory=dict)


class Run:
    """A stack under its watch beside a sandbox, in a state folder of its own."""

    def __init__(self, settings: Settings, *, seed: int, faults: str, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._random = random.Random(seed)
        self._say = say
        self._stack = Stack(settings)
        self._shop = Shop(self._stack, seed=seed, faults=faults)
        self._chaos = Chaos()

    def result(self, *, kills: int, server_away_s: float) -> dict[str, Any]:
        """Kill, let it settle, judge. Raises NotReady when a part does not come back, or orders do not settle."""
        began = time.monotonic()
        try:
            self._open()
            with self._shop.control() as control, self._watched():
                self._kill(control, kills)
                if server_away_s:
                    self._leave_server_away(control, server_away_s)
                self._settle(control)
                return self._verdict(control, time.monotonic() - began)
        finally:
            self._stack.stop()
            self._shop.close()

    def _open(self) -> None:
        self._stack.start_server()
        self._shop.open()
        self._stack.start_gateway()
        self._shop.connect()
        self._stack.deploy()
        self._stack.run_order_sync()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """As `tradewind up` does: whatever dies is started again."""
        stopping = threading.Event()
        watch = Watch(self._stack, self._say)
        watching = threading.Thread(target=watch.until, args=(stopping,), name="watch")
        watching.start()
        try:
            yield
        finally:
            stopping.set()
            watching.join()

    def _kill(self, control: Control, kills: int) -> None:
        for number in range(kills):
            self._keep_selling(control)
            victim = self._random.choices(VICTIMS, WEIGHTS)[0]
            self._until(partial(self._is_there, victim), BACK_S, f"{victim} is not there to be killed")
            began = time.monotonic()
            for process in self._processes(victim):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._chaos.killed[victim] += 1
            self._until(partial(self._is_back, victim), BACK_S, f"{victim} did not come back")
            self._chaos.slowest_return_s = max(self._chaos.slowest_return_s, time.monotonic() - began)
            self._say(f"kill {number + 1} of {kills}: {victim}, back after {time.monotonic() - began:.1f} s")
            time.sleep(self._random.uniform(0.0, 2.0))  # how long it may live: part of the chaos, not a wait

    def _is_there(self, victim: str) -> bool:
        return bool(self._processes(victim))

    def _processes(self, victim: str) -> list[psutil.Process]:
        if victim == "order-sync":  # the leader or a standby, at random, also when its worker was killed before
            runs = [one for one in self._stack.processes() if _runs_a_flow(one)]
            return [self._random.choice(runs)] if runs else []
        part = next(part for part in self._stack.parts if part.name == victim)
        return [psutil.Process(part.pid)] if part.running and part.pid is not None else []

    def _is_back(self, victim: str) -> bool:
        match victim:
            case "gateway":
                return self._stack.gateway.running and _answers(f"{self._stack.gateway_url}/readyz")
            case "prefect-server":
                return self._stack.server.running and self._stack.prefect.healthy()
            case "worker":
                return self._stack.worker.running
            case _:
                return True  # the standby leads, or the next run of the schedule: what was asked for is in the ledger

    def _keep_selling(self, control: Control) -> None:
        progress = control.progress()
        if progress["planned"] - progress["placed"] < 2:
            control.start(orders=BATCH, rate_per_s=RATE_PER_S)

    def _leave_server_away(self, control: Control, seconds: float) -> None:
        """Prefect's server answers nobody; what comes in meanwhile is applied all the same."""
        (server,) = self._processes("prefect-server")
        below = [server, *server.children(recursive=True)]
        known = self._applied()
        self._keep_selling(control)
        self._until(lambda: self._applied() > known, BACK_S, "nothing is applied")
        before = self._applied()
        for process in below:
            process.send_signal(signal.SIGSTOP)
        try:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                self._keep_selling(control)
                time.sleep(1.0)
        finally:
            for process in below:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)
        self._chaos.away = {"seconds": seconds, "applied_meanwhile": self._applied() - before}
        self._until(self._stack.prefect.healthy, BACK_S, "Prefect's server did not come back")

    def _applied(self) -> int:
        with self._shop.ledger.read() as database:
            return inbox.counts(database)["applied"]

    def _settle(self, control: Control) -> None:
        control.faults("none")
        try:
            self._until(lambda: not self._unsettled(control), SETTLE_S, "orders have not settled")
        except NotReady as error:
            raise NotReady(f"{error}: {self._unsettled(control)}") from error

    def _unsettled(self, control: Control) -> list[str]:
        """What still has to happen, in words; empty once everything is at rest."""
        truth = control.truth()
        found = [f"{one['store']} {one['order_id']}" for one in truth["orders"] if not judge.settled({"orders": [one]})]
        if not control.progress()["quiet"]:
            found.append("the sandbox is not quiet")
        left = judge.left_over(self._shop.ledger)
        if judge.waits(left):
            found.append(f"left over: {left}")
        return found

    def _verdict(self, control: Control, wall_s: float) -> dict[str, Any]:
        truth = control.truth()
        return {
            "kills": sum(self._chaos.killed.values()),
            "killed": dict(self._chaos.killed),
            "slowest_return_s": round(self._chaos.slowest_return_s, 1),
            "server_away": self._chaos.away,
            **judge.judge_orders(truth, self._shop.ledger),
            "money": judge.judge_money(truth, self._shop.ledger),
            "left_over": judge.left_over(self._shop.ledger),
            "faults_fired": truth.get("faults_fired", {}),
            "wall_s": round(wall_s, 1),
        }

    def _until(self, done: Callable[[], bool], timeout_s: float, complaint: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not _quietly(done):
            self._shop.sandbox.check()
            if time.monotonic() > deadline:
                raise NotReady(f"{complaint} within {timeout_s:.0f} s")
            time.sleep(0.1)


def _quietly(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except (httpx.TransportError, psutil.NoSuchProcess):
        return False  # a busy machine, or a process that ended by itself; the wait is bounded


def _answers(url: str) -> bool:
    return httpx.get(url, timeout=2.0, trust_env=False).is_success


def _runs_a_flow(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "prefect.engine" in " ".join(process.cmdline()) or "flow-run" in " ".join(process.cmdline())
    return False
