"""Every order is in the books, in the state in which it is at its store."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.simulation.judges.parcels import gone_parcels
from tests.simulation.judges.verdict import Verdict
from tests.simulation.witness import Witness


def judge_orders(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """Every order is in the books, in the state in which it is at its store."""
    gone = gone_parcels(database, witness, facts)
    ends = {(told["store"], str(told["order_id"])): set(told["ends"]) for told in witness.accounts}
    recorded = {(r["connection"].partition(":")[2], r["external_id"].rpartition("/")[2]): r
                for r in database.execute("SELECT * FROM orders")}  # fmt: skip
    for one in witness.planned:
        key = (one.store, one.order_id)
        row, order = recorded.get(key), witness.orders.get(key)
        name = f"{one.store} {order.name if order else one.number} ({one.what})"
        if row is None or order is None:
            verdict.lost += 1
            verdict.problems.append(f"{name} is not in the books")
            continue
        expected = set(ends[key])
        if one.what == "quantity_lowered":
            expected |= {"partially_refunded"}  # what was taken too much goes back by itself
        if order.cancelled_at is not None:
            expected = {"return_requested"} if gone[key] else {"cancelled"}
        if row["state"] not in expected:
            verdict.lost += 1
            verdict.problems.append(f"{name} is {row['state']} in the books and ought to be {sorted(expected)}")
        verdict.end.orders[f"{one.store}/{one.number} ({one.what})"] = _end(one, row, order)


def _end(one: Any, row: sqlite3.Row, order: Any) -> tuple[Any, ...]:
    """Where an order ended, in what does not hang on minutes."""
    net = (row["captured"] or 0) - (row["refunded"] or 0)
    if order.cancelled_at is not None:
        # Whether it was captured first, or its parcel had left, is a matter of minutes.
        return "cancelled", row["total"], net
    if one.what == "quantity_lowered":
        # So is whether its money was taken before the merchant changed it, and some of it given back then.
        return row["fulfilment_state"], row["total"], net
    return row["state"], row["total"], net, row["fully_paid"]
