"""What the movements say is what lies on the shelves."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from tests.simulation.judges.verdict import Verdict
from tests.simulation.witness import Witness


def judge_stock(database: sqlite3.Connection, witness: Witness, _: Any, verdict: Verdict) -> None:
    """What the movements say is what lies on the shelves."""
    moved: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in database.execute(
        "SELECT sku, location, kind, SUM(quantity) AS units FROM stock_movement GROUP BY 1, 2, 3"
    ):
        on_hand, reserved = {
            "reserved": (0, 1), "released": (0, -1), "shipped": (-1, -1), "returned": (1, 0), "adjusted": (1, 0),
            "counted": (1, 0),
        }[row["kind"]]  # fmt: skip
        place = (row["sku"], row["location"].rpartition("/")[2])
        moved[place][0] += on_hand * row["units"]
        moved[place][1] += reserved * row["units"]
    for (store, location, sku), (on_hand, committed) in witness.shelves_after.items():
        change = on_hand - witness.shelves_before[store, location, sku]
        said = moved.get((sku, location), [0, 0])
        if (change, committed) != tuple(said):
            verdict.problems.append(
                f"stock of {sku} at {store} {location}: {said} moved, {(change, committed)} at the store"
            )
        if change or committed:
            verdict.end.stock[sku, location] = (said[0], said[1])
