"""The truth by order: what became of each one."""

from typing import Any

from tradewind.sandbox.truth import Truth


def order_outcomes(truth: Truth) -> list[dict[str, Any]]:
    """Every accepted order with its cancellation, label requests and shipment; times as ISO 8601 or None.

    label_requests: [{label_id, external_shipment_id, requested_at, voided_at}], by the order they were made for.
    """
    voided = {fact["label_id"]: fact["at"] for fact in truth.of("label_voided")}
    cancelled = {_key(fact): fact["at"] for fact in truth.of("cancel_acknowledged")}
    fulfilled: dict[tuple[str, str], Any] = {}
    for fact in truth.of("order_fulfilled"):
        fulfilled.setdefault(_key(fact), fact["at"])
    labels: dict[str, list[dict[str, Any]]] = {}
    for fact in truth.of("label_requested"):
        request = {
            "label_id": fact["label_id"],
            "external_shipment_id": fact["external_shipment_id"],
            "requested_at": fact["at"].isoformat(),
            "voided_at": _iso(voided.get(fact["label_id"])),
        }
        labels.setdefault(_bare(fact["external_order_id"]), []).append(request)
    return [
        {
            "store": fact["store"],
            "order_id": fact["order_id"],
            "name": fact["name"],
            "total_minor": fact["total_minor"],
            "currency": fact["currency"],
            "accepted_at": fact["at"].isoformat(),
            "cancelled_at": _iso(cancelled.get(_key(fact))),
            "fulfilled_at": _iso(fulfilled.get(_key(fact))),
            "label_requests": labels.get(_bare(fact["order_id"]), []),
        }
        for fact in truth.of("order_accepted")
    ]


def _key(fact: dict[str, Any]) -> tuple[str, str]:
    return fact["store"], _bare(fact["order_id"])


def _bare(order_id: str | None) -> str:
    """The number at the end of `gid://shopify/Order/123`."""
    return (order_id or "").rpartition("/")[2]


def _iso(at: Any) -> str | None:
    return at.isoformat() if at is not None else None
