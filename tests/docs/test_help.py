"""Help is there for every command, and at once."""

import resource
import subprocess
import sys

import pytest

from tradewind.cli import SUMMARIES, load_command

# The machine may be busy with other tests, so what counts is processor time; on an idle one it is the time one waits.
MOST_CPU_S = 0.5


def help_of(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tradewind", *words, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_comes_at_once() -> None:
    took = []
    for _ in range(3):
        before = cpu_s()
        assert help_of().returncode == 0
        took.append(cpu_s() - before)
    assert min(took) < MOST_CPU_S, took


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_explains_itself(name: str) -> None:
    shown = help_of(name)
    assert shown.returncode == 0, shown.stderr
    assert SUMMARIES[name].split()[0] in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_subcommand_and_option_has_help(name: str) -> None:
    command = load_command(name)
    for each in (command, *getattr(command, "commands", {}).values()):
        assert (each.help or "").strip(), f"{each.name} says nothing"
        for parameter in each.params:
            assert getattr(parameter, "help", "") or parameter.name == "help", f"{name} {each.name} {parameter.name}"
