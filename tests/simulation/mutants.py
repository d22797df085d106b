"""`python -m tests.simulation.mutants --count 30 --seed 1 --seeds 4 [--orders 30]`: one JSON line last.

Random small changes of the core, each in a line that the simulation executes, each judged by the simulation of a copy:
the working tree is never changed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.simulation.mutations import mutated, sites
from tests.simulation.run import quieten, run_seed

ROOT = Path(__file__).parents[2]
ROOMS = ("tradewind/sync", "tradewind/ledger")
PER_SEED_S = 120
"""Of processor time: a mutant that keeps the simulation busy for longer stands still, which is noticed too."""
LARGEST = 3 << 30


@dataclass(frozen=True)
class Mutant:
    """path: of its module, from the root. number: of the change, among those of the module."""

    path: str
    number: int
    line: int
    told: str


def main() -> int:
    asked = _arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # As the seeds themselves are run: see `tests.simulation.__main__`.
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation.mutants", *sys.argv[1:]],
                  {**os.environ, "PYTHONHASHSEED": "0"})  # fmt: skip
    quieten()
    rng = random.Random(asked.seed)
    survivors = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        copy = Path(place)
        _copy_to(copy)
        candidates = _candidates(copy, _executed(asked.orders))
        chosen = rng.sample(candidates, min(asked.count, len(candidates)))
        for mutant in chosen:
            problem = _judge(copy, mutant, asked)
            told = f"caught: {problem}" if problem else "SURVIVED"
            print(f"{mutant.path}:{mutant.line}: {mutant.told}: {told}", flush=True)
            if not problem:
                survivors.append(f"{mutant.path}:{mutant.line}: {mutant.told}")
    caught = len(chosen) - len(survivors)
    found = {"mutants": len(chosen), "caught": caught, "share": round(caught / max(len(chosen), 1), 2)}
    print(json.dumps(found | {"candidates": len(candidates), "survivors": survivors}))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=30, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="by which they are chosen")
    parser.add_argument("--seeds", type=int, default=4, help="of the simulation, against each")
    parser.add_argument("--orders", type=int, default=30, help="orders of a seed")
    return parser.parse_args()


def _executed(orders: int) -> dict[str, set[int]]:
    """The lines of the core that a seed executes, by path."""
    rooms = tuple(f"{ROOT / room}/" for room in ROOMS)
    lines: defaultdict[str, set[int]] = defaultdict(set)

    def each(frame: Any, what: str, _: object) -> Any:
        if what == "call" and not frame.f_code.co_filename.startswith(rooms):
            return None
        lines[frame.f_code.co_filename].add(frame.f_lineno)
        return each

    before = sys.gettrace()
    sys.settrace(each)
    try:
        run_seed(1, orders=orders, reference=False)
    finally:
        sys.settrace(before)
    return {str(Path(path).relative_to(ROOT)): found for path, found in lines.items()}


def _candidates(copy: Path, executed: dict[str, set[int]]) -> list[Mutant]:
    return [
        Mutant(path, number, site.line, site.told)
        for path in sorted(executed)
        if "/migrations/" not in path
        for number, site in enumerate(sites(ast.parse((copy / path).read_text())))
        if site.line in executed[path]
    ]


def _copy_to(place: Path) -> None:
    shutil.copytree(ROOT / "tradewind", place / "tradewind", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "tests" / "simulation", place / "tests" / "simulation", ignore=shutil.ignore_patterns("__pycache__")
    )


def _judge(copy: Path, mutant: Mutant, asked: argparse.Namespace) -> str | None:
    """How the mutant was noticed; None when it was not."""
    module = copy / mutant.path
    source = module.read_text()
    module.write_text(mutated(source, mutant.number))
    try:
        return _simulate(copy, asked)
    finally:
        module.write_text(source)


def _simulate(copy: Path, asked: argparse.Namespace) -> str | None:
    command = [sys.executable, "-B", "-m", "tests.simulation", "--jobs", "1"]
    command += ["--seeds", str(asked.seeds), "--orders", str(asked.orders)]
    last = ""
    with subprocess.Popen(
        command,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=partial(_bound, asked.seeds),
    ) as running:
        assert running.stdout is not None
        for last in running.stdout:
            if last.startswith("seed "):
                running.kill()
                return last.strip()[:160]
    return None if last.startswith("{") else f"it ended with {running.returncode}"


def _bound(seeds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (PER_SEED_S * seeds, PER_SEED_S * seeds))
    resource.setrlimit(resource.RLIMIT_DATA, (LARGEST, LARGEST))


if __name__ == "__main__":
    sys.exit(main())
