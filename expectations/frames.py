"""What is validated: one frame per suite, made of the ledger's views. No personal data, amounts in minor units.

Every frame has `row`, by which a person knows the row, and `currency`, in which its amounts are (empty for none).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from tradewind.domain.discrepancies import EXPLANATIONS, DiscrepancyKind
from tradewind.ledger import catalogue, discrepancies
from tradewind.ledger.engine import Ledger
from tradewind.sync.reporting import read_data_sets

Frames = Mapping[str, pd.DataFrame]

SHIPPED = ("labelled", "partially_shipped", "shipped", "delivered", "delivery_failed")
"""States of an order's goods for which a parcel is packed or on its way."""
COMING_BACK = ("return_requested", "returned")
"""States of an order's goods for which a parcel had left: of a cancelled order its label is not voided."""


def read_frames(ledger: Ledger) -> dict[str, pd.DataFrame]:
    """The frames of the suites `orders`, `payments`, `stock` and `books`, as the ledger is now."""
    data = read_data_sets(ledger)
    with ledger.read() as database:
        items = [item for item in catalogue.items(database) if item.sku]
        open_rows = discrepancies.open(database)
    rows = [(item.sku, item.backorders) for item in items]
    known = pd.DataFrame(rows, columns=["sku", "backorders"]).astype({"sku": "str", "backorders": "bool"})
    places = {level.location: level.location_name for item in items for level in item.levels}
    counted = {(item.sku, level.location) for item in items for level in item.levels}
    return {
        "orders": orders_frame(data, known),
        "payments": payments_frame(data),
        "stock": stock_frame(data, known, places, counted),
        "books": books_frame(open_rows),
    }


def orders_frame(data: Frames, known: pd.DataFrame) -> pd.DataFrame:
    """One row an order that the storefront has described; test orders are left out. known: (sku, backorders).

    captured: less what was captured too much and went back.
    """
    orders = data["orders"]
    orders = orders[orders["currency"].notna() & ~orders["test"].astype("bool")].reset_index(drop=True)
    amounts = {column: orders[column].astype("int64") for column in ("total", "due", "subtotal")}
    amounts["captured"] = orders["captured"].astype("int64") - _mended(orders, data["refunds"])
    extra = orders["tax"].where(~orders["taxes_included"].astype("bool"), 0)
    parts = orders["subtotal"] + orders["shipping"] + extra + orders["tip"] + orders["duties"]
    lines, labels = data["lines"], data["labels"]
    net = lines["quantity"] * lines["unit_price"] - lines["discount"]
    unknown = lines["sku"].notna() & ~lines["sku"].isin(known["sku"].unique())
    live = labels[labels["state"] == "purchased"]
    parcels = live[live["fulfillment_order_id"] != ""].groupby(["order_id", "fulfillment_order_id"]).size()
    return pd.DataFrame(
        {
            "row": orders["name"] + " (" + orders["connection"] + ")",
            "currency": orders["currency"],
            "order_id": orders["order_id"],
            "connection": orders["connection"],
            "live": orders["live"].astype("bool"),
            "cancelled": orders["cancelled_at"].notna(),
            "shipped": orders["fulfilment_state"].isin(SHIPPED),
            "has_capture": amounts["captured"] > 0,
            **amounts,
            "parts_total": parts.astype("int64"),
            "lines_total": _per_order(orders, net.groupby(lines["order_id"]).sum()),
            "unknown_skus": _per_order(orders, unknown.groupby(lines["order_id"]).sum()),
            "live_labels": _per_order(orders, live.groupby("order_id").size()).where(
                ~orders["fulfilment_state"].isin(COMING_BACK), 0
            ),
            "labels_of_one_parcel": _per_order(orders, parcels.groupby("order_id").max()),
        }
    )


def _mended(orders: pd.DataFrame, refunds: pd.DataFrame) -> pd.Series:
    """Of what was captured beyond what is due, as much as is back already beyond the store's own refunds."""
    refunds = refunds[refunds["connection"] == refunds["order_connection"]]
    by_store = _per_order(orders, refunds["amount"].astype("int64").groupby(refunds["order_id"]).sum())
    captured, due, refunded = (orders[column].astype("int64") for column in ("captured", "due", "refunded"))
    beyond, excess = (refunded - by_store).clip(lower=0), (captured - due).clip(lower=0)
    return beyond.where(beyond < excess, excess)


def payments_frame(data: Frames) -> pd.DataFrame:
    """One row a payment at a processor. order_currency: the one of its order's two that it is in, else the shop's."""
    payments = data["payments"]
    payments = payments[payments["kind"] == "payment"].reset_index(drop=True)
    orders = data["orders"].set_index("order_id")
    shop, shown = (payments["order_id"].map(orders[name]) for name in ("currency", "presentment_currency"))
    return pd.DataFrame(
        {
            "row": payments["payment_external_id"] + " of " + payments["order_name"].fillna("an unknown order"),
            "currency": payments["currency"],
            "connection": payments["connection"],
            "payment": payments["payment_external_id"],
            "order_currency": shown.where(payments["currency"] == shown, shop).astype("str"),
            **{column: payments[column].astype("int64") for column in ("authorized", "captured", "refunded")},
        }
    )


def stock_frame(
    data: Frames, known: pd.DataFrame, places: Mapping[str, str], counted: Collection[tuple[str, str]]
) -> pd.DataFrame:
    """One row a SKU at a location. places: names of locations.

    limited: no more can be sold than is there: a storefront's count has been read (counted: those (sku, location)),
    and no storefront sells it at zero stock. Before the first catalog-sync has read a count, sales alone are known.
    """
    stock = data["stock"]
    where = stock["location"].map(dict(places)).astype("str").fillna(stock["location"])
    backorders = known.groupby("sku")["backorders"].max()
    read = pd.Series([place in counted for place in zip(stock["sku"], stock["location"], strict=True)], dtype="bool")
    return pd.DataFrame(
        {
            "row": stock["sku"] + " at " + where,
            "currency": pd.Series("", index=stock.index, dtype="str"),
            "sku": stock["sku"],
            "location": stock["location"],
            "in_catalogue": stock["sku"].isin(backorders.index),
            "limited": read & ~stock["sku"].map(backorders).eq(True),
            **{column: stock[column].astype("int64") for column in ("on_hand", "reserved", "available")},
        }
    )


def books_frame(rows: list[discrepancies.DiscrepancyRow]) -> pd.DataFrame:
    """One row an open discrepancy; where the ledger lagged only when a repair has not mended it by the next run."""
    kept = [row for row in rows if not _being_repaired(row)]
    return pd.DataFrame(
        {
            "row": [_in_words(row) for row in kept],
            "currency": [row.currency or "" for row in kept],
            "kind": [row.kind for row in kept],
            "subject": [row.subject for row in kept],
        }
    ).astype("str")


def _in_words(row: discrepancies.DiscrepancyRow) -> str:
    name = row.detail.partition(": ")[0]
    return f"{name}: expected {row.expected or 'nothing'}, found {row.found or 'nothing'}"


def _being_repaired(row: discrepancies.DiscrepancyRow) -> bool:
    lags = EXPLANATIONS[DiscrepancyKind(row.kind)].ledger_lags
    return lags and row.first_found_at == row.last_found_at


def _per_order(orders: pd.DataFrame, values: pd.Series) -> pd.Series:
    return orders["order_id"].map(values).fillna(0).astype("int64")
