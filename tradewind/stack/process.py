"""One process of the stack: started with a log of its own, stopped by its id, never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tradewind.errors import TradewindError
from tradewind.stack.environment import MARK


class PartDied(TradewindError):
    """A process ended that should be running; the message has the end of its log."""


class Part:
    """A child process. log: where its output goes, appended."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """None before it is started."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """It has ended with exit code 0."""
        return self._process is not None and self._process.poll() == 0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal goes to us alone: we stop the parts, in order.
                start_new_session=True,
                preexec_fn=_with_default_signals,
            )

    def check(self) -> None:
        """Raises PartDied when it has ended."""
        if not self.running:
            raise PartDied(f"{self.name} has ended; its log {self.log} ends with:\n{tail(self.log)}")

    def children(self) -> list[psutil.Process]:
        """Every process below it."""
        if self._process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def stop(self, timeout_s: float = 10.0) -> None:
        """SIGTERM, and SIGKILL to whatever of it is left after timeout_s."""
        if self._process is None:
            return
        below = self.children()
        if self.running:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
        end([*below, *self._remains()], timeout_s=2.0)
        self._process.wait()

    def _remains(self) -> list[psutil.Process]:
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            return [psutil.Process(self._process.pid)] if self.running else []
        return []


def end(processes: Sequence[psutil.Process], *, timeout_s: float) -> None:
    """SIGTERM to each, SIGKILL to those that are left after timeout_s."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(processes, timeout=timeout_s)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def marked(mark: str) -> list[psutil.Process]:
    """Every process whose environment holds this value of `MARK`."""
    found = psutil.process_iter(["environ", "ppid"])
    return [process for process in found if (process.info["environ"] or {}).get(MARK) == mark]


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    if not path.exists():
        return "(nothing)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _with_default_signals() -> None:
    # A process that a shell started in the background ignores SIGINT, its children inherit that, and Prefect's worker
    # then survives SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.umask(0o077)
