"""`python -m tests.simulation --seeds 1000 [--first N] [--planted] [--jobs 2] [--trace]`: one JSON line last."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulation import planted
from tests.simulation.run import ORDERS, Outcome, quieten, run_seed


def main() -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of a set of strings is a choice too, and must come from the seed alone.
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
                  {**os.environ, "PYTHONHASHSEED": "0"})  # fmt: skip
    asked = _arguments()
    quieten()
    began = time.perf_counter()
    found = _planted(asked) if asked.planted else _seeds(asked)
    print(json.dumps(found | {"wall_s": round(time.perf_counter() - began, 1)}))
    return int(bool(found.get("failed_seeds") or found.get("missed")))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders of a seed")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    parser.add_argument("--trace", action="store_true", help="print every request and fault as it happens")
    parser.add_argument("--planted", nargs="*", default=None, metavar="BUG", help="look for these planted bugs, or all")
    asked = parser.parse_args()
    if asked.planted is not None:
        asked.planted = asked.planted or list(planted.BUGS)
    return asked


def _seeds(asked: argparse.Namespace) -> dict[str, object]:
    outcomes = list(_run(asked))
    fired: Counter[str] = Counter()
    for outcome in outcomes:
        fired.update(outcome.fired)
    return {
        "seeds": len(outcomes),
        "orders": sum(outcome.orders for outcome in outcomes),
        "faults_fired": dict(sorted(fired.items())),
        "failed_seeds": sorted(outcome.seed for outcome in outcomes if outcome.problems),
        "lost": sum(outcome.lost for outcome in outcomes),
        "doubled": sum(outcome.doubled for outcome in outcomes),
    }


def _run(asked: argparse.Namespace) -> Iterator[Outcome]:
    seeds = range(asked.first, asked.first + asked.seeds)
    if asked.jobs == 1 or asked.trace:
        for seed in seeds:
            yield _told(run_seed(seed, orders=asked.orders, trace=asked.trace))
        return
    with ProcessPoolExecutor(asked.jobs, initializer=quieten) as pool:
        for outcome in pool.map(_whole, [(seed, asked.orders) for seed in seeds]):
            yield _told(outcome)


def _whole(one: tuple[int, int]) -> Outcome:
    return run_seed(one[0], orders=one[1])


def _told(outcome: Outcome) -> Outcome:
    for problem in outcome.problems:
        print(f"seed {outcome.seed}: {problem}", flush=True)
    return outcome


def _planted(asked: argparse.Namespace) -> dict[str, object]:
    """Each bug against one seed after another, until one shows it."""
    jobs = [(bug, asked.first, asked.seeds, asked.orders) for bug in asked.planted]
    caught: dict[str, int | None] = {}
    with ProcessPoolExecutor(asked.jobs, initializer=quieten) as pool:
        for bug, seed, problem in pool.map(_hunt, jobs):
            caught[bug] = seed
            print(f"{bug}: {'MISSED' if seed is None else f'seed {seed}: {problem}'}", flush=True)
    return {
        "planted": len(caught),
        "caught": sum(seed is not None for seed in caught.values()),
        "seed_of": caught,
        "missed": sorted(bug for bug, seed in caught.items() if seed is None),
    }


def _hunt(job: tuple[str, int, int, int]) -> tuple[str, int | None, str]:
    bug, first, count, orders = job
    for seed in range(first, first + count):
        with planted.planted(bug):
            found = run_seed(seed, orders=orders, reference=False)
            if not found.problems:
                continue
        return bug, seed, found.problems[0]
    return bug, None, ""


if __name__ == "__main__":
    sys.exit(main())
