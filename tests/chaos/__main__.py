"""`python -m tests.chaos --kills 200`: prints what happens, and the result as one JSON line last.

Talks to loopback alone, and ends the processes that it started. Exit code 1 when anything was lost, doubled or left.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.chaos.databases import DATABASES, database_url
from tests.chaos.run import Run
from tradewind.settings import Settings
from tradewind.stack.ports import free_port


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    databases = DATABASES if arguments.database == "both" else (arguments.database,)
    results = {kind: one_run(kind, arguments) for kind in databases}
    print(json.dumps(results))
    return 0 if all(is_clean(result) for result in results.values()) else 1


def one_run(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One run in a state folder of its own, which is left for whoever looks for the cause when it fails."""
    folder = Path(tempfile.mkdtemp(prefix="tw-chaos-"))
    with database_url(kind, folder) as url:
        settings = Settings(
            state_dir=folder, database_url=url, gateway_port=free_port(), prefect_port=free_port(),
            window_s=60.0, sweep_interval_s=10.0,
        )  # fmt: skip
        run = Run(settings, seed=arguments.seed, faults=arguments.faults, say=lambda line: print(line, flush=True))
        try:
            result = run.result(kills=arguments.kills, server_away_s=arguments.server_away_s)
        except Exception:
            print(f"What the parts wrote is in {folder}", file=sys.stderr)
            raise
    if is_clean(result):
        shutil.rmtree(folder)
    return result


def is_clean(result: dict[str, Any]) -> bool:
    """Nothing lost, doubled, shipped after it was cancelled, or left; the books have the providers' money."""
    money = result["money"]
    return (
        not any(result[name] for name in ("lost", "duplicate_shipments", "shipped_after_cancel", "throttled"))
        and not any(result["left_over"].values())
        and money["captured_minor"] == money["books_captured_minor"]
        and money["refunded_minor"] == money["books_refunded_minor"]
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many times a process is killed")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", choices=("none", "mild", "hostile"), default="mild", help="of the sandbox")
    parser.add_argument(
        "--server-away-s", type=float, default=120.0, help="how long Prefect's server hangs, at the end"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
