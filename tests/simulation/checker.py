"""The judge. It knows the ledger's tables, by SQL, and what happened at the providers, and no code of the core."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_READ_WITHIN_S = 240.0
_PAUSE_GRACE_S = 300.0
_AFTER_SHIPPING = {"delivered", "delivery_failed", "returned", "refunded", "partially_refunded"}
_GID = re.compile(r"gid://shopify/Order/(\d+)")


@dataclass
class End:
    """How a telling ended, in what must be the same however it was told."""

    orders: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    stock: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass
class Verdict:
    problems: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    end: End = field(default_factory=End)


@dataclass
class Witness:
    """What was seen from outside: every acknowledged delivery, every reading of an order, the shelves."""

    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    sent: set[tuple[str, str]] = field(default_factory=set)
    scans: set[tuple[str, str]] = field(default_factory=set)
    read: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    shelves_before: dict[tuple[str, str, str], int] = field(default_factory=dict)
    shelves_after: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    planned: list[Any] = field(default_factory=list)
    orders: dict[tuple[str, str], Any] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    paused: list[tuple[str, float, float]] = field(default_factory=list)
    started_at: datetime | None = None

    def note(self, at_s: float, delivered: bool, request: Any, status: int) -> None:
        """A request was answered. delivered: it was a webhook to the gateway."""
        if delivered:
            name = _name_of(request)
            self.sent.add(name)
            if 200 <= status < 300:
                self.acknowledged.add(name)
                self._note_scan(request, name[0])
        elif "/graphql.json" in request.url.path and status < 300:
            store = request.url.path.split("/")[2]
            for number in set(_GID.findall(request.content.decode())):
                self.read[store, number].append(at_s)

    def _note_scan(self, request: Any, connection: str) -> None:
        if connection.startswith("shipstation"):
            told = json.loads(request.content).get("data") or {}
            for event in told.get("events", ()):
                at = datetime.fromisoformat(event["occurred_at"]).astimezone(UTC).isoformat()
                self.scans.add((connection, f"tracking/{told['tracking_number']}/{at}"))

    def note_start(self, sandbox: Any) -> None:
        self.started_at = sandbox.clock.now()
        self.shelves_before = {place: held[0] for place, held in _shelves(sandbox).items()}

    def note_end(self, sandbox: Any, planned: list[Any], poison: list[str], paused: list[Any]) -> None:
        self.shelves_after = _shelves(sandbox)
        self.planned, self.poison, self.paused = planned, set(poison), paused
        self.orders = {(one.store, one.order_id): sandbox.shopify[one.store].order(one.order_id)
                       for one in planned if one.order_id}  # fmt: skip


def _name_of(request: Any) -> tuple[str, str]:
    """A delivery by its connection and by what its provider promises to be the same for every repetition."""
    provider, account = request.url.path.split("/")[2:4]
    connection = f"{provider}:{account}"
    if provider == "shopify":
        return connection, request.headers["x-shopify-webhook-id"]
    told = json.loads(request.content)
    if provider == "stripe":
        return connection, told["id"]
    return connection, f"{told['resource_type']}|{told['resource_url']}|{told.get('data')}"


def judge(path: Path, witness: Witness, facts: list[dict[str, Any]]) -> Verdict:
    """Everything that must hold at the end of a telling."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    try:
        verdict = Verdict()
        for look in (_deliveries, _watched, _commands, _orders, _labels, _money, _late_labels, _pauses, _stock):
            look(database, witness, facts, verdict)
        return verdict
    finally:
        database.close()


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


def _deliveries(database: sqlite3.Connection, witness: Witness, _: Any, verdict: Verdict) -> None:
    rows = database.execute("SELECT * FROM inbox WHERE source = 'webhook'").fetchall()
    stored = {(row["connection"], row["delivery_key"]) for row in rows}
    keyed = {one for one in witness.acknowledged if not one[0].startswith("shipstation")}
    missing = keyed - stored
    unkeyed = len(witness.acknowledged - keyed)
    kept = sum(one[0].startswith("shipstation") for one in stored)
    if len(rows) > len(witness.sent):
        verdict.problems.append(f"{len(rows)} rows for {len(witness.sent)} deliveries that were sent")
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


def _watched(database: sqlite3.Connection, _: Witness, __: Any, verdict: Verdict) -> None:
    verdict.problems += [row["problem"] for row in database.execute("SELECT DISTINCT problem FROM simulation_watch")]


def _commands(database: sqlite3.Connection, _: Witness, __: Any, verdict: Verdict) -> None:
    for row in database.execute(
        "SELECT key, state, reason FROM outbox WHERE state IN ('pending', 'in_flight', 'dead')"
    ):
        verdict.problems.append(f"command {row['key']} is left {row['state']}: {row['reason']}")


def _gone_parcels(
    database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]]
) -> Counter[tuple[str, str]]:
    """Parcels of cancelled orders that had left before anyone could know, by their order.

    The carrier had scanned them before the order was read again after its cancellation, or it refused to void.
    """
    assert witness.started_at is not None
    scanned: dict[str, float] = {}
    for fact in facts:
        if fact["kind"] == "parcel_scanned":
            at_s = (fact["at"] - witness.started_at).total_seconds()
            scanned[fact["label_id"]] = min(scanned.get(fact["label_id"], at_s), at_s)
    voided = {fact["label_id"] for fact in facts if fact["kind"] == "label_voided"}
    ended = {
        (fact["store"], str(fact["order_id"])): (fact["at"] - witness.started_at).total_seconds()
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


def _orders(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """Every order is in the books, in the state in which it is at its store."""
    gone = _gone_parcels(database, witness, facts)
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
        ships = any(line.requires_shipping for line in order.lines)
        expected = "cancelled" if order.cancelled_at else "shipped" if ships else "completed"
        acceptable = {expected} | (_AFTER_SHIPPING if expected == "shipped" else set())
        if expected == "cancelled" and gone[key]:
            acceptable = {"return_requested"}
        if row["state"] not in acceptable:
            verdict.lost += 1
            verdict.problems.append(f"{name} is {row['state']} in the books and ought to be {expected}")
        net = (row["captured"] or 0) - (row["refunded"] or 0)
        # Whether a cancelled order was captured first, or its parcel had left, is a matter of minutes.
        end = (
            ("cancelled", row["total"], net)
            if order.cancelled_at
            else (row["state"], row["total"], net, row["fully_paid"])
        )
        verdict.end.orders[f"{one.store}/{one.number}"] = end


def _labels(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
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
    for (_, number), count in _gone_parcels(database, witness, facts).items():
        wanted[number] += count
    for (store, number), order in witness.orders.items():
        if order.cancelled_at is None:
            works = sum(any(line.line.requires_shipping for line in work.lines) for work in order.fulfillment_orders)
            wanted[number] += works
            if parcels[store, number] != works:
                verdict.doubled += max(parcels[store, number] - works, 0)
                verdict.problems.append(f"{store} {order.name}: {parcels[store, number]} parcels told of, not {works}")
    for number in numbers:
        if living[number] != wanted[number]:
            verdict.doubled += max(living[number] - wanted[number], 0)
            verdict.problems.append(f"order {number}: {living[number]} labels kept for {wanted[number]} parcels")


def _money(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """What the providers took and gave back is what was meant, once, and what the books say."""
    taken: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for fact in facts:
        if fact["kind"] in ("captured", "refunded"):
            (taken if fact["kind"] == "captured" else given)[f"{fact['connection']}/{fact['payment_id']}"] += fact[
                "amount_minor"
            ]
    totals = database.execute("SELECT SUM(captured), SUM(refunded) FROM orders").fetchone()
    told = (sum(taken.values()), sum(given.values()))
    if (totals[0] or 0, totals[1] or 0) != told:
        verdict.problems.append(f"the books have {tuple(totals)} captured and refunded, the providers {told}")
    by_hand = sum(amount for key, amount in given.items() if key.startswith("stripe"))
    (known,) = database.execute("SELECT SUM(amount) FROM refund WHERE connection LIKE 'stripe%'").fetchone()
    if (known or 0) != by_hand:
        verdict.problems.append(f"refunds of {known} at the processor are in the books, {by_hand} were made")
    expected_taken = expected_given = 0
    for one in witness.planned:
        order = witness.orders.get((one.store, one.order_id))
        if order is None:
            continue
        back = sum(int(t.amount * 100) for r in order.refunds for t in r.transactions if t.status == "SUCCESS")
        if order.cancelled_at is None:
            expected_taken += int(order.total * 100)
            expected_given += back + (100 if one.what == "refund_by_hand" and one.intent else 0)
        if one.store == "north" and one.intent:
            key = f"stripe:main/{one.intent}"
            wrong = taken[key] > int(order.total * 100) or given[key] > taken[key]
            unequal = order.cancelled_at is not None and taken[key] != given[key]
            if wrong or unequal:
                verdict.doubled += 1
                verdict.problems.append(f"{order.name}: {taken[key]} taken and {given[key]} given back")
    cancelled = {(o.store, o.order_id) for o in witness.planned if witness.orders.get((o.store, o.order_id)) is not None
                 and witness.orders[o.store, o.order_id].cancelled_at is not None}  # fmt: skip
    kept = told[0] - told[1]
    if kept != expected_taken - expected_given:
        verdict.doubled += 1
        verdict.problems.append(
            f"{kept} kept of {told}, not {expected_taken - expected_given} ({len(cancelled)} cancelled)"
        )


def _late_labels(database: sqlite3.Connection, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """A label bought after the cancellation is forgiven only if the order was read before it, a moment ago."""
    cancelled = {(f["store"], str(f["order_id"])): f["at"] for f in facts if f["kind"] == "cancel_acknowledged"}
    assert witness.started_at is not None
    for fact, order in _labels_bought(database, facts):
        if order not in cancelled or cancelled[order] >= fact["at"]:
            continue
        bought_s = (fact["at"] - witness.started_at).total_seconds()
        ended_s = (cancelled[order] - witness.started_at).total_seconds()
        if not any(bought_s - _READ_WITHIN_S <= read_s <= ended_s for read_s in witness.read[order]):
            verdict.problems.append(f"a label was bought for {order}, which was cancelled and not looked at")


def _pauses(_: Any, witness: Witness, facts: list[dict[str, Any]], verdict: Verdict) -> None:
    """Nothing is written to a connection that is paused."""
    assert witness.started_at is not None
    for connection, began_s, ended_s in witness.paused:
        for fact in facts:
            at_s = (fact["at"] - witness.started_at).total_seconds()
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


def _stock(database: sqlite3.Connection, witness: Witness, _: Any, verdict: Verdict) -> None:
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


def _shelves(sandbox: Any) -> dict[tuple[str, str, str], tuple[int, int]]:
    """On hand and committed, by store, location number and SKU."""
    found = {}
    for account, store in sandbox.shopify.items():
        for product in store.catalog.products.values():
            for variant in product.variants:
                for level in store.stock.of_item(variant.item_id):
                    held = (level.quantity("on_hand"), level.quantity("committed"))
                    found[account, str(level.location_id), variant.sku] = held
    return found
