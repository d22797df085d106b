"""One label for each parcel, and none for what was cancelled in time."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.simulation.judges.verdict import Verdict
from tests.simulation.story import HELD
from tests.simulation.witness import Witness

_READ_WITHIN_S = 240.0


def gone_parcels(
    database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]]
) -> Counter[tuple[str, str]]:
    """Parcels of cancelled orders that had left before anyone could know, by their order.

    The carrier had scanned them before the order was read again after its cancellation, or it refused to void.
    """
    scanned: dict[str, float] = {}
    for fact in facts:
        if fact["kind"] == "parcel_scanned":
            at_s = witness.seconds(fact["at"])
            scanned[fact["label_id"]] = min(scanned.get(fact["label_id"], at_s), at_s)
    voided = {fact["label_id"] for fact in facts if fact["kind"] == "label_voided"}
    ended = {
        (fact["store"], str(fact["order_id"])): witness.seconds(fact["at"])
        for fact in facts
        if fact["kind"] == "cancel_acknowledged"
    }
    tried = database.execute(
        "SELECT json_extract(command, '$.label') FROM outbox WHERE verb = 'void_label' AND state != 'pending'"
    )
    refused = {row[0] for row in tried} - voided
    gone: Counter[tuple[str, str]] = Counter()
    for fact, order in _labels_bought(database, facts):
        label = fact["label_id"]
        if order not in ended or label in voided or label not in scanned:
            continue
        known_s = min((read_s for read_s in witness.read[order] if read_s >= ended[order]), default=float("inf"))
        gone[order] += scanned[label] <= known_s + _READ_WITHIN_S or label in refused
    return gone


def _labels_bought(
    database: sqlite3.Connection, facts: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], tuple[str, str]]]:
    """Each label that was asked for, with its order. Both stores have orders of the same numbers: only the command
    tells whose shipment it is."""
    asked = database.execute(
        "SELECT DISTINCT json_extract(command, '$.external_shipment_id'), json_extract(command, '$.storefront')"
        " FROM outbox WHERE verb = 'buy_label'"
    )
    stores = {shipment: storefront.partition(":")[2] for shipment, storefront in asked}
    for fact in facts:
        if fact["kind"] == "label_requested" and fact["external_shipment_id"] in stores:
            yield fact, (stores[fact["external_shipment_id"]], str(fact["external_order_id"]).rpartition("/")[2])


def judge_labels(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """One label for each parcel, and none for what is cancelled."""
    voided = {fact["label_id"] for fact in facts if fact["kind"] == "label_voided"}
    bought = [fact for fact in facts if fact["kind"] == "label_requested" and fact["label_id"] not in voided]
    living = Counter(str(fact["external_order_id"]).rpartition("/")[2] for fact in bought)
    shipments = Counter(fact["external_shipment_id"] for fact in bought)
    for shipment, count in shipments.items():
        if count > 1:
            verdict.doubled += count - 1
            verdict.problems.append(f"{count} labels for the shipment {shipment}")
    parcels = Counter(
        (fact["store"], str(fact["order_id"]).rpartition("/")[2]) for fact in facts if fact["kind"] == "order_fulfilled"
    )
    numbers = Counter(number for (_, number) in witness.orders)
    wanted: Counter[str] = Counter()
    for (_, number), count in gone_parcels(database, witness, facts).items():
        wanted[number] += count
    for (store, number), order in witness.orders.items():
        if order.cancelled_at is None:
            works = sum(
                any(row.line.requires_shipping and row.total for row in work.lines) for work in order.fulfillment_orders
            )
            wanted[number] += works
            if parcels[store, number] != works:
                verdict.doubled += max(parcels[store, number] - works, 0)
                verdict.problems.append(f"{store} {order.name}: {parcels[store, number]} parcels told of, not {works}")
    for number in numbers:
        if living[number] != wanted[number]:
            verdict.doubled += max(living[number] - wanted[number], 0)
            verdict.problems.append(f"order {number}: {living[number]} labels kept for {wanted[number]} parcels")


def judge_late_labels(
    database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict
) -> None:
    """A label bought after the cancellation is forgiven only if the order was read before it, a moment ago."""
    cancelled = {(f["store"], str(f["order_id"])): f["at"] for f in facts if f["kind"] == "cancel_acknowledged"}
    for fact, order in _labels_bought(database, facts):
        if order not in cancelled or cancelled[order] >= fact["at"]:
            continue
        bought_s, ended_s = witness.seconds(fact["at"]), witness.seconds(cancelled[order])
        if not any(bought_s - _READ_WITHIN_S <= read_s <= ended_s for read_s in witness.read[order]):
            verdict.problems.append(f"a label was bought for {order}, which was cancelled and not looked at")


def judge_held_labels(
    database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict
) -> None:
    """Nothing is labelled while its store holds it."""
    held = {(one.store, one.order_id) for one in witness.planned if one.what in HELD}
    released = {(f["store"], str(f["order_id"])): f["at"] for f in reversed(facts) if f["kind"] == "hold_released"}
    for fact, order in _labels_bought(database, facts):
        if order in held and (order not in released or fact["at"] < released[order]):
            verdict.problems.append(f"a label was bought for {order}, which is held")
