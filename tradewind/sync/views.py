"""The ledger's views as typed frames: no personal data, amounts in minor units, times in UTC."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from sqlalchemy import Connection, text

from tradewind.ledger.views import VIEWS

CHUNK = 50_000

_FLAGS = {"live", "test", "on_hold", "taxes_included", "fully_paid", "requires_shipping", "backorders"}
_NUMBERS = {
    *("subtotal", "discounts", "shipping", "tax", "tip", "duties", "total", "captured", "refunded"),
    *("presentment_total", "position", "quantity", "current_quantity", "unit_price", "discount"),
    *("authorized", "amount", "cost", "price", "on_hand", "reserved", "available"),
}


def read_view(database: Connection, view: str) -> pd.DataFrame:
    """The whole view. Raises KeyError for one that the ledger does not have."""
    return pd.concat(view_chunks(database, view), ignore_index=True)


def view_chunks(database: Connection, view: str, *, rows: int = CHUNK) -> Iterator[pd.DataFrame]:
    """The view in frames of at most so many rows, all of one shape; one without rows when it is empty."""
    VIEWS[view]
    query = text(f"SELECT * FROM {view}")  # noqa: S608 - the name is known
    result = database.execute(query, execution_options={"yield_per": rows})
    columns = list(result.keys())
    empty = True
    for chunk in result.partitions(rows):
        empty = False
        yield _typed(pd.DataFrame(list(map(tuple, chunk)), columns=columns, dtype="object"))
    if empty:
        yield _typed(pd.DataFrame(columns=columns, dtype="object"))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: _column(str(name), table[name]) for name in table})


def _column(name: str, values: pd.Series) -> pd.Series:
    """A column's type follows from its name, which means the same in every view."""
    if name.endswith("_at"):
        return pd.to_datetime(values, utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    if name in _FLAGS:
        return values.astype("boolean")
    if name in _NUMBERS:
        return values.astype("Int64")
    return values.astype("str")
