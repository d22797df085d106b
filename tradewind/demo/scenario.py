"""The demo, step by step: a shop opens, sells, is settled, reconciled, spoilt once, and judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tradewind.demo import judge
from tradewind.demo.receiver import AlertReceiver
from tradewind.demo.sandbox import Control
from tradewind.demo.shop import Shop
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings
from tradewind.stack.prefect_api import FINAL_STATES
from tradewind.stack.stack import NotReady, Stack, Stopped

SWEEP_INTERVAL_S = 8.0
PLANTED = "silent_refund"
LOOK_EVERY_S = 0.25
STALLED_S = 330.0
"""A little longer than the longest pause before a command is tried again."""
SETTLING_S = 3.0
"""A parcel that comes back while the books are made has its money back within this time; the run starts no faster."""


@dataclass(frozen=True)
class Plan:
    """What to run. rate_per_s: orders (or invoices of a replay) a second. faults: none, mild or hostile.

    life: what happens to orders, full or plain; a replay acts out what its file says.
    """

    orders: int
    seed: int
    faults: str
    replay: Path | None
    rate_per_s: float
    life: str = "full"


Progress = Callable[[str, int, int], None]
"""(step, done, of): how far a step is; `of` is 0 while that is not known."""


class Scenario:
    """One run. progress: told how far each step is. stopping: set when it should end early."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        receiver: AlertReceiver,
        progress: Progress,
        stopping: threading.Event | None = None,
    ) -> None:
        self._plan = plan
        self._receiver = receiver
        self._progress = progress
        self._stopping = stopping or threading.Event()
        settings = settings.model_copy(update={"sweep_interval_s": SWEEP_INTERVAL_S})
        self.stack = Stack(settings, alert_url=receiver.url, stopping=self._stopping)
        self.shop = Shop(self.stack, seed=plan.seed, faults=plan.faults)
        self._catalog_sync = ""
        self._seen: dict[str, Any] = {}
        self._left_over: dict[str, int] = {}
        self._moved_at = 0.0

    def run(self) -> dict[str, Any]:
        """Everything, in order; gives the result as the JSON shows it. Raises NotReady, PartDied, Stopped."""
        began = time.monotonic()
        self._open_shop()
        with self.shop.control() as control:
            self._sell(control)
            self._settle(control)
            planted = self._reconcile(control)
            self._await_alert()
            return self._verdict(control, planted, time.monotonic() - began)

    def stop(self) -> None:
        """Stop everything that was started."""
        self.stack.stop()
        self.shop.close()

    @property
    def ledger(self) -> Ledger:
        return self.shop.ledger

    def _open_shop(self) -> None:
        """Start the parts, connect the sandbox's accounts, deploy, and let the order sync run."""
        self._progress("starting", 0, 5)
        self.stack.start_server()
        self.shop.open(self._plan.replay)
        self._progress("starting", 1, 5)
        self.stack.start_gateway()
        self._progress("starting", 2, 5)
        self.shop.connect()
        self._progress("starting", 3, 5)
        self.stack.deploy()
        self._progress("starting", 4, 5)
        run = self.stack.run_order_sync()
        self.stack.wait_until(lambda: self.stack.prefect.state(run) == "RUNNING", 120.0, self.stack.worker)
        self._catalog_sync = self.stack.prefect.run("catalog-sync/catalog-sync")
        self._progress("starting", 5, 5)

    def _sell(self, control: Control) -> None:
        """Let the shoppers come, or act the history out."""
        plan = self._plan
        if plan.replay is not None:
            control.start(replay=str(plan.replay), rate_per_s=plan.rate_per_s)
        else:
            control.start(orders=plan.orders, rate_per_s=plan.rate_per_s, life=plan.life)
        pause_s = 20 / plan.rate_per_s  # between two shoppers, hardly ever so long
        self._until(lambda: self._world_is_quiet(control), STALLED_S + pause_s, "orders are still being placed")

    def _settle(self, control: Control) -> None:
        """Wait until every order has found its end and nothing waits in inbox or outbox."""
        control.faults("none")
        self._until(lambda: self._is_settled(control), STALLED_S, "orders have not settled", strict=False)

    def _world_is_quiet(self, control: Control) -> bool:
        progress = control.progress()
        if progress != self._seen:
            self._seen, self._moved_at = progress, time.monotonic()
        self._progress("placed", progress["placed"], progress["planned"])
        self._progress("settled", progress["fulfilled"] + progress["cancelled"], progress["planned"])
        return bool(progress["quiet"])

    def _is_settled(self, control: Control) -> bool:
        return self._is_told(control) and judge.settled(control.truth())

    def _is_told(self, control: Control) -> bool:
        """Nothing is left to happen, and nothing that happened waits in inbox or outbox."""
        quiet = self._world_is_quiet(control)
        # What is left over is what was seen at this moment: the next parcel may be scanned before anybody looks again.
        self._left_over = judge.left_over(self.ledger)
        return quiet and not judge.waits(self._left_over)

    def _reconcile(self, control: Control) -> dict[str, Any]:
        """Plant one fault, silently, and run the nightly reconciliation."""
        self._progress("reconciling", 0, 2)
        # The catalogue gave way to orders; for the books every order is read again: both within the store's limit.
        bound_s = 180.0 + control.progress()["placed"]
        self._until_ended(self._catalog_sync, bound_s, "catalog-sync has not ended")
        # On a slow machine a parcel may be back by now, and its money on the way.
        self._until(lambda: self._is_settled(control), STALLED_S, "returns have not settled", strict=False)
        planted = control.plant(PLANTED)
        parameters = {"since": self.shop.opened_at.isoformat(), "settling_s": SETTLING_S}
        run = self.stack.prefect.run("reconciliation/reconciliation", parameters)
        self._until_ended(run, bound_s, "reconciliation has not ended")
        self._progress("reconciling", 1, 2)
        return planted

    def _until_ended(self, run: str, timeout_s: float, complaint: str) -> None:
        self._until(lambda: self.stack.prefect.state(run) in FINAL_STATES, timeout_s, complaint)

    def _await_alert(self) -> None:
        self._until(lambda: bool(self._receiver.alerts), 40.0, "no alert arrived", strict=False)
        self._progress("reconciling", 2, 2)

    def _until(self, done: Callable[[], bool], timeout_s: float, complaint: str, *, strict: bool = True) -> None:
        """Wait while the parts live, until nothing has moved in the shop for timeout_s.

        strict: Raises NotReady then. How long a history takes depends on the providers' limits, not on us. Raises
        Stopped.
        """
        self._moved_at = time.monotonic()
        while not self._done(done):
            self.stack.check()
            self.shop.sandbox.check()
            if time.monotonic() - self._moved_at > timeout_s:
                if strict:
                    raise NotReady(f"{complaint} and nothing moved for {timeout_s:.0f} s")
                return
            if self._stopping.wait(LOOK_EVERY_S):
                raise Stopped("stopped before the demo's end")

    def _done(self, done: Callable[[], bool]) -> bool:
        try:
            return done()
        except httpx.TransportError:
            return False  # a busy machine; the parts are checked, and the wait is bounded

    def _verdict(self, control: Control, planted: dict[str, Any], wall_s: float) -> dict[str, Any]:
        # Parcels go on being scanned, and come back: what happened just now is not left over, nor half known.
        self._until(lambda: self._is_told(control), 20.0, "deliveries wait", strict=False)
        truth = control.truth()
        replay = control.replay() if self._plan.replay is not None else None
        result = {
            "seed": self._plan.seed,
            "faults": self._plan.faults,
            **judge.judge_orders(truth, self.ledger),
            "money": judge.judge_money(truth, self.ledger),
            "recorded": judge.recorded_documents(self.ledger),
            "refused": (replay or {}).get("refused", {}),
            "wall_s": round(wall_s, 1),
            "books": judge.books_of(self.stack.settings.state_dir),
            "planted": planted,
            "validations": judge.validations_of(self.stack.settings.state_dir),
            "alerts": [alert.get("alert") for alert in self._receiver.alerts],
            "left_over": self._left_over,
            "faults_fired": truth.get("faults_fired", {}),
        }
        if replay is not None:
            from tradewind.demo.replayed import judge_replay  # pandas is needed for this alone

            result["replay"] = judge_replay(replay, self.ledger)
        return result
