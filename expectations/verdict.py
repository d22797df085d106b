"""What a validation found, without Great Expectations' own types."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tradewind.domain.money import Money

ROWS_SHOWN = 20
"""How many failing rows a check carries; `failed` counts them all."""

_AMOUNTS = frozenset(("total", "due", "parts_total", "lines_total", "subtotal", "captured", "refunded", "authorized"))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Frozen):
    """One expectation. checked: rows looked at. failed: rows for which it does not hold; rows: the first of them.

    error: why it could not be checked at all.
    """

    suite: str
    rule: str
    says: str
    advice: str
    success: bool
    checked: int = 0
    failed: int = 0
    rows: tuple[dict[str, Any], ...] = ()
    error: str | None = None

    def rows_in_words(self) -> list[str]:
        """Each failing row in one line, with its amounts in major units."""
        return [_in_words(row) for row in self.rows]


class Verdict(_Frozen):
    """A validation of all suites. docs: the index of the Data Docs."""

    run_name: str
    taken_at: datetime
    checks: tuple[Check, ...]
    docs: Path | None = None

    @property
    def success(self) -> bool:
        return all(check.success for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.success)


def _in_words(row: dict[str, Any]) -> str:
    currency = str(row.get("currency") or "")
    values = [
        f"{name.replace('_', ' ')} {_value(name, value, currency)}"
        for name, value in row.items()
        if name not in ("row", "currency")
    ]
    return f"{row.get('row', '?')}: {', '.join(values)}" if values else str(row.get("row", "?"))


def _value(name: str, value: Any, currency: str) -> str:
    return str(Money(minor=int(value), currency=currency)) if name in _AMOUNTS and currency else str(value)
