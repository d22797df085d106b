"""What became of each entry of a replayed history, and totals per day and class."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tradewind.sandbox.replay.classes import Classified, InvoiceClass
from tradewind.sandbox.replay.history import History
from tradewind.sandbox.replay.invoice import Refusal


@dataclass
class _Row:
    found: Classified
    outcome: dict[str, str]
    refusal: str | None = None


class ReplayReport:
    """One row per entry of the file. It starts as the classification; the outcome is added as the replay goes on."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._rows = {found.entry.number: _Row(found, {}) for found in history.entries}

    def note(self, number: str, **outcome: str) -> None:
        """Add what became of an entry: store, order_id, order_name, document, result."""
        self._rows[number].outcome.update(outcome)

    def refuse(self, number: str, reason: str) -> None:
        """Count an entry as refused after all: the store did not take it."""
        self._rows[number].refusal = reason

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: rows in the order of the file; totals as decimal strings, refused entries left out of them."""
        return {
            "format": self._history.format,
            "file": self._history.path,
            "currency": self._history.currency,
            "invoices": [self._row(row) for row in self._rows.values()],
            "counts": dict(Counter(_kind(row) for row in self._rows.values())),
            "refused": dict(Counter(_reason(row) for row in self._rows.values() if _reason(row))),
            "totals": self.totals(),
        }

    def totals(self) -> dict[str, dict[str, str]]:
        """Per day (UTC) and class the sum of the entries' totals."""
        sums: dict[str, dict[str, Decimal]] = {}
        for row in self._rows.values():
            if _kind(row) is not InvoiceClass.REFUSED:
                invoice = row.found.invoice
                of_day = sums.setdefault(invoice.day, {})
                of_day[row.found.kind] = of_day.get(row.found.kind, Decimal(0)) + invoice.total
        return {
            day: {str(kind): str(total) for kind, total in sorted(of_day.items())}
            for day, of_day in sorted(sums.items())
        }

    def _row(self, row: _Row) -> dict[str, Any]:
        number = row.found.entry.number
        if isinstance(row.found.entry, Refusal):
            return {"invoice": number, "class": "refused", "reason": _reason(row), "total": None, "day": None}
        invoice = row.found.invoice
        shown = {"invoice": number, "class": str(_kind(row)), "total": str(invoice.total), "day": invoice.day}
        if row.found.sale:
            shown["sale"] = row.found.sale
        if invoice.refunded:
            shown["refunded"] = str(invoice.refunded)
        if row.refusal:
            shown["reason"] = row.refusal
        return shown | row.outcome


def _kind(row: _Row) -> InvoiceClass:
    return InvoiceClass.REFUSED if row.refusal else row.found.kind


def _reason(row: _Row) -> str | None:
    return row.found.entry.reason if isinstance(row.found.entry, Refusal) else row.refusal
