"""What became of every entry of a replayed history: the file's own totals against the ledger's, to the penny."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from tradewind.domain.money import Money
from tradewind.ledger.engine import Ledger
from tradewind.sync.reporting import read_data_sets, taken_back

SOLD = frozenset(("sale", "cancelled_sale"))
_ENDS = {"shipped": "shipped", "cancelled": "cancelled", "completed": "recorded"}


def judge_replay(replay: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    """Counts of how entries ended (shipped, cancelled, recorded, refused, or the state an order is stuck in), and where
    the ledger's total of a day and class differs from the file's."""
    books = _Books(ledger)
    ended: Counter[str] = Counter()
    totals: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in replay["invoices"]:
        end, amount = books.end_of(row)
        ended[end] += 1
        if amount is not None:
            totals[row["day"]][row["class"]] += amount
    differences = _differences(replay["totals"], totals)
    return {
        "invoices": len(replay["invoices"]),
        "classes": replay["counts"],
        "ended": dict(ended),
        "totals_equal": not differences,
        "differences": differences,
        "totals": {
            day: {kind: str(amount) for kind, amount in sorted(of.items())} for day, of in sorted(totals.items())
        },
    }


class _Books:
    def __init__(self, ledger: Ledger) -> None:
        with ledger.read() as database:
            orders = database.execute(text("SELECT name, order_id, state, total, currency FROM v_orders")).all()
            documents = database.execute(text("SELECT document, total, currency FROM v_journal")).all()
        self._orders = {row.name: row for row in orders}
        self._documents = {row.document: Money(minor=row.total, currency=row.currency) for row in documents}
        self._taken_back = taken_back(read_data_sets(ledger))
        self._claimed: defaultdict[str, Decimal] = defaultdict(Decimal)

    def end_of(self, row: dict[str, Any]) -> tuple[str, Decimal | None]:
        """How the entry ended, and its amount as the ledger has it; None when the ledger does not have it."""
        if row["class"] == "refused":
            return "refused", None
        if row["class"] in SOLD:
            order = self._orders.get(_order_name(row["invoice"]))
            if order is None:
                return "missing", None
            return _ENDS.get(order.state, order.state), Money(minor=order.total, currency=order.currency).decimal
        if row["class"] == "cancellation":
            return self._cancellation(row)
        document = self._documents.get(row["invoice"])
        return ("recorded", document.decimal) if document is not None else ("missing", None)

    def _cancellation(self, row: dict[str, Any]) -> tuple[str, Decimal | None]:
        """Its amount is in the ledger when the sale's cancellation or refunds leave at least that much unclaimed."""
        order = self._orders.get(_order_name(row["sale"]))
        back = self._taken_back.get(order.order_id) if order is not None else None
        if order is None or back is None:
            return "missing", None
        wanted = -Decimal(row["total"])
        left = back.decimal - self._claimed[order.order_id]
        self._claimed[order.order_id] += wanted
        return "cancelled", -min(wanted, max(left, Decimal(0)))


def _order_name(invoice: str) -> str:
    return invoice if invoice.startswith("#") else f"#{invoice}"


def _differences(file: dict[str, dict[str, str]], ledger: dict[str, dict[str, Decimal]]) -> list[dict[str, str]]:
    places = {(day, kind) for books in (file, ledger) for day, of in books.items() for kind in of}
    found = []
    for day, kind in sorted(places):
        told = Decimal(file.get(day, {}).get(kind, "0"))
        recorded = ledger.get(day, {}).get(kind, Decimal(0))
        if told != recorded:
            found.append({"day": day, "class": kind, "file": str(told), "ledger": str(recorded)})
    return found
