"""`python -m tests.mutation ROOM [--sample N] [--seed N]`: change the code of a room, and see whether its tests notice.

Prints the mutants that no test noticed, each with its change, and one JSON line of counts last. It works in a copy of
the project, one mutant at a time, each held against the tests that call its function; the ledger is SQLite. What a
decorator wraps, properties among it, is not changed: mutmut leaves it alone.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = {
    "domain": ("tests/unit/domain",),
    "ledger": ("tests/unit/ledger", "tests/integration/ledger"),
    "sync": ("tests/unit/sync", "tests/integration/sync"),
}
UNSEEN = {"survived", "no tests"}


@dataclass(frozen=True)
class Copy:
    """A copy of the project in which one room's code is changed."""

    folder: Path
    room: str

    def make(self) -> None:
        """The files that git knows, as they are now, and the configuration of mutmut."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
        for name in names:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
        with (self.folder / "pyproject.toml").open("a") as file:
            file.write(self._configuration(sorted({name.partition("/")[0] for name in names})))

    def run(self, *mutants: str) -> None:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *mutants]
        subprocess.run(command, cwd=self.folder, stdout=sys.stderr, check=False)

    def mutants(self) -> dict[str, str]:
        """The state of every mutant."""
        lines = (line.strip().partition(": ") for line in self._told("results", "--all", "true").splitlines())
        return {name: state for name, _, state in lines if state}

    def change(self, mutant: str) -> str:
        """What the mutant has otherwise, as a diff."""
        return self._told("show", mutant)

    def _told(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "mutmut", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def _configuration(self, copied: list[str]) -> str:
        values = {
            "source_paths": ["tradewind"],
            "only_mutate": [f"tradewind/{self.room}/*.py"],
            "do_not_mutate": ["tradewind/ledger/migrations/*"],  # what was applied once is never changed again
            "also_copy": [name for name in copied if name not in ("tradewind", "tests")],
            "pytest_add_cli_args": ["-n", "0", "--timeout", "0", "-p", "no:cacheprovider", "-k", "not postgresql"],
            "pytest_add_cli_args_test_selection": list(TESTS[self.room]),
            # A pool of threads that earlier tests used has none in a process that is forked from theirs.
            "process_isolation": "forkserver",
        }
        return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("room", choices=TESTS)
    parser.add_argument("--sample", type=int, help="so many of the room's mutants, drawn by the seed; all otherwise")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="work in this folder, and leave it: a second run goes on there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tw-mutation-") as folder:
        copy = Copy(options.keep or Path(folder), options.room)
        print(json.dumps(examine(copy, options.sample, options.seed)))


def examine(copy: Copy, sample: int | None, seed: int) -> dict[str, str | int | float]:
    """Counts by state of the mutants that were tried."""
    started = time.monotonic()
    if not (copy.folder / "pyproject.toml").exists():
        copy.make()
    # Nothing has this name: it makes the mutants, and measures which test calls which function.
    copy.run("none")
    every = sorted(copy.mutants())
    if not every:
        raise SystemExit("the tests do not pass unchanged, or do not run in a copy: see above")
    drawn = every if sample is None else sorted(random.Random(seed).sample(every, min(sample, len(every))))
    copy.run(*drawn)
    states = {name: state for name, state in copy.mutants().items() if name in set(drawn)}
    for name in sorted(name for name, state in states.items() if state in UNSEEN):
        print(f"# {states[name]}\n{copy.change(name)}")
    took = {"seconds": round(time.monotonic() - started)}
    return {"room": copy.room, "of": len(every), "seed": seed, **Counter(states.values()), **took}


if __name__ == "__main__":
    main()
