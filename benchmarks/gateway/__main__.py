"""`python -m benchmarks.gateway [--quick]`: prints one JSON line last.

Every server runs all the time and is measured in turns, so that what the machine does meanwhile falls on all alike.
All get the same deliveries over the same connections from one generator process. On two cores a server has one to
itself and the rest of the other; `generator_busy` says how much of a core the generator took at most, `cpu_us` what a
delivery cost its server. Ratios are of medians. The latency at half load is counted from when each delivery was due.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.gateway import servers
from benchmarks.gateway.load import Result
from benchmarks.gateway.servers import Missing, Server
from tests.postgres import postgres

CONNECTIONS = 128
MOST_PER_S = 24_000  # so many are signed beforehand for each second
WANTED = {"over_hmac_only": 0.6, "over_dj_stripe": 10.0, "over_stripe_sync_engine": 2.5, "p99_ms_half_load": 25.0}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of 1.5 seconds; under three minutes")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="of our gateway; one a core")
    arguments = parser.parse_args()
    quick, processes = arguments.quick, arguments.processes
    rounds, seconds, half_s = (2, 1.5, 6.0) if quick else (7, 3.0, 20.0)
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        running = [stack.enter_context(servers.ours(mode, processes)) for mode in ("durable", "hmac-only")]
        running += _peers(stack, missing)
        measured = _interleaved(running, rounds, seconds)
        durable = running[0]
        rate = statistics.median(each["per_s"] for each in measured["durable"]) / 2
        half = _load(durable, count=int(rate * half_s), rate=rate)
    print(json.dumps(_report(running, measured, missing, half, rate, seconds, rounds)))


def _peers(stack: ExitStack, missing: dict[str, str]) -> list[Server]:
    try:
        address = stack.enter_context(postgres())
    except Exception as error:  # no PostgreSQL for this machine: both peers are left out
        missing.update(dict.fromkeys(("dj-stripe", "stripe-sync-engine"), f"no PostgreSQL: {error}"))
        return []
    found, database = [], Path(parse_qs(urlsplit(address).query)["host"][0])
    for name, start in (("dj-stripe", servers.dj_stripe), ("stripe-sync-engine", servers.sync_engine)):
        try:
            found.append(stack.enter_context(start(database)))
        except Missing as error:
            missing[name] = str(error)
    return found


def _interleaved(running: list[Server], rounds: int, seconds: float) -> dict[str, list[dict[str, float]]]:
    measured: dict[str, list[dict[str, float]]] = defaultdict(list)
    for server in running:
        _load(server, count=200, seconds=0.5)  # what is done once is done
    for number in range(rounds):
        # Each round begins with another one.
        for server in running[number % len(running) :] + running[: number % len(running)]:
            cpu_s = server.cpu_s()
            result = _load(server, count=int(MOST_PER_S * seconds), seconds=seconds)
            cpu_us = 1e6 * (server.cpu_s() - cpu_s) / max(1, result.answered)
            figures = {"per_s": result.per_s, "cpu_us": cpu_us, "busy": result.busy, "refused": float(result.refused)}
            measured[server.name].append(figures)
            print(f"{server.name}: " + ", ".join(f"{name} {value:.3g}" for name, value in figures.items()), flush=True)
    return measured


def _load(server: Server, **what: float) -> Result:
    """One run of the generator, in a process of its own."""
    order = {"host": server.host, "port": server.port, "path": server.path, "connections": CONNECTIONS, **what}
    command = [sys.executable, "-m", "benchmarks.gateway.load"]
    ran = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=True)
    return Result(**json.loads(ran.stdout))


def _report(
    running: list[Server],
    measured: dict[str, list[dict[str, float]]],
    missing: dict[str, str],
    half: Result,
    rate: float,
    seconds: float,
    rounds: int,
) -> dict[str, Any]:
    per_s = {name: statistics.median(each["per_s"] for each in runs) for name, runs in measured.items()}
    reached = {f"over_{name.replace('-', '_')}": _over(per_s, name) for name in servers_compared()}
    reached["p99_ms_half_load"] = round(half.quantile_ms(0.99), 1)
    missed = [
        name
        for name, wanted in WANTED.items()
        if (got := reached[name]) is not None and (got > wanted if name.startswith("p99") else got < wanted)
    ]
    return {
        **reached,
        "missed": missed,
        "not_compared": missing,
        "per_s": {name: round(value) for name, value in per_s.items()},
        "cpu_us": {name: round(statistics.median(each["cpu_us"] for each in runs)) for name, runs in measured.items()},
        "refused": {name: round(sum(each["refused"] for each in runs)) for name, runs in measured.items()},
        "generator_busy": round(max(each["busy"] for runs in measured.values() for each in runs), 2),
        "half_load": {
            "rate": round(rate),
            "answered_per_s": round(half.per_s),
            "p50_ms": round(half.quantile_ms(0.5), 1),
        },
        "connections": CONNECTIONS,
        "rounds": rounds,
        "seconds": seconds,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "settings": {server.name: server.settings for server in running},
    }


def servers_compared() -> tuple[str, ...]:
    return ("hmac-only", "dj-stripe", "stripe-sync-engine")


def _over(per_s: dict[str, float], name: str) -> float | None:
    """How many times as many as that server; None when it was not measured, or answered nothing."""
    return round(per_s["durable"] / per_s[name], 2) if per_s.get(name) else None


if __name__ == "__main__":
    main()
