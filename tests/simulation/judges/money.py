"""What the providers took and gave back is what was meant, once, and what the books say."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from decimal import Decimal
from typing import Any

from tests.simulation.judges.verdict import Verdict
from tests.simulation.witness import Witness

Key = tuple[str, str]


def judge_money(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """By order: what was taken and given back at the providers, what ought to be, and what is in the books."""
    taken, given = _moved(facts)
    rows = {(r["connection"].partition(":")[2], r["external_id"].rpartition("/")[2]): r
            for r in database.execute("SELECT connection, external_id, captured, refunded FROM orders")}  # fmt: skip
    for one in witness.planned:
        key = (one.store, one.order_id)
        row, order = rows.get(key), witness.orders.get(key)
        if row is None or order is None:
            continue
        name = f"{one.store} {order.name} ({one.what})"
        told, true = (row["captured"] or 0, row["refunded"] or 0), (taken[key], given[key])
        if told != true:
            verdict.problems.append(f"{name}: the books have {told} captured and refunded, the providers {true}")
        wanted = kept_of(one, order)
        if taken[key] - given[key] != wanted or taken[key] > _pence(order.total):
            verdict.doubled += 1
            verdict.problems.append(f"{name}: {taken[key]} taken and {given[key]} given back, where {wanted} is due")
    by_hand = sum(f["amount_minor"] for f in facts if f["kind"] == "refunded" and f["connection"].startswith("stripe"))
    (known,) = database.execute("SELECT SUM(amount) FROM refund WHERE connection LIKE 'stripe%'").fetchone()
    if (known or 0) != by_hand:
        verdict.problems.append(f"refunds of {known} at the processor are in the books, {by_hand} were made")


def judge_disputes(database: sqlite3.Connection, _: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """What a bank was asked, and has decided, is in the books, with the money that it is about."""
    told = {
        dispute["external_id"]: (dispute["status"], dispute["amount"]["minor"])
        for (record,) in database.execute("SELECT record FROM orders")
        for dispute in json.loads(record)["disputes"]
    }
    last = {f["dispute_id"]: f for f in facts if f["kind"] in ("dispute_opened", "dispute_closed")}
    for name, fact in last.items():
        true = (fact["status"], fact["amount_minor"])
        if told.get(name) != true:
            verdict.problems.append(f"the dispute {name} is {told.get(name)} in the books, and {true} at the bank")


def kept_of(one: Any, order: Any) -> int:
    """What the merchant keeps of an order, in pence: what it is worth, less what was given back for nothing."""
    if order.cancelled_at is not None:
        return 0
    back = sum((t.amount for made in order.refunds for t in made.transactions if t.status == "SUCCESS"), Decimal(0))
    by_hand = 100 if one.what == "refund_by_hand" and one.intent else 0
    return _pence(order.current_total + _worth_taken_off(order) - back + one.excess) - by_hand


def _worth_taken_off(order: Any) -> Decimal:
    """What was taken off the order by refunds, for money."""
    worth = Decimal(0)
    for made in order.refunds:
        worth += sum((row.subtotal for row in made.lines), Decimal(0)) + made.shipping
    return worth


def _moved(facts: list[dict[str, Any]]) -> tuple[Counter[Key], Counter[Key]]:
    """What was taken and given back, by order."""
    owners = {f["payment_id"]: (f["store"], str(f["order_id"])) for f in facts if f["kind"] == "payment_authorised"}
    moved: dict[str, Counter[Key]] = {"captured": Counter(), "refunded": Counter()}
    for fact in facts:
        if fact["kind"] in moved:
            account = fact["connection"].partition(":")[2]
            owner = owners.get(fact["payment_id"]) or (account, str(fact.get("order_id")))
            moved[fact["kind"]][owner] += fact["amount_minor"]
    return moved["captured"], moved["refunded"]


def _pence(amount: Decimal) -> int:
    return int(amount * 100)
