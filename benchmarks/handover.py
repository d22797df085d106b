"""How long nobody applies events: when the leader is killed, when it hands over, and from a cold start.

`python -m benchmarks.handover [--quick]` stands up Prefect's server, its worker and the deployed order-sync on SQLite,
stores a delivery every 20 ms, and reads from the inbox who finished which delivery when. One JSON line last:
takeover_*: from SIGKILL of the leader, with a standby there, to the first delivery that another run finished.
stranded_*: how long after that kill the deliveries were finished that the dead run had claimed (their lease: lease_s).
gap_*: from the last delivery of a run that left to the first of its successor. cold_start_s: from asking for a run,
with none there, to the first delivery finished; most of it is Prefect starting a process.
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from tradewind.demo.judge import percentile
from tradewind.domain.events import JournalRecorded
from tradewind.domain.money import Money
from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.ledger.tables import inbox as table
from tradewind.settings import Settings
from tradewind.stack.ports import free_port
from tradewind.stack.stack import NotReady, Stack
from tradewind.sync.polls import poll_delivery

EVERY_S = 0.02
BOUND_S = 120.0
AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Finished:
    """A delivery that was taken in. run: whose, `order-sync-<process id>-…`. attempts: how often it was claimed."""

    run: str
    at: datetime
    attempts: int

    @property
    def pid(self) -> int:
        return int(self.run.split("-")[2])


class Feed:
    """Stores a delivery every 20 ms from a thread of its own, while it is entered."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed")

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(EVERY_S):
            number += 1
            with self._ledger.write() as database:
                inbox.store(database, self._ledger.keys, [poll_delivery(_document(number), read_at=datetime.now(UTC))])


def _document(number: int) -> JournalRecorded:
    return JournalRecorded(
        connection="backoffice:main", document=f"D{number}", kind="adjustment", reason="a count",
        occurred_at=AT, business_day=AT.date(),
        total=Money(minor=100, currency="GBP"), lines=(),
    )  # fmt: skip


class Bench:
    def __init__(self, folder: Path) -> None:
        self._settings = Settings(
            state_dir=folder, gateway_port=free_port(), prefect_port=free_port(),
            window_s=15.0, sweep_interval_s=600.0,
        )  # fmt: skip
        self._stack = Stack(self._settings)

    def measure(self, *, kills: int, handovers: int) -> dict[str, Any]:
        """Raises NotReady when a run does not come up in time."""
        try:
            self._stack.start_server()
            self._stack.start_gateway()
            self._stack.deploy()
            with self._ledger() as ledger, Feed(ledger):
                began = datetime.now(UTC)
                self._stack.run_order_sync()
                self._until(lambda: bool(_finished(ledger, began)), "no run has begun")
                cold_s = (_finished(ledger, began)[0].at - began).total_seconds()
                killed = [self._kill(ledger) for _ in range(kills)]
                dead = {run for run, _ in killed}
                self._until(
                    lambda: len(_gaps(ledger, began, dead)) >= handovers, "too few hand-overs", handovers * 60.0, 2.0
                )
                return _figures(ledger, began, killed, cold_s, self._settings.lease_s)
        finally:
            self._stack.stop()

    def _kill(self, ledger: Ledger) -> tuple[str, datetime]:
        """Kill the leader once a standby is there; gives the run and when."""
        self._until(lambda: _standby_waits(ledger), "no standby came")
        leader = _finished(ledger, limit=1)[-1]
        at = datetime.now(UTC)
        psutil.Process(leader.pid).kill()
        self._until(lambda: any(one.run != leader.run for one in _finished(ledger, at)), "nobody took over")
        return leader.run, at

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        ledger = open_ledger(self._settings)
        try:
            yield ledger
        finally:
            ledger.close()

    def _until(
        self, done: Callable[[], bool], complaint: str, timeout_s: float = BOUND_S, pause_s: float = 0.05
    ) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise NotReady(f"{complaint} within {timeout_s:.0f} s")
            time.sleep(pause_s)


def _finished(ledger: Ledger, since: datetime | None = None, limit: int | None = None) -> list[Finished]:
    """What was taken in since then, oldest first."""
    columns = (table.c.claimed_by, table.c.finished_at, table.c.attempts)
    query = select(*columns).where(table.c.finished_at.is_not(None)).order_by(table.c.finished_at.desc(), table.c.id)
    if since is not None:
        query = query.where(table.c.finished_at >= since)
    with ledger.read() as database:
        rows = database.execute(query.limit(limit)).all()
    return [Finished(row.claimed_by, row.finished_at, row.attempts) for row in reversed(rows)]


def _standby_waits(ledger: Ledger) -> bool:
    """Somebody holds the standby's lock; looking holds it for a moment, as a leader that looks for a successor does."""
    with suppress(FileNotFoundError):
        handle = os.open(ledger.locks_dir / "standby-critical-0.lock", os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False


def _gaps(ledger: Ledger, since: datetime, dead: set[str]) -> list[float]:
    """Seconds between the last delivery of each run that left by itself and the first of the next."""
    rows = _finished(ledger, since)
    pairs = itertools.pairwise(rows)
    return [
        (after.at - before.at).total_seconds()
        for before, after in pairs
        if after.run != before.run and before.run not in dead
    ]


def _figures(
    ledger: Ledger, began: datetime, killed: Sequence[tuple[str, datetime]], cold_s: float, lease_s: float
) -> dict[str, Any]:
    rows = _finished(ledger, began)
    takeovers, stranded = [], []
    for (run, at), (_, ends) in zip(killed, [*killed[1:], ("", datetime.max.replace(tzinfo=UTC))], strict=True):
        later = [one for one in rows if at < one.at < ends and one.run != run]
        takeovers.append((later[0].at - at).total_seconds())
        stranded += [(one.at - at).total_seconds() for one in later if one.attempts > 1]
    gaps = _gaps(ledger, began, {run for run, _ in killed})
    return {
        "kills": len(killed),
        "takeover_p50_s": percentile(takeovers, 0.5),
        "takeover_p99_s": percentile(takeovers, 0.99),
        "takeover_max_s": percentile(takeovers, 1.0),
        "lease_s": lease_s,
        "stranded": len(stranded),
        "stranded_max_s": percentile(stranded, 1.0),
        "handovers": len(gaps),
        "gap_p50_s": percentile(gaps, 0.5),
        "gap_p99_s": percentile(gaps, 0.99),
        "cold_start_s": round(cold_s, 2),
        "deliveries": len(rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handover", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three kills and two hand-overs, within three minutes")
    quick = parser.parse_args().quick
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    with tempfile.TemporaryDirectory(prefix="tw-handover-") as folder:
        print(json.dumps(Bench(Path(folder)).measure(kills=3 if quick else 100, handovers=2 if quick else 50)))


if __name__ == "__main__":
    main()
