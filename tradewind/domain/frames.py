"""The two sides of the books as pandas frames: which columns, which types, and how rows get into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

Schema = Mapping[str, str]
_AT: Final = "datetime64[us, UTC]"


def _schema(text: str, **others: str) -> Schema:
    return MappingProxyType({**dict.fromkeys(text.split(), "str"), **others})


STORE_ORDERS = _schema(
    "order_id connection name currency presentment_currency", total="int64",
    due="int64", kept="int64", captured_by_store="int64", refunded="int64",
    presentment_due="int64", presentment_kept="int64", presentment_captured_by_store="int64",
    presentment_refunded="int64",
    cancelled="bool", paid="bool", on_hold="bool", live="bool", placed_at=_AT, updated_at=_AT,
)  # fmt: skip
"""One row an order as its storefront has it. Amounts: minor units. paid: the store holds it for paid in full.

due: what the order costs as it is now, and what was given back of it. kept: what refunds took off beside, and the
merchant may keep. refunded: what the store said is to go back and did not give back itself, e.g. on a gift card.
presentment_*: in the customer's currency."""

PAYMENT_OWNERS = _schema("order_id payment_id")
"""Which payment at the processor an order names: one row a storefront transaction that the processor captures."""

WORK = _schema("order_id fulfillment_order", ready="bool", remaining="int64", told="bool")
"""One row a fulfillment order. ready: may be shipped now. remaining: units. told: the store has a fulfillment of it.

Of an order that only the ledger knows: not ready, nothing remaining, not told."""

RECORDED_ORDERS = _schema("order_id name currency", total="int64", cancelled="bool", updated_at=_AT)
"""One row an order as the ledger has it."""

PAYMENTS = _schema(
    "connection payment payment_id state currency", authorized="int64", captured="int64", refunded="int64",
    created_at=_AT,
)  # fmt: skip
"""One row a payment as its processor has it. payment_id: the checkout's, which the order names; missing for none."""

RECORDED_PAYMENTS = _schema(
    "order_id connection payment payment_id state currency", authorized="int64", captured="int64", refunded="int64",
    created_at=_AT,
)  # fmt: skip

LABELS = _schema("connection label shipment fulfillment_order state tracking_number", created_at=_AT)
"""One row a label as its carrier has it."""

RECORDED_LABELS = _schema("order_id connection label shipment fulfillment_order state tracking_number", created_at=_AT)

DOCUMENTS = _schema("connection document kind currency", total="int64", business_day="str")
"""One row a document of the back office. business_day: ISO date."""


def frame(rows: Iterable[tuple[object, ...]], schema: Schema) -> pd.DataFrame:
    """Rows, in the schema's order of columns, as a typed frame (typed when empty too)."""
    return conform(pd.DataFrame(list(rows), columns=list(schema), dtype=object), schema)


def conform(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The schema's columns of a table, with the schema's types; times without a zone are UTC."""
    return pd.DataFrame({name: _typed(table[name], kind) for name, kind in schema.items()})


def _typed(column: pd.Series[Any], kind: Any) -> pd.Series[Any]:
    if kind == _AT:
        return pd.to_datetime(column, utc=True, format="ISO8601").astype(_AT)
    typed: pd.Series[Any] = column.astype(kind)
    return typed


@dataclass(frozen=True)
class Sides:
    """Everything that is compared, each side in a frame of its schema.

    settled_before: what is younger may be on its way still and is no discrepancy yet.
    payment_owners, work: which order a payment's `payment_id`, a label's fulfillment order belongs to; of every order
    that the storefront listed, and of those that only the ledger knows.
    recorded_*: what the ledger has of everything listed, however old it is.
    """

    settled_before: datetime
    orders: pd.DataFrame
    payment_owners: pd.DataFrame
    work: pd.DataFrame
    payments: pd.DataFrame
    labels: pd.DataFrame
    documents: pd.DataFrame
    recorded_orders: pd.DataFrame
    recorded_payments: pd.DataFrame
    recorded_labels: pd.DataFrame
    recorded_documents: pd.DataFrame
