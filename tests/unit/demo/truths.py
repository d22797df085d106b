"""What a sandbox could have seen, and what a ledger could have of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(seconds: float | None) -> str | None:
    return None if seconds is None else (AT + timedelta(seconds=seconds)).isoformat()


def label(
    label_id: str = "se-1",
    *,
    requested_s: float = 1.0,
    voided_s: float | None = None,
    shipment: str | None = None,
    scans: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "label_id": label_id, "external_shipment_id": shipment or f"tw-{label_id}", "requested_at": at(requested_s),
        "voided_at": at(voided_s), "scans": scans or [],
    }  # fmt: skip


def order(
    number: int = 1,
    *,
    labels: list[dict[str, Any]] | None = None,
    cancelled_s: float | None = None,
    fulfilled_s: float | None = None,
    total_minor: int = 1250,
    ends: list[str] | None = None,
) -> dict[str, Any]:
    """One that was accepted at second 0. ends: what must be true of it, by default what its times say."""
    if ends is None:
        ends = ["cancelled"] if cancelled_s is not None else ["shipped"] if fulfilled_s is not None else ["completed"]
    return {
        "store": "north", "order_id": f"order-{number}", "name": f"#{number}", "total_minor": total_minor,
        "currency": "GBP", "accepted_at": at(0), "cancelled_at": at(cancelled_s), "fulfilled_at": at(fulfilled_s),
        "label_requests": labels or [], "ends": ends,
    }  # fmt: skip


def shipped(number: int = 1, *, label_s: float = 1.0, labels: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return order(number, labels=labels or [label(f"se-{number}", requested_s=label_s)], fulfilled_s=label_s + 1)


def truth(*orders: dict[str, Any], facts: list[dict[str, Any]] | None = None, **counts: int) -> dict[str, Any]:
    """One parcel for each fulfilled order, unless facts tell of them."""
    parcels = [
        {"kind": "order_fulfilled", "store": one["store"], "order_id": one["order_id"]}
        for one in orders
        if one["fulfilled_at"] is not None
    ]
    return {"orders": list(orders), "facts": facts if facts is not None else parcels, "counts": counts}
