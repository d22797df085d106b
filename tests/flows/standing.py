"""`tradewind up` as a process, looked at from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.sandboxes import eventually
from tradewind.stack.ports import free_port

BOUND_S = 150.0
"""For what takes up to 30 s on an idle machine."""


@dataclass
class Up:
    """A running `tradewind up`. out: what it prints. home: its HOME, fresh."""

    process: subprocess.Popen[bytes]
    state_dir: Path
    home: Path
    out: Path
    gateway_port: int
    prefect_port: int

    def printed(self) -> str:
        return self.out.read_text()

    def log(self, name: str) -> str:
        path = self.state_dir / "logs" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def parts(self, word: str) -> list[psutil.Process]:
        """Its processes whose command line has the word."""
        return [one for one in self.below() if word in " ".join(_command(one))]

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def eventually_prints(self, text: str) -> None:
        eventually(lambda: text in self.printed() or self.process.poll() is not None, BOUND_S)
        assert text in self.printed()

    def gateway_answers(self) -> bool:
        return _answers(f"http://127.0.0.1:{self.gateway_port}/readyz")

    def prefect(self, path: str, **asked: object) -> object:
        answer = httpx.post(f"http://127.0.0.1:{self.prefect_port}/api{path}", json=asked, timeout=30.0)
        return answer.raise_for_status().json()

    def flow_runs(self, state: str) -> list[str]:
        found = self.prefect("/flow_runs/filter", flow_runs={"state": {"type": {"any_": [state]}}})
        assert isinstance(found, list)
        return [str(one["name"]) for one in found]


@contextmanager
def standing(folder: Path, *command: str, **variables: str) -> Iterator[Up]:
    """Start `tradewind up`, or another command, on free ports with a HOME of its own.

    What a failed test leaves of it is killed at the end.
    """
    state_dir, home, out = folder / "state", folder / "home", folder / "out.txt"
    home.mkdir()
    ports = free_port(), free_port()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "TRADEWIND_", "DO_NOT"))}
    env |= {
        "HOME": str(home),
        "TRADEWIND_STATE_DIR": str(state_dir),
        "TRADEWIND_GATEWAY_PORT": str(ports[0]),
        "TRADEWIND_PREFECT_PORT": str(ports[1]),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with out.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradewind", *(command or ("up",))],
            cwd=home,
            env=env,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        up = Up(process, state_dir, home, out, *ports)
        try:
            yield up
        finally:
            for one in processes_of(state_dir):
                one.kill()
            process.wait()


def processes_of(state_dir: Path) -> list[psutil.Process]:
    """Every process on this machine that was told to work in this folder, or beside it as the demo's do."""
    found = psutil.process_iter(["environ"])
    return [one for one in found if str(state_dir.parent) in (one.info["environ"] or {}).get("TRADEWIND_STATE_DIR", "")]


def interrupt(up: Up) -> int:
    """Ctrl-C; gives the exit code."""
    up.process.send_signal(signal.SIGINT)
    return up.process.wait(BOUND_S)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0).is_success
    except httpx.TransportError:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
