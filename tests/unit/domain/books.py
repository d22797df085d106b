"""The books of one order, agreed on every side, and each of the ways in which they can differ."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from tradewind.domain import frames
from tradewind.domain.discrepancies import Discrepancy
from tradewind.domain.frames import Schema, Sides, frame
from tradewind.domain.matching import match

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SETTLED = AT + timedelta(hours=1)
ID = "shopify:north/gid://shopify/Order/1"
FO = "gid://shopify/FulfillmentOrder/1"

ORDER = {
    "order_id": ID,
    "connection": "shopify:north",
    "name": "#1",
    "currency": "GBP",
    "total": 1250,
    "kept": 0,
    "captured_by_store": 0,
    "refunded": 0,
    "cancelled": False,
    "paid": True,
    "on_hold": False,
    "live": True,
    "placed_at": AT,
    "updated_at": AT,
}
RECORDED_ORDER = {"order_id": ID, "name": "#1", "currency": "GBP", "total": 1250, "cancelled": False, "updated_at": AT}
PAYMENT = {
    "connection": "stripe:main",
    "payment": "pi_1",
    "payment_id": "pay-1",
    "state": "captured",
    "currency": "GBP",
    "authorized": 1250,
    "captured": 1250,
    "refunded": 0,
    "created_at": AT,
}
LABEL = {
    "connection": "shipstation:main",
    "label": "se-1",
    "shipment": "tw-1",
    "fulfillment_order": FO,
    "state": "purchased",
    "tracking_number": "T1",
    "created_at": AT,
}
DOCUMENT = {
    "connection": "backoffice:main",
    "document": "C1",
    "kind": "credit",
    "currency": "GBP",
    "total": -500,
    "business_day": "2026-11-01",
}
WORK = {"order_id": ID, "fulfillment_order": FO, "ready": False, "remaining": 0, "told": True}
OPEN_WORK = dict(WORK, ready=True, remaining=2, told=False)


def table(schema: Schema, *rows: dict[str, Any]) -> pd.DataFrame:
    return frame([tuple(row[name] for name in schema) for row in rows], schema)


def order_row(**changes: Any) -> dict[str, Any]:
    """An order of which all is due, in one currency, unless changed."""
    row = ORDER | changes
    row = {"due": row["total"], "presentment_currency": row["currency"]} | row
    amounts = {f"presentment_{name}": row[name] for name in ("due", "kept", "captured_by_store", "refunded")}
    return amounts | row


def orders(**changes: Any) -> pd.DataFrame:
    return table(frames.STORE_ORDERS, order_row(**changes))


def recorded_orders(**changes: Any) -> pd.DataFrame:
    return table(frames.RECORDED_ORDERS, RECORDED_ORDER | changes)


def payments(**changes: Any) -> pd.DataFrame:
    return table(frames.PAYMENTS, PAYMENT | changes)


def recorded_payments(**changes: Any) -> pd.DataFrame:
    return table(frames.RECORDED_PAYMENTS, PAYMENT | {"order_id": ID} | changes)


def labels(*changes: dict[str, Any]) -> pd.DataFrame:
    return table(frames.LABELS, *(LABEL | change for change in changes or ({},)))


def recorded_labels(*changes: dict[str, Any]) -> pd.DataFrame:
    return table(frames.RECORDED_LABELS, *(LABEL | {"order_id": ID} | change for change in changes or ({},)))


def work(**changes: Any) -> pd.DataFrame:
    return table(frames.WORK, WORK | changes)


def documents(**changes: Any) -> pd.DataFrame:
    return table(frames.DOCUMENTS, DOCUMENT | changes)


NOTHING = {
    "orders": table(frames.STORE_ORDERS),
    "payment_owners": table(frames.PAYMENT_OWNERS),
    "work": table(frames.WORK),
    "payments": table(frames.PAYMENTS),
    "labels": table(frames.LABELS),
    "documents": table(frames.DOCUMENTS),
    "recorded_orders": table(frames.RECORDED_ORDERS),
    "recorded_payments": table(frames.RECORDED_PAYMENTS),
    "recorded_labels": table(frames.RECORDED_LABELS),
    "recorded_documents": table(frames.DOCUMENTS),
}

AGREED = Sides(
    settled_before=SETTLED,
    orders=orders(), payment_owners=table(frames.PAYMENT_OWNERS, {"order_id": ID, "payment_id": "pay-1"}), work=work(),
    payments=payments(), labels=labels(), documents=documents(), recorded_orders=recorded_orders(),
    recorded_payments=recorded_payments(), recorded_labels=recorded_labels(), recorded_documents=documents(),
)  # fmt: skip


def found(**sides: pd.DataFrame | datetime) -> dict[str, Discrepancy]:
    """What is found when these sides are otherwise than the agreed books."""
    return {d.kind.value: d for d in match(dataclasses.replace(AGREED, **sides))}  # type: ignore[arg-type]


def none(side: str) -> pd.DataFrame:
    return NOTHING[side]


CASES: dict[str, dict[str, Any]] = {
    "missing_order": {"recorded_orders": none("recorded_orders")},
    "stale_order": {"recorded_orders": recorded_orders(updated_at=AT - timedelta(seconds=1))},
    "amount_mismatch": {"payments": payments(captured=1240), "recorded_payments": recorded_payments(captured=1240)},
    "missing_payment": {"payments": none("payments"), "recorded_payments": none("recorded_payments")},
    "unrecorded_payment": {"recorded_payments": none("recorded_payments")},
    "stale_payment": {"recorded_payments": recorded_payments(state="authorized", captured=0)},
    "uncaptured": {
        "payments": payments(state="authorized", captured=0),
        "recorded_payments": recorded_payments(state="authorized", captured=0),
    },
    "refund_mismatch": {"payments": payments(refunded=300), "recorded_payments": recorded_payments(refunded=300)},
    "missing_label": {"labels": none("labels"), "recorded_labels": none("recorded_labels")},
    "unrecorded_label": {"recorded_labels": none("recorded_labels")},
    "stale_label": {"recorded_labels": recorded_labels({"state": "voided"})},
    "duplicate_label": {
        "labels": labels({}, {"label": "se-2"}),
        "recorded_labels": recorded_labels({}, {"label": "se-2"}),
    },
    "unshipped": {
        "work": table(frames.WORK, OPEN_WORK),
        "labels": none("labels"),
        "recorded_labels": none("recorded_labels"),
    },
    "unfulfilled": {"work": table(frames.WORK, OPEN_WORK)},
    "journal_missing": {"recorded_documents": none("recorded_documents")},
    "journal_mismatch": {"recorded_documents": documents(total=-501)},
    "journal_unknown": {"documents": none("documents")},
}

CANCELLED = {
    "orders": orders(cancelled=True, refunded=1250),
    "recorded_orders": recorded_orders(cancelled=True),
    "work": work(told=False),
}
REFUNDED = {"payments": payments(refunded=1250), "recorded_payments": recorded_payments(refunded=1250)}
