"""Matching: the sides of the books in, every discrepancy out. Pure; joins are pandas', a million rows in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tradewind.domain.discrepancies import Discrepancy, DiscrepancyKind
from tradewind.domain.frames import Sides
from tradewind.domain.money import Money

_K = DiscrepancyKind
_REPORT = ["kind", "subject", "order_id", "name", "expected", "found", "difference", "currency"]


def match(sides: Sides) -> tuple[Discrepancy, ...]:
    """Every discrepancy between the sides, ordered by kind and subject; none twice."""
    payments = _owned(sides.payments, sides.recorded_payments, sides.payment_owners, "payment", "payment_id")
    labels = _owned(sides.labels, sides.recorded_labels, sides.work, "label", "fulfillment_order")
    books = _Books(sides, _with_money(sides.orders, payments), payments, labels)
    reports = [
        report
        for rule in (_orders, _recorded_payments, _charges, _recorded_labels, _parcels, _journal)
        for report in rule(books)
        if not report.empty
    ]
    if not reports:
        return ()
    table = pd.concat(reports, ignore_index=True).drop_duplicates(["kind", "subject"])
    table = table.sort_values(["kind", "subject"], kind="stable")
    names = pd.concat([sides.orders[["order_id", "name"]], sides.recorded_orders[["order_id", "name"]]])
    table["name"] = table["name"].fillna(_looked_up(table["order_id"], names, "name"))
    return tuple(_discrepancy(row) for row in table[_REPORT].itertuples(index=False, name=None))


@dataclass(frozen=True)
class _Books:
    """payments, labels: what is known of each from its provider, else from the ledger, with its order.

    orders: the storefronts' with the money of their payments.
    """

    sides: Sides
    orders: pd.DataFrame
    payments: pd.DataFrame
    labels: pd.DataFrame


def _owned(told: pd.DataFrame, recorded: pd.DataFrame, owners: pd.DataFrame, kind: str, reference: str) -> pd.DataFrame:
    """Every payment or label once, its provider's view first, with `order_id` (missing when it belongs to none).

    reference: the column by which `owners` tells the order of what is not recorded.
    """
    told, recorded = _named(told, kind), _named(recorded, kind)
    told = told.merge(recorded[["subject", "order_id"]], on="subject", how="left", indicator="source")
    told["recorded"] = told.pop("source") == "both"
    new = told.loc[~told["recorded"], reference]
    told.loc[new.index, "order_id"] = _looked_up(new, owners, "order_id")
    beyond = recorded[~_among(recorded["subject"], told["subject"])]
    return pd.concat([told, beyond.assign(recorded=True)], ignore_index=True)


def _orders(books: _Books) -> Iterator[pd.DataFrame]:
    """The storefronts' orders against the ledger's."""
    sides = books.sides
    recorded = sides.recorded_orders[["order_id", "currency", "total", "cancelled", "updated_at"]]
    both = sides.orders.merge(recorded, on="order_id", how="left", suffixes=("", "_recorded"), indicator=True)
    settled = both["updated_at"] <= sides.settled_before
    unknown = both["_merge"] == "left_only"
    missing = both[unknown & settled]
    yield _report(_K.MISSING_ORDER, missing, missing["order_id"], expected=_amount(missing, "total"), found="nothing")
    known = both[~unknown & settled & (both["updated_at"] >= both["updated_at_recorded"])]
    differs = known[
        (known["updated_at"] > known["updated_at_recorded"])
        | (known["total"] != known["total_recorded"])
        | (known["currency"] != known["currency_recorded"])
        | (known["cancelled"] != known["cancelled_recorded"])
    ]
    yield _report(
        _K.STALE_ORDER,
        differs,
        differs["order_id"],
        expected=_version(differs, ""),
        found=_version(differs, "_recorded"),
    )


def _recorded_payments(books: _Books) -> Iterator[pd.DataFrame]:
    """The processors' payments against the ledger's."""
    sides, payments = books.sides, books.payments
    settled = payments["created_at"] <= sides.settled_before
    unrecorded = payments[~payments["recorded"] & payments["order_id"].notna() & settled]
    yield _report(
        _K.UNRECORDED_PAYMENT, unrecorded, unrecorded["subject"], expected=_taken(unrecorded), found="nothing"
    )
    stray = payments[payments["order_id"].isna() & payments["state"].isin(["authorized", "captured"]) & settled]
    yield _report(_K.STRAY_PAYMENT, stray, stray["subject"], expected="an order", found=_taken(stray))
    columns = ["subject", "state", "authorized", "captured", "refunded"]
    recorded = _named(sides.recorded_payments, "payment")[columns]
    both = _named(sides.payments, "payment").merge(recorded, on="subject", suffixes=("", "_recorded"))
    differs = both[
        (both[columns[1:]].to_numpy() != both[[f"{c}_recorded" for c in columns[1:]]].to_numpy()).any(axis=1)
    ]
    differs = differs.assign(order_id=_looked_up(differs["subject"], payments, "order_id"))
    yield _report(
        _K.STALE_PAYMENT, differs, differs["subject"], expected=_taken(differs), found=_taken(differs, "_recorded")
    )


def _with_money(orders: pd.DataFrame, payments: pd.DataFrame) -> pd.DataFrame:
    """The orders with what their processors were due, captured, hold and gave back; has_payment: at all.

    An order whose processors took the customer's currency is stated in that; comparable: they took one of the two.
    paid: in full, as the storefront has it or as the processors' money says while the storefront is not told yet.
    """
    orders = orders.merge(_taken_of(payments), on="order_id", how="left", indicator="has_payment")
    orders = _in_their_currency(orders)
    amounts = orders[["captured", "returned", "held"]].fillna(0).astype("int64")
    due = orders["due"] - orders["captured_by_store"]
    # What was taken, and is kept on purpose, is due all the same.
    due = due.where(amounts["captured"] <= due, amounts["captured"].clip(upper=due + orders["kept"]))
    has_payment = orders["has_payment"] == "both"
    comparable = ~has_payment | (orders["taken_in"] == orders["currency"])
    paid = orders["paid"] | (has_payment & comparable & (amounts["captured"] >= due))
    return orders.assign(**amounts, due=due, has_payment=has_payment, comparable=comparable, paid=paid)


def _taken_of(payments: pd.DataFrame) -> pd.DataFrame:
    """One row an order with payments: their sums, and the one currency that they are in; missing for several."""
    known = payments.dropna(subset=["order_id"])
    columns = {
        "order_id": known["order_id"],
        "captured": known["captured"],
        "returned": known["refunded"],
        "held": known["authorized"].where(known["state"] == "authorized", 0),
    }
    sums = pd.DataFrame(columns).groupby("order_id", as_index=False).sum()
    each = known[["order_id", "currency"]].drop_duplicates()
    single = each[~each.duplicated("order_id", keep=False)].rename(columns={"currency": "taken_in"})
    return sums.merge(single, on="order_id", how="left")


def _in_their_currency(orders: pd.DataFrame) -> pd.DataFrame:
    """What the storefront says is due, captured and refunded, in the currency that the processors took if it can."""
    foreign = (orders["taken_in"] == orders["presentment_currency"]).fillna(False).astype("bool")
    columns = ("currency", "due", "kept", "captured_by_store", "refunded")
    names = {"currency": "presentment_currency"} | {name: f"presentment_{name}" for name in columns[1:]}
    return orders.assign(**{name: orders[name].where(~foreign, orders[names[name]]) for name in columns})


def _charges(books: _Books) -> Iterator[pd.DataFrame]:
    """The storefronts' orders against the money that their processors took."""
    orders = books.orders[books.orders["updated_at"] <= books.sides.settled_before]
    charged = _among(orders["order_id"], books.sides.payment_owners["order_id"])
    nowhere = orders[charged & ~orders["has_payment"] & ~orders["cancelled"] & (orders["due"] > 0)]
    yield _report(
        _K.MISSING_PAYMENT, nowhere, nowhere["order_id"], expected=_amount(nowhere, "due"), found="no payment"
    )
    yield from _settlement(orders[orders["has_payment"] & orders["comparable"]])


def _settlement(orders: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """orders: those with money at the processor: due, captured, held, refunded (told by the store), returned."""
    cancelled, waits = orders["cancelled"], orders["held"] > 0
    uncaptured = orders[waits & ~cancelled & orders["live"] & (orders["captured"] < orders["due"])]
    yield _compared(_K.UNCAPTURED, uncaptured, "due", "captured")
    unreleased = orders[waits & cancelled & orders["live"]]
    yield _report(
        _K.UNRELEASED, unreleased, unreleased["order_id"], expected="released", found=_amount(unreleased, "held")
    )
    # What was captured too much and is back already, beyond what the store told to give back, is captured no more.
    beyond = (orders["returned"] - orders["refunded"]).clip(lower=0)
    excess = (orders["captured"] - orders["due"]).clip(lower=0).where(~cancelled, 0)
    mended = beyond.where(beyond < excess, excess)
    orders = orders.assign(captured=orders["captured"] - mended, returned=orders["returned"] - mended)
    other = orders[~cancelled & (orders["captured"] > 0) & (orders["captured"] != orders["due"])]
    yield _compared(_K.AMOUNT_MISMATCH, other, "due", "captured")
    # Tradewind gives everything back for a cancelled order; for others the store says how much.
    told = orders[["refunded", "captured"]].min(axis=1)
    owed = told.where(~(cancelled & orders["live"]), orders["captured"])
    wrong = orders.assign(owed=owed)
    wrong = wrong[wrong["owed"] != wrong["returned"]]
    yield _compared(_K.REFUND_MISMATCH, wrong, "owed", "returned")


def _recorded_labels(books: _Books) -> Iterator[pd.DataFrame]:
    """The carriers' labels against the ledger's."""
    sides, labels = books.sides, books.labels
    settled = labels["created_at"] <= sides.settled_before
    unrecorded = labels[~labels["recorded"] & labels["order_id"].notna() & settled]
    yield _report(_K.UNRECORDED_LABEL, unrecorded, unrecorded["subject"], expected=unrecorded["state"], found="nothing")
    # A label that names no fulfillment order was bought by hand, and is the merchant's own affair.
    ours = labels["fulfillment_order"].notna()
    stray = labels[labels["order_id"].isna() & ours & (labels["state"] == "purchased") & settled]
    yield _report(_K.STRAY_LABEL, stray, stray["subject"], expected="an order", found=_tracking(stray))
    recorded = _named(sides.recorded_labels, "label")[["subject", "order_id", "state"]]
    both = _named(sides.labels, "label").merge(recorded, on="subject", suffixes=("", "_recorded"))
    differs = both[both["state"] != both["state_recorded"]]
    yield _report(
        _K.STALE_LABEL, differs, differs["subject"], expected=differs["state"], found=differs["state_recorded"]
    )


def _parcels(books: _Books) -> Iterator[pd.DataFrame]:
    """The storefronts' fulfillment orders against the carriers' live labels."""
    sides = books.sides
    live = books.labels[(books.labels["state"] == "purchased") & books.labels["order_id"].notna()]
    yield from _one_label_each(live, sides)
    work = sides.work.merge(books.orders, on="order_id")
    # What tradewind may not command is shipped by someone else: without labels of ours.
    ours = work["live"] & ~work["cancelled"] & (work["updated_at"] <= sides.settled_before)
    labelled = _among(work["fulfillment_order"], live["fulfillment_order"])
    waits = (work["remaining"] > 0) & work["ready"] & ours
    unshipped = work[waits & ~labelled & work["paid"] & ~work["on_hold"]]
    yield _report(
        _K.UNSHIPPED, unshipped, unshipped["fulfillment_order"],
        expected="a label", found=unshipped["remaining"].astype("str") + " units waiting",
    )  # fmt: skip
    untold = work[waits & labelled & ~work["told"]]
    yield _report(_K.UNFULFILLED, untold, untold["fulfillment_order"], expected="fulfilled", found="open in the store")
    unlabelled = work[work["told"] & ours & ~labelled]
    yield _report(
        _K.MISSING_LABEL, unlabelled, unlabelled["fulfillment_order"], expected="a live label", found="no label"
    )


def _one_label_each(live: pd.DataFrame, sides: Sides) -> Iterator[pd.DataFrame]:
    """live: labels that are not voided, with their orders."""
    again = live[live["fulfillment_order"].notna() & live.duplicated("fulfillment_order", keep=False)]
    each = again.groupby("fulfillment_order").agg(order_id=("order_id", "first"), count=("subject", "size"))
    each = each.reset_index()
    yield _report(
        _K.DUPLICATE_LABEL, each, each["fulfillment_order"],
        expected="1 live label", found=each["count"].astype("str") + " live labels",
    )  # fmt: skip
    # What the store was told of has left: the parcel is to come back, and its label is not voided.
    left = sides.work.loc[sides.work["told"], "fulfillment_order"]
    live = live[~_among(live["fulfillment_order"].fillna(""), left)]
    gone = pd.concat([orders.loc[orders["cancelled"], "order_id"] for orders in (sides.orders, sides.recorded_orders)])
    late = live[_among(live["order_id"], gone) & (live["created_at"] <= sides.settled_before)]
    yield _report(_K.LABEL_AFTER_CANCEL, late, late["subject"], expected="voided", found=_tracking(late))


def _journal(books: _Books) -> Iterator[pd.DataFrame]:
    """The back office's documents against the ledger's."""
    told = _named(books.sides.documents, "document")
    recorded = _named(books.sides.recorded_documents, "document")
    both = told.merge(recorded, on="subject", how="outer", suffixes=("", "_recorded"), indicator=True)
    missing = both[both["_merge"] == "left_only"]
    yield _report(
        _K.JOURNAL_MISSING, missing, missing["subject"],
        name=missing["document"], expected=_amount(missing, "total"), found="nothing",
    )  # fmt: skip
    unknown = both[both["_merge"] == "right_only"]
    yield _report(
        _K.JOURNAL_UNKNOWN, unknown, unknown["subject"],
        name=unknown["document_recorded"], expected="nothing", found=_amount(unknown, "total_recorded"),
    )  # fmt: skip
    pair = both[both["_merge"] == "both"]
    columns = ["kind", "currency", "total", "business_day"]
    differs = pair[(pair[columns].to_numpy() != pair[[f"{c}_recorded" for c in columns]].to_numpy()).any(axis=1)]
    yield _report(
        _K.JOURNAL_MISMATCH, differs, differs["subject"],
        name=differs["document"],
        expected=differs["kind"] + " " + _amount(differs, "total"),
        found=differs["kind_recorded"] + " " + _amount(differs, "total_recorded"),
    )  # fmt: skip


def _named(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """With `subject`, the address of each row's resource."""
    return rows.assign(subject=rows["connection"] + f"/{kind}/" + rows[kind])


def _among(keys: pd.Series[str], others: pd.Series[str]) -> pd.Series[bool]:
    # Ten times faster than asking Arrow's strings themselves.
    return keys.astype("object").isin(others.astype("object"))


def _looked_up(keys: pd.Series[str], rows: pd.DataFrame, column: str) -> pd.Series[str]:
    """For each key the column of the first row with the key under the same name; missing for none."""
    name = str(keys.name)
    table = rows.dropna(subset=[name]).drop_duplicates(name).set_index(name)
    return keys.map(table[column]).astype("str")


def _amount(rows: pd.DataFrame, column: str) -> pd.Series[str]:
    """Amounts as text, e.g. `12.50 GBP`; only ever of the few rows that are reported."""
    currency = "currency_recorded" if column.endswith("_recorded") else "currency"
    amounts = zip(rows[column], rows[currency], strict=True)
    return pd.Series([str(Money(minor=int(minor), currency=code)) for minor, code in amounts], rows.index, dtype="str")


def _taken(payments: pd.DataFrame, side: str = "") -> pd.Series[str]:
    captured = _amount(payments.assign(amount=payments[f"captured{side}"]), "amount")
    refunded = _amount(payments.assign(amount=payments[f"refunded{side}"]), "amount")
    return payments[f"state{side}"] + ", captured " + captured + ", refunded " + refunded


def _version(orders: pd.DataFrame, side: str) -> pd.Series[str]:
    state = orders[f"cancelled{side}"].map({True: "cancelled", False: "open"}).astype("str")
    return _amount(orders, f"total{side}") + ", " + state + ", of " + orders[f"updated_at{side}"].astype("str")


def _tracking(labels: pd.DataFrame) -> pd.Series[str]:
    return "live label " + labels["tracking_number"].fillna("without tracking")


def _compared(kind: DiscrepancyKind, orders: pd.DataFrame, expected: str, found: str) -> pd.DataFrame:
    """A report on orders of which one amount should equal another."""
    return _report(
        kind, orders, orders["order_id"],
        expected=_amount(orders, expected), found=_amount(orders, found), difference=orders[found] - orders[expected],
    )  # fmt: skip


def _report(
    kind: DiscrepancyKind, rows: pd.DataFrame, subject: pd.Series[str], **columns: pd.Series[str] | pd.Series[int] | str
) -> pd.DataFrame:
    """The rows in the shape that `_discrepancy` reads."""
    report = rows.assign(kind=kind.value, subject=subject, **columns)
    return report.reindex(columns=_REPORT).astype("object")


def _discrepancy(row: tuple[Any, ...]) -> Discrepancy:
    values = {key: value for key, value in zip(_REPORT, row, strict=True) if not pd.isna(value)}
    currency = values.pop("currency", None)
    if "difference" in values:
        values["difference"] = Money(minor=int(str(values["difference"])), currency=str(currency))
    return Discrepancy.model_validate(values)
