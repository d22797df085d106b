"""Matching the books of many orders: each has its own differences, and a day's end is worked out in time."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.books import (
    AGREED,
    CASES,
    FO,
    ID,
    LABEL,
    ORDER,
    PAYMENT,
    RECORDED_ORDER,
    SETTLED,
    WORK,
    none,
    order_row,
)
from tradewind.domain import frames
from tradewind.domain.frames import Schema, Sides
from tradewind.domain.matching import match

IDS = ("order_id", "payment", "payment_id", "label", "fulfillment_order", "document")
FRAMES = [side.name for side in dataclasses.fields(Sides) if side.name != "settled_before"]


def numbered(sides: Sides, number: int) -> Sides:
    """The same books of another order."""
    frames_of = {name: getattr(sides, name) for name in FRAMES}
    own = {
        name: table.assign(**{column: table[column] + f"-{number}" for column in IDS if column in table})
        for name, table in frames_of.items()
    }
    return dataclasses.replace(sides, **own)


@given(st.lists(st.sampled_from([None, *CASES]), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_each_order_has_its_own_discrepancies_in_whatever_order_rows_come(faults: list[str | None], seed: int) -> None:
    each = [
        numbered(dataclasses.replace(AGREED, **(CASES[fault] if fault else {})), number)
        for number, fault in enumerate(faults)
    ]
    together = {
        name: pd.concat([getattr(one, name) for one in each]).sample(frac=1, random_state=seed) for name in FRAMES
    }
    found_together = match(Sides(settled_before=SETTLED, **together))
    assert sorted(one.kind.value for one in found_together) == sorted(fault for fault in faults if fault)


def many(schema: Schema, row: dict[str, Any], numbers: pd.Series) -> pd.DataFrame:
    """The row once per number, with every id made its own."""
    ids = {"order_id": ID, "payment": "pi_", "payment_id": "pay-", "label": "se-", "fulfillment_order": FO}
    return pd.DataFrame(
        {
            name: (ids[name] + numbers if name in ids else pd.Series([row[name]] * len(numbers))).astype(kind)
            for name, kind in schema.items()
        }
    )


@pytest.mark.parametrize("size", [100_000])
def test_large_books_match_in_linear_time(size: int) -> None:
    numbers = pd.Series(np.arange(size)).astype("str")
    recorded = {"order_id": ID}
    started = time.process_time()
    sides = Sides(
        settled_before=SETTLED,
        orders=many(frames.STORE_ORDERS, order_row(), numbers),
        payment_owners=many(frames.PAYMENT_OWNERS, ORDER, numbers),
        work=many(frames.WORK, WORK, numbers),
        payments=many(frames.PAYMENTS, PAYMENT, numbers),
        labels=many(frames.LABELS, LABEL, numbers),
        documents=none("documents"),
        recorded_orders=many(frames.RECORDED_ORDERS, RECORDED_ORDER, numbers).iloc[1:],
        recorded_payments=many(frames.RECORDED_PAYMENTS, PAYMENT | recorded, numbers),
        recorded_labels=many(frames.RECORDED_LABELS, LABEL | recorded, numbers),
        recorded_documents=none("recorded_documents"),
    )
    built = time.process_time()
    assert [d.kind.value for d in match(sides)] == ["missing_order"]
    assert time.process_time() - built < 5, f"built in {built - started:.1f} s"
