"""The verdict: what the sandbox knows to have happened, against what tradewind has in its books.

The sandbox shares no code with the core, so that a shared mistake cannot hide.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text

from tradewind.ledger import inbox, outbox
from tradewind.ledger.engine import Ledger
from tradewind.sync.runner import UNFINISHED_COMMANDS, UNFINISHED_DELIVERIES

_MOVED = ("captured", "refunded")


def judge_orders(truth: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    """Counts of what went well and what must not happen, and how long orders took.

    lost: accepted by a store and not in the books, or there in a state that is not its right end. latency: from the
    moment the store accepts an order to the carrier's label request, in seconds.
    """
    orders = truth["orders"]
    recorded, parcels = _recorded(ledger), _parcels(truth)
    lost = [order["name"] for order in orders if _is_lost(order, recorded.get(_id(order)))]
    waits = [_seconds(order["accepted_at"], _first_label(order)) for order in orders if order["label_requests"]]
    return {
        "orders_placed": len(orders),
        "orders_shipped": sum(order["fulfilled_at"] is not None for order in orders),
        "orders_cancelled": sum(order["cancelled_at"] is not None for order in orders),
        "lost": len(lost),
        "lost_orders": lost[:20],
        "duplicate_shipments": sum(_duplicates(order, parcels[_id(order)]) for order in orders),
        "shipped_after_cancel": sum(map(_labels_after_cancel, orders)),
        "throttled": truth["counts"].get("throttled", 0),
        "latency_p50_s": percentile(waits, 0.50),
        "latency_p99_s": percentile(waits, 0.99),
    }


def judge_money(truth: dict[str, Any], ledger: Ledger) -> dict[str, int]:
    """Captured and refunded, in the shops' minor units, as the providers have it and as the books have it.

    What was paid in another currency is converted payment by payment, on both sides alike.
    """
    rates = _rates(truth)
    moved: Counter[tuple[str, str | None]] = Counter()
    for fact in truth["facts"]:
        if fact["kind"] in _MOVED:
            moved[fact["kind"], fact.get("payment_id")] += fact["amount_minor"]
    with ledger.read() as database:
        for row in database.execute(text("SELECT payment_external_id, captured, refunded FROM v_payments")):
            for kind in _MOVED:
                moved[f"books_{kind}", row.payment_external_id] += getattr(row, kind)
    total = {f"{side}{kind}": 0 for side in ("", "books_") for kind in _MOVED}
    for (kind, payment), amount in moved.items():
        total[kind] += round(amount * rates.get(payment, 1))
    return {f"{kind}_minor": amount for kind, amount in total.items()}


def left_over(ledger: Ledger) -> dict[str, int]:
    """Deliveries and commands that are not finished, by state."""
    with ledger.read() as database:
        deliveries, commands = inbox.counts(database), outbox.counts(database)
    waiting = {f"inbox_{state}": deliveries[state] for state in ("received", "claimed", "parked", "dead")}
    return waiting | {f"outbox_{state}": commands[state] for state in ("pending", "in_flight", "dead")}


def waits(left: dict[str, int]) -> bool:
    """Whether something of what is left over goes on by itself."""
    return any(left[f"inbox_{state}"] for state in UNFINISHED_DELIVERIES) or any(
        left[f"outbox_{state}"] for state in UNFINISHED_COMMANDS
    )


def recorded_documents(ledger: Ledger) -> dict[str, int]:
    """Documents of the back office that are in the books, by kind."""
    with ledger.read() as database:
        rows = database.execute(text("SELECT kind, COUNT(*) AS documents FROM v_journal GROUP BY kind")).all()
    return {str(row.kind): int(row.documents) for row in rows}


def settled(truth: dict[str, Any]) -> bool:
    """Every accepted order is shipped or cancelled, and no label of a cancelled one is left to be given back."""
    return all(
        order["fulfilled_at"] is not None or (order["cancelled_at"] is not None and not _can_be_recalled(order))
        for order in truth["orders"]
        if order["total_minor"] or order["label_requests"]
    )


def _recorded(ledger: Ledger) -> dict[tuple[str, str], str]:
    with ledger.read() as database:
        rows = database.execute(text("SELECT connection, external_id, state FROM v_orders")).all()
    return {
        (connection.partition(":")[2], external_id.rpartition("/")[2]): state for connection, external_id, state in rows
    }


def _id(order: dict[str, Any]) -> tuple[str, str]:
    return order["store"], str(order["order_id"]).rpartition("/")[2]


def _is_lost(order: dict[str, Any], state: str | None) -> bool:
    return state is None or state not in order["ends"]


def _rates(truth: dict[str, Any]) -> dict[str | None, Fraction]:
    """For payments at the processor: so much of the shop's money for one unit of what the card was charged in."""
    return {
        fact["payment_id"]: Fraction(fact["shop_minor"], fact["amount_minor"])
        for fact in truth["facts"]
        if fact["kind"] == "payment_authorised"
    }


def _first_label(order: dict[str, Any]) -> str:
    return min(str(request["requested_at"]) for request in order["label_requests"])


def _live_labels(order: dict[str, Any]) -> list[dict[str, Any]]:
    return [request for request in order["label_requests"] if request["voided_at"] is None]


def _can_be_recalled(order: dict[str, Any]) -> bool:
    """Whether a parcel has a label that counts, and that the carrier has not taken: it can be given back."""
    return any(not request["scans"] for request in _live_labels(order))


def _duplicates(order: dict[str, Any], parcels: int) -> int:
    """Labels that were bought and kept beyond the parcels that the store was told of."""
    shipments = Counter(request["external_shipment_id"] for request in _live_labels(order))
    twice = sum(count - 1 for count in shipments.values())
    return max(twice, len(_live_labels(order)) - parcels if parcels else 0)


def _parcels(truth: dict[str, Any]) -> Counter[tuple[str, str]]:
    return Counter(_id(fact) for fact in truth["facts"] if fact["kind"] == "order_fulfilled")


def _labels_after_cancel(order: dict[str, Any]) -> int:
    cancelled_at = order["cancelled_at"]
    if cancelled_at is None:
        return 0
    return sum(_seconds(cancelled_at, request["requested_at"]) > 0 for request in _live_labels(order))


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile, to three decimals; None of nothing."""
    return round(float(np.quantile(values, share, method="inverted_cdf")), 3) if values else None


def books_of(state_dir: Path) -> dict[str, Any]:
    """What the last reconciliation found: checked, discrepancies by kind, repaired, left. Empty when none has ended."""
    return _published(state_dir, "books")


def validations_of(state_dir: Path) -> dict[str, Any]:
    """What the last reconciliation's expectations say: how many were checked and which failed."""
    return _published(state_dir, "validations")


def _published(state_dir: Path, part: str) -> dict[str, Any]:
    file = state_dir / "books" / "latest.json"
    found: dict[str, Any] = json.loads(file.read_text())[part] if file.exists() else {}
    return found
