"""Every acknowledged event is kept and taken, every command is done."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.simulation.judges.verdict import Verdict
from tests.simulation.witness import Witness


def judge_deliveries(database: sqlite3.Connection, witness: Witness, _: Any, verdict: Verdict) -> None:
    rows = database.execute("SELECT * FROM inbox WHERE source = 'webhook'").fetchall()
    stored = {(row["connection"], row["delivery_key"]) for row in rows}
    keyed = {one for one in witness.acknowledged if not one[0].startswith("shipstation")}
    missing = keyed - stored
    unkeyed = len(witness.acknowledged - keyed)
    kept = sum(one[0].startswith("shipstation") for one in stored)
    # What a processor lists of its events is the same delivery as the webhook that tells of it.
    known = witness.sent | witness.happened
    if len(rows) > len(known):
        verdict.problems.append(f"{len(rows)} rows for {len(known)} deliveries")
    for connection, scan in sorted(witness.scans):
        account = database.execute("SELECT 1 FROM orders WHERE record LIKE ?", (f"%{scan}%",)).fetchone()
        if account is None:
            verdict.lost += 1
            verdict.problems.append(f"the scan {scan} of {connection} is in no record")
    if missing or unkeyed > kept:
        verdict.lost += len(missing) + max(unkeyed - kept, 0)
        verdict.problems.append(f"{len(missing) + max(unkeyed - kept, 0)} acknowledged deliveries are lost")
    for row in database.execute("SELECT connection, delivery_key, state, reason, topic FROM inbox"):
        if row["state"] in ("received", "claimed", "parked"):
            verdict.problems.append(f"delivery {row['connection']} {row['topic']} is left {row['state']}")
        if row["state"] == "dead" and row["delivery_key"] not in witness.poison:
            verdict.problems.append(f"delivery {row['connection']} {row['topic']} is dead: {row['reason']}")
        if row["delivery_key"] in witness.poison and row["state"] not in ("dead", "superseded", "applied"):
            verdict.problems.append(f"poison {row['delivery_key']} is {row['state']}")


def judge_watched(database: sqlite3.Connection, _: Witness, __: Any, verdict: Verdict) -> None:
    verdict.problems += [row["problem"] for row in database.execute("SELECT DISTINCT problem FROM simulation_watch")]


def judge_commands(database: sqlite3.Connection, _: Witness, __: Any, verdict: Verdict) -> None:
    for row in database.execute(
        "SELECT key, state, reason FROM outbox WHERE state IN ('pending', 'in_flight', 'dead')"
    ):
        verdict.problems.append(f"command {row['key']} is left {row['state']}: {row['reason']}")


def judge_subscriptions(_: sqlite3.Connection, witness: Witness, __: Any, verdict: Verdict) -> None:
    """What a store was once asked to tell of it tells of at the end, whatever it has removed meanwhile."""
    for store, topics in witness.topics.items():
        if missing := topics - witness.subscribed[store]:
            verdict.problems.append(f"{store} is not asked any more to tell of {', '.join(sorted(missing)[:3])}")
