"""When something was written that must not be written then."""

from __future__ import annotations

from typing import Any

from tests.simulation.judges.verdict import Verdict
from tests.simulation.witness import Witness

_PAUSE_GRACE_S = 300.0
_REPLAYS = 2
"""Whoever died before they could say so asks again."""


def judge_pauses(_: Any, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """Nothing is written to a connection that is paused."""
    for connection, began_s, ended_s in witness.paused:
        for fact in facts:
            at_s = witness.seconds(fact["at"])
            if began_s + _PAUSE_GRACE_S < at_s < ended_s - 1.0 and _writes_to(fact, connection):
                verdict.problems.append(f"{fact['kind']} at {connection} while it was paused")


def _writes_to(fact: dict[str, Any], connection: str) -> bool:
    account = connection.partition(":")[2]
    match fact["kind"]:
        case "label_requested" | "label_voided":
            return connection.startswith("shipstation")
        case "order_fulfilled":
            return connection == f"shopify:{fact['store']}"
        case "captured":
            return connection == fact["connection"] and account == "main"
        case _:
            return False


def judge_replays(_: Any, witness: Witness, __: Any, verdict: Verdict) -> None:
    """A failure that a provider has kept under a key is its answer for ever: asking on under that key is no use."""
    for key, count in witness.front.replays.items():
        if count > _REPLAYS:
            verdict.problems.append(f"the failure that is kept under {key} was asked for {count} times")


def judge_risks(_: Any, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """While a store does not accept the risk of an order, no money is taken for it."""
    risky = {one.intent: one for one in witness.planned if one.what in ("reviewed", "fraud") and one.intent}
    accepted = {
        f["order_id"]: f["at"]
        for f in reversed(facts)
        if f["kind"] == "hold_released" and f["reason"] == "HIGH_RISK_OF_FRAUD"
    }
    for fact in facts:
        one = risky.get(fact.get("payment_id")) if fact["kind"] == "captured" else None
        if one is not None and not (one.order_id in accepted and accepted[one.order_id] <= fact["at"]):
            verdict.problems.append(f"money was taken for {one.store} {one.order_id}, whose risk is not accepted")
