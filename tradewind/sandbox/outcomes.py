"""The truth by order: what became of each one, and where it must stand in anybody's books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from tradewind.sandbox.truth import Truth

Facts = list[dict[str, Any]]
Key = tuple[str, str]

# An order that has left: how far its parcels are is only known when the carrier's messages have arrived.
ON_ITS_WAY: Final = ("shipped", "delivered", "delivery_failed")


def order_outcomes(truth: Truth) -> list[dict[str, Any]]:
    """Every accepted order with all that happened to it; times as ISO 8601 or None, money in the shop's smallest units.

    label_requests: [{label_id, external_shipment_id, requested_at, voided_at, scans}], by the order they were made for.
    returns: {return id: OPEN, CLOSED, DECLINED or CANCELED}. disputes: {dispute id: its last status}. ends: one of
    these words must hold of the order once everything is told and done.
    """
    known = _Known(truth)
    return [known.outcome(fact) for fact in truth.of("order_accepted")]


class _Known:
    """Facts by order."""

    def __init__(self, truth: Truth) -> None:
        self._of = {
            kind: _by_order(truth.of(kind))
            for kind in (
                *("cancel_acknowledged", "order_fulfilled", "order_edited", "order_held", "hold_released"),
                *("order_refunded", "return_opened", "return_closed", "payment_authorised"),
            )
        }
        self._disputes: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for fact in truth.of("dispute_opened") + truth.of("dispute_closed"):
            self._disputes[fact["payment_id"]][fact["dispute_id"]] = fact["status"]
        self._given_back = {fact["payment_id"] for fact in truth.of("refunded")}
        self._labels = _labels(truth)

    def outcome(self, accepted: dict[str, Any]) -> dict[str, Any]:
        """What became of one order."""
        key = _key(accepted)
        known: dict[str, Facts] = {kind: found.get(key, []) for kind, found in self._of.items()}
        shown = {
            "store": accepted["store"],
            "order_id": accepted["order_id"],
            "name": accepted["name"],
            "total_minor": accepted["total_minor"],
            "currency": accepted["currency"],
            "presentment_minor": accepted["presentment_minor"],
            "presentment_currency": accepted["presentment_currency"],
            "accepted_at": accepted["at"].isoformat(),
            "cancelled_at": _first(known["cancel_acknowledged"]),
            "fulfilled_at": _first(known["order_fulfilled"]),
            "edits": len(known["order_edited"]),
            "on_hold": len(known["order_held"]) > len(known["hold_released"]),
            "refunded_minor": sum(fact["amount_minor"] for fact in known["order_refunded"]),
            "refunded_at_processor": any(
                fact["payment_id"] in self._given_back for fact in known["payment_authorised"]
            ),
            "returns": _returns(known["return_opened"], known["return_closed"]),
            "disputes": self._disputes_of(known["payment_authorised"]),
            "label_requests": self._labels.get(key[1], []),
        }
        return {**shown, "ends": _ends(shown, known)}

    def _disputes_of(self, payments: Iterable[dict[str, Any]]) -> dict[str, str]:
        return {number: status for fact in payments for number, status in self._disputes[fact["payment_id"]].items()}


def _ends(shown: dict[str, Any], known: dict[str, Facts]) -> list[str]:
    """The most that asks for attention comes first, as it does for whoever works on the order."""
    if {"needs_response", "under_review"} & set(shown["disputes"].values()):
        return ["disputed"]
    if "OPEN" in shown["returns"].values():
        return ["return_requested"]
    if shown["cancelled_at"] is not None:
        # A parcel that the carrier had taken cannot be called back: it is expected.
        left = any(label["scans"] for label in shown["label_requests"])
        return ["return_requested", "returned"] if left else ["cancelled"]
    return _standing_ends(shown, known)


def _standing_ends(shown: dict[str, Any], known: dict[str, Facts]) -> list[str]:
    if shown["fulfilled_at"] is None:
        return ["on_hold"] if shown["on_hold"] else ["completed"]
    back = {number for number, status in shown["returns"].items() if status == "CLOSED"}
    units_back = sum(fact["units"] for fact in known["return_opened"] if fact["return_id"] in back)
    units_back += sum(fact["units_back"] for fact in known["order_refunded"])
    if units_back >= sum(fact["units"] for fact in known["order_fulfilled"]):
        return ["returned"]
    if any(fact["whole"] for fact in known["order_refunded"]):
        return ["refunded"]
    ends = list(ON_ITS_WAY)
    if shown["refunded_minor"] or shown["refunded_at_processor"] or "lost" in shown["disputes"].values():
        ends += ["partially_refunded", "refunded"]
    return ends


def _labels(truth: Truth) -> dict[str, list[dict[str, Any]]]:
    voided = {fact["label_id"]: fact["at"] for fact in truth.of("label_voided")}
    scans: defaultdict[str, list[str]] = defaultdict(list)
    for fact in truth.of("parcel_scanned"):
        scans[fact["label_id"]].append(fact["step"])
    labels: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for fact in truth.of("label_requested"):
        at = voided.get(fact["label_id"])
        request = {
            "label_id": fact["label_id"],
            "external_shipment_id": fact["external_shipment_id"],
            "requested_at": fact["at"].isoformat(),
            "voided_at": at.isoformat() if at else None,
            "scans": scans[fact["label_id"]],
        }
        labels[_bare(fact["external_order_id"])].append(request)
    return labels


def _returns(opened: Facts, closed: Facts) -> dict[str, str]:
    return {fact["return_id"]: "OPEN" for fact in opened} | {fact["return_id"]: fact["status"] for fact in closed}


def _by_order(facts: Facts) -> dict[Key, Facts]:
    found: defaultdict[Key, Facts] = defaultdict(list)
    for fact in facts:
        found[_key(fact)].append(fact)
    return found


def _key(fact: dict[str, Any]) -> Key:
    return fact["store"], _bare(fact["order_id"])


def _bare(order_id: str | None) -> str:
    """The number at the end of `gid://shopify/Order/123`."""
    return (order_id or "").rpartition("/")[2]


def _first(facts: Facts) -> str | None:
    return facts[0]["at"].isoformat() if facts else None
