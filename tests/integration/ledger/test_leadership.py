import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from tests.integration.ledger.examples import until
from tradewind.ledger import leadership
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings

LEADER = """
import sys
from pathlib import Path
from tradewind.ledger.engine import open_ledger
from tradewind.ledger.leadership import acquire
from tradewind.settings import Settings
ledger = open_ledger(Settings(state_dir=Path(sys.argv[1]), database_url=sys.argv[2]))
with acquire(ledger, "critical", timeout_s=0) as seat:
    print("leads" if seat else "does not lead", flush=True)
    sys.stdin.read()
"""


def test_one_leads_and_the_next_is_refused_at_once_beside_a_standby(ledger: Ledger) -> None:
    with leadership.acquire(ledger, "critical", timeout_s=0) as leader:
        assert leader is not None
        assert not leader.successor_waits()
        stop = threading.Event()
        waiting = threading.Thread(target=_stand_by, args=(ledger, stop))
        waiting.start()
        until(leader.successor_waits)
        before = time.monotonic()
        with leadership.acquire(ledger, "critical", timeout_s=60) as third:
            assert third is None
        assert time.monotonic() - before < 10
        stop.set()
        waiting.join(10)
        assert not leader.successor_waits()
        assert leader.held()


def _stand_by(ledger: Ledger, stop: threading.Event) -> None:
    with leadership.acquire(ledger, "critical", timeout_s=60, stopped=stop.is_set) as seat:
        assert seat is None


def test_standby_leads_when_the_leader_leaves(ledger: Ledger) -> None:
    took_over = threading.Event()
    leave = threading.Event()

    def succeed() -> None:
        with leadership.acquire(ledger, "critical", timeout_s=60) as seat:
            assert seat is not None
            took_over.set()
            leave.wait(60)

    successor = threading.Thread(target=succeed)
    with leadership.acquire(ledger, "critical", timeout_s=0) as leader:
        assert leader is not None
        successor.start()
        until(leader.successor_waits)
        assert not took_over.is_set()
    assert took_over.wait(10)
    with leadership.acquire(ledger, "critical", timeout_s=0) as late:
        assert late is None
    leave.set()
    successor.join(10)


def test_lanes_and_shards_have_leaders_of_their_own(ledger: Ledger) -> None:
    with ExitStack() as stack:
        for lane, shard in (("critical", 0), ("critical", 1), ("deferred", 0)):
            assert stack.enter_context(leadership.acquire(ledger, lane, shard, timeout_s=0)) is not None


def test_killed_process_leaves_the_lead_to_the_next(ledger: Ledger, settings: Settings) -> None:
    arguments = [sys.executable, "-c", LEADER, str(settings.state_dir), settings.database_url]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "leads\n"
        with leadership.acquire(ledger, "critical", timeout_s=0) as seat:
            assert seat is None
        process.kill()
        with leadership.acquire(ledger, "critical", timeout_s=20) as seat:
            assert seat is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_leader_that_the_database_has_dropped_knows_it(ledger: Ledger) -> None:
    drop = text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    with leadership.acquire(ledger, "critical", timeout_s=0) as leader:
        assert leader is not None
        assert leader.held()
        with ledger.write() as conn:
            conn.execute(drop)
        until(lambda: not leader.held())
