"""`python -m benchmarks.inbox [--quick]`: the inbox on SQLite and on PostgreSQL. One JSON line last.

over_ceiling: claim and acknowledge in batches of 100 through `ledger.inbox`, contents left sealed, over the same work
in bare SQL through the driver, batch by batch in turn on one table. applied_per_s: deliveries claimed, decrypted,
reduced, written as order and outbox, acknowledged. claim_growth: time of a claim with 1,000,000 rows over that with
10,000. held_transaction: throughput with a long transaction open over that without; bare_ is the same of bare SQL.
key_mb: megabytes for a million pruned deliveries. Without a database's name: the worse of the two. Both commit to the
disk (SQLite: WAL, synchronous=FULL; PostgreSQL: its defaults).
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.inbox.applying import applied_per_s
from benchmarks.inbox.ceiling import over_ceiling
from benchmarks.inbox.databases import KINDS, Kind, new_ledger
from benchmarks.inbox.growth import claim_growth, held_transaction
from benchmarks.inbox.memory import bytes_per_million_keys
from tests.postgres import postgres


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inbox", description="Measure the inbox.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions; within three minutes")
    quick = parser.parse_args().quick
    began = time.perf_counter()
    with postgres() as server:
        measured = {kind: measure(kind, server, quick=quick) for kind in KINDS}
    worst = {
        "over_ceiling": min(one["over_ceiling"] for one in measured.values()),
        "claim_growth": max(one["claim_growth"] for one in measured.values()),
        "held_transaction": min(one["held_transaction"] for one in measured.values()),
    }
    applied = {kind: one["applied_per_s"] for kind, one in measured.items()}
    print(json.dumps({**worst, "applied_per_s": applied, **measured, "wall_s": round(time.perf_counter() - began, 1)}))


def measure(kind: Kind, server: str, *, quick: bool) -> dict[str, Any]:
    """Every figure of one database, each in a ledger of its own."""
    figures: dict[str, float] = {}
    with new_ledger(kind, server, "ceiling") as ledger:
        figures |= over_ceiling(ledger, batches=60 if quick else 300)
        show(kind, figures)
    with new_ledger(kind, server, "applying") as ledger:
        figures["applied_per_s"] = applied_per_s(ledger, orders=1000 if quick else 5000)
        show(kind, figures)
    with new_ledger(kind, server, "held") as ledger:
        figures |= held_transaction(ledger, rounds=3 if quick else 5, batches=40 if quick else 200)
        show(kind, figures)
    with new_ledger(kind, server, "short") as short, new_ledger(kind, server, "long") as long:
        figures |= claim_growth(short, long, few=10_000, many=1_000_000, claims=21 if quick else 51)
        show(kind, figures)
    if not quick:
        with new_ledger(kind, server, "memory") as ledger:
            figures["key_mb"] = bytes_per_million_keys(ledger, keys=1_000_000) / 1e6
    return {name: float(f"{value:.3g}") if value < 100 else round(value) for name, value in figures.items()}


def show(kind: Kind, figures: dict[str, float]) -> None:
    name = list(figures)[-1]
    print(f"{kind}: {name} {figures[name]:.3g}", flush=True)


if __name__ == "__main__":
    main()
