"""The judges' common word on a telling, and on two tellings of one story."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.simulation.judges.deliveries import (
    judge_commands,
    judge_deliveries,
    judge_subscriptions,
    judge_watched,
)
from tests.simulation.judges.money import judge_disputes, judge_money
from tests.simulation.judges.orders import judge_orders
from tests.simulation.judges.parcels import judge_held_labels, judge_labels, judge_late_labels
from tests.simulation.judges.stock import judge_stock
from tests.simulation.judges.verdict import End, Verdict
from tests.simulation.judges.writes import judge_pauses, judge_replays, judge_risks
from tests.simulation.witness import Witness

JUDGES = (
    judge_deliveries,
    judge_watched,
    judge_commands,
    judge_subscriptions,
    judge_orders,
    judge_labels,
    judge_money,
    judge_disputes,
    judge_late_labels,
    judge_held_labels,
    judge_risks,
    judge_pauses,
    judge_replays,
    judge_stock,
)


def judge(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]]) -> Verdict:
    """Everything that must hold at the end of a telling."""
    database.row_factory = sqlite3.Row
    verdict = Verdict()
    for look in JUDGES:
        look(database, witness, facts, verdict)
    return verdict


def differences(one: End, other: End) -> list[str]:
    """Where two tellings of one story ended differently."""
    found = [
        f"{name}: {one.orders.get(name)} with faults, {other.orders.get(name)} in order"
        for name in sorted(one.orders.keys() | other.orders.keys())
        if one.orders.get(name) != other.orders.get(name)
    ]
    if one.stock != other.stock:
        places = sorted(p for p in one.stock.keys() | other.stock.keys() if one.stock.get(p) != other.stock.get(p))
        found.append(f"stock differs at {places[:3]}")
    return found
