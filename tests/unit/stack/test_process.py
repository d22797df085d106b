"""A part of the stack: started with its log, watched, stopped, and nothing of it left behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.sandboxes import eventually
from tradewind.stack.environment import MARK
from tradewind.stack.process import Part, PartDied, end, marked, tail

READY = "print('ready', flush=True); import time; time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {READY!r}]); import time; time.sleep(60)"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[list[Part]]:
    made: list[Part] = []
    yield made
    for part in made:
        part.stop(timeout_s=0.1)


def part(parts: list[Part], tmp_path: Path, program: str, **env: str) -> Part:
    made = Part("part", [sys.executable, "-c", program], {**os.environ, **env}, tmp_path / "logs" / "part.log")
    parts.append(made)
    return made


def said(part: Part, word: str = "ready") -> bool:
    return word in tail(part.log)


def test_it_runs_and_writes_its_log(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, READY)
    assert (one.running, one.succeeded, one.pid) == (False, False, None)
    one.start()
    eventually(lambda: said(one))
    assert one.running
    assert one.pid is not None
    one.check()
    one.stop()
    assert not one.running
    assert not one.succeeded


def test_one_that_ends_well_has_succeeded(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, "print('done')")
    one.start()
    eventually(lambda: not one.running)
    assert one.succeeded


def test_one_that_died_is_told_with_the_end_of_its_log(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, "import sys; print('port is taken'); sys.exit(3)")
    one.start()
    eventually(lambda: not one.running)
    with pytest.raises(PartDied, match="port is taken"):
        one.check()
    assert not one.succeeded


def test_one_that_was_never_started_is_not_there(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, READY)
    assert one.children() == []
    one.stop()
    with pytest.raises(PartDied, match="nothing"):
        one.check()


def test_it_can_be_started_again_and_its_log_goes_on(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, "print('again')")
    for _ in range(2):
        one.start()
        eventually(lambda: not one.running)
    assert tail(one.log) == "again\nagain"


def test_one_that_will_not_stop_is_killed(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, STUBBORN)
    one.start()
    eventually(lambda: said(one))
    began = time.monotonic()
    one.stop(timeout_s=0.2)
    assert not one.running
    assert time.monotonic() - began < 10


def test_what_it_started_is_stopped_with_it(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, PARENT)
    one.start()
    eventually(lambda: said(one))
    (child,) = one.children()
    one.stop()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_one_that_is_gone_has_no_children(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, "pass")
    one.start()
    eventually(lambda: not one.running)
    assert one.children() == []
    end([], timeout_s=0)


def test_an_interrupt_at_the_terminal_is_not_its_own(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, READY)
    one.start()
    eventually(lambda: said(one))
    assert one.pid is not None
    assert os.getpgid(one.pid) != os.getpgid(0)


def test_what_it_writes_is_for_this_user_alone(parts: list[Part], tmp_path: Path) -> None:
    file = tmp_path / "secret"
    one = part(parts, tmp_path, f"open({str(file)!r}, 'w').close()")
    one.start()
    eventually(lambda: not one.running)
    assert file.stat().st_mode & 0o077 == 0


def test_processes_of_a_stack_are_known_by_its_mark(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, PARENT, **{MARK: "tests-own-mark"})
    one.start()
    eventually(lambda: said(one))
    assert {process.pid for process in marked("tests-own-mark")} == {one.pid, *(child.pid for child in one.children())}
    assert marked("nobody's") == []


def test_processes_end_however_they_take_it(parts: list[Part], tmp_path: Path) -> None:
    one = part(parts, tmp_path, STUBBORN)
    one.start()
    eventually(lambda: said(one))
    assert one.pid is not None
    process = psutil.Process(one.pid)
    end([process], timeout_s=0.1)
    eventually(lambda: not one.running)
    end([process], timeout_s=0.1)


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert tail(log) == "(nothing)"
    log.write_bytes(b"\n".join(b"line %d \xff" % n for n in range(20)))
    assert tail(log, lines=2).splitlines()[1].startswith("line 19")
    assert len(tail(log).splitlines()) == 12
