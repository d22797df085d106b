"""`tradewind up` and `demo` as processes with a fresh HOME: they come up, heal, and leave nothing behind."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import psutil
import pytest

from tests.flows.standing import BOUND_S, Up, interrupt, processes_of, standing
from tests.sandboxes import eventually

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.timeout(900)]

NO_TRACKING = {"DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
COMPLAINT = re.compile(r"warn|error|deprecat|traceback|exception", re.IGNORECASE)
PARTS = ("gateway", "prefect-server", "deploy", "worker")


def test_it_stands_heals_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with standing(tmp_path, TRADEWIND_WINDOW_S="10") as up:
        up.eventually_prints("Ctrl-C stops everything.")
        eventually(up.gateway_answers, BOUND_S)
        eventually(lambda: up.flow_runs("RUNNING"), BOUND_S)
        nothing_complains(up)
        nobody_is_tracked(up)
        a_killed_gateway_is_started_again(up)
        an_understudy_leads_while_the_server_is_away(up)
        a_killed_worker_leaves_a_flow_that_is_found_at_the_end(up)
        assert interrupt(up) == 0
        assert up.printed().endswith("Stopping.\n")
        assert processes_of(up.state_dir) == []
        for port in (up.gateway_port, up.prefect_port):
            socket.create_server(("127.0.0.1", port)).close()


def nothing_complains(up: Up) -> None:
    for name in PARTS:
        complaints = [line for line in up.log(name).splitlines() if COMPLAINT.search(line)]
        assert complaints == [], f"{name}: {complaints}"
    assert not COMPLAINT.search(up.printed())


def nobody_is_tracked(up: Up) -> None:
    """Nor is anything written outside the state folder."""
    eventually(lambda: up.parts("prefect.engine"), BOUND_S)
    for process in up.below():
        environment = process.environ()
        told = {name: environment.get(name, "").lower() for name in NO_TRACKING}
        assert told == NO_TRACKING, process.cmdline()
    assert list(up.home.iterdir()) == []


def a_killed_gateway_is_started_again(up: Up) -> None:
    (gateway,) = up.parts("tradewind gateway")
    gateway.kill()
    eventually(lambda: "gateway had ended and is started again" in up.printed(), BOUND_S)
    eventually(up.gateway_answers, BOUND_S)
    assert up.parts("tradewind gateway") != [gateway]


def an_understudy_leads_while_the_server_is_away(up: Up) -> None:
    """First it hangs, which nothing but its silence tells; then it dies."""
    (server,) = (one for one in up.parts("prefect server") if one.ppid() == up.process.pid)
    server.send_signal(signal.SIGSTOP)
    eventually(lambda: "Prefect's server is away: orders go on without it" in up.printed(), BOUND_S)
    eventually(lambda: "leading without Prefect" in up.log("understudy"), BOUND_S)
    server.kill()
    eventually(lambda: "prefect-server had ended and is started again" in up.printed(), BOUND_S)
    eventually(lambda: "Prefect's server is back: order-sync leads again" in up.printed(), BOUND_S)
    eventually(lambda: not up.parts("tradewind.stack.understudy"), BOUND_S)
    eventually(lambda: up.flow_runs("RUNNING"), BOUND_S)


def a_killed_worker_leaves_a_flow_that_is_found_at_the_end(up: Up) -> None:
    eventually(lambda: up.parts("prefect.engine"), BOUND_S)
    (worker,) = up.parts("prefect worker")
    flows = [one.pid for one in worker.children(recursive=True)]
    worker.kill()
    eventually(lambda: "worker had ended and is started again" in up.printed(), BOUND_S)
    assert any(psutil.pid_exists(pid) for pid in flows)


@pytest.mark.parametrize("setting", ["gateway_port", "prefect_port"])
def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        variable = f"TRADEWIND_{setting.upper()}"
        with standing(tmp_path, **{variable: str(port)}) as up:
            assert up.process.wait(BOUND_S) == 2
            (line,) = up.printed().splitlines()
            assert line.startswith(f"tradewind: {setting} (from {variable} or its default)")
            assert f"127.0.0.1:{port} is taken" in line
            assert not up.state_dir.exists()


def test_ctrl_c_while_it_starts_stops_what_has_started(tmp_path: Path) -> None:
    with standing(tmp_path) as up:
        eventually(lambda: up.parts("prefect server"), BOUND_S)
        assert interrupt(up) == 0
        assert processes_of(up.state_dir) == []
        assert "stopped before" in up.printed()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_ended_early_leaves_nothing_behind(tmp_path: Path, ending: signal.Signals) -> None:
    with standing(tmp_path, "demo", "--orders", "1") as demo:
        eventually(lambda: demo.parts("prefect server"), BOUND_S)
        parts = demo.below()
        demo.process.send_signal(ending)
        assert demo.process.wait(BOUND_S) != 0
        assert not any(part.is_running() for part in parts)
        assert processes_of(demo.state_dir) == []
