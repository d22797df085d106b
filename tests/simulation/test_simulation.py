"""The whole core, three days of two stores at a time, from seeds: nothing lost, nothing twice, whatever goes wrong.

Each share of the seeds runs in an interpreter of its own, with the hash seed under which a failing seed is replayed:
`python -m tests.simulation --first N --seeds 1 --trace`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "16"))
"""Each is told once with faults and once without, about 2,500 requests in all. More are asked for by the variable."""
SHARE = 8


def simulate(*arguments: object) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "tests.simulation", "--jobs", "1", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stdout


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(1, SEEDS + 1, SHARE))
def test_nothing_is_lost_or_done_twice_and_every_order_ends_as_it_does_in_order(first: int) -> None:
    status, found, told = simulate("--first", first, "--seeds", SHARE)
    assert (status, found["failed_seeds"], found["lost"], found["doubled"]) == (0, [], 0, 0), told


@pytest.mark.timeout(900)
@pytest.mark.parametrize("bug", ["dedupe by event id", "stock movement without cause", "key without connection"])
def test_a_planted_bug_is_caught(bug: str) -> None:
    status, found, told = simulate("--planted", bug, "--seeds", 10)
    assert (status, found["planted"], found["caught"]) == (0, 1, 1), told


def test_a_seed_is_replayed_exactly() -> None:
    arguments = ("--first", 7, "--seeds", 1, "--orders", 3, "--trace")
    assert simulate(*arguments)[2].splitlines()[:-1] == simulate(*arguments)[2].splitlines()[:-1]
