"""Clean frames of the four suites, one or two rows each, to be spoilt by tests."""

from __future__ import annotations

from typing import Any

import pandas as pd

ORDER = {
    "row": "#1 (shopify:north)", "currency": "GBP", "order_id": "shopify:north/1", "connection": "shopify:north",
    "live": True, "cancelled": False, "shipped": True, "has_capture": True, "total": 1250, "due": 1250,
    "subtotal": 1000, "captured": 1250, "parts_total": 1250, "lines_total": 1000, "unknown_skus": 0, "live_labels": 1,
    "labels_of_one_parcel": 1,
}  # fmt: skip
PAYMENT = {
    "row": "pi_1 of #1", "currency": "GBP", "connection": "stripe:main", "payment": "pi_1", "order_currency": "GBP",
    "authorized": 1250, "captured": 1250, "refunded": 0,
}  # fmt: skip
STOCK = {
    "row": "MUG at Shed", "currency": "", "sku": "MUG", "location": "shed", "in_catalogue": True, "limited": True,
    "on_hand": 10, "reserved": 2, "available": 8,
}  # fmt: skip
DISCREPANCY = {
    "row": "#1: expected 0.00 GBP, found 3.00 GBP", "currency": "GBP", "kind": "refund_mismatch",
    "subject": "shopify:north/1",
}  # fmt: skip
ROWS = {"orders": ORDER, "payments": PAYMENT, "stock": STOCK, "books": DISCREPANCY}


def table(suite: str, *changes: dict[str, Any]) -> pd.DataFrame:
    """The suite's clean row once for each change."""
    template = pd.DataFrame([ROWS[suite]])
    return pd.DataFrame([ROWS[suite] | change for change in changes], columns=template.columns).astype(template.dtypes)


def clean(**spoilt: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Frames for which everything holds, with some of them replaced."""
    frames = {suite: table(suite, {}) for suite in ("orders", "payments", "stock")}
    return {**frames, "books": table("books"), **spoilt}
