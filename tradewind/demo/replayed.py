"""What became of every entry of a replayed history: the file's own totals against the ledger's, to the penny."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tradewind.domain.money import Money
from tradewind.ledger.engine import Ledger
from tradewind.sync.reporting import read_data_sets, taken_back

if TYPE_CHECKING:
    import pandas as pd

SOLD = frozenset(("sale", "cancelled_sale"))
_ENDS = {"shipped": "shipped", "cancelled": "cancelled", "completed": "recorded"}


def judge_replay(replay: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    """Counts of how entries ended (shipped, cancelled, recorded, refused, or the state an order is stuck in), and where
    the ledger's total of a day and class differs from the file's."""
    books = _Books(ledger)
    ended: Counter[str] = Counter()
    totals: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in replay["invoices"]:
        found = books.end_of(row)
        ended[found.end] += 1
        if found.amount is not None:
            totals[found.day][found.kind] += found.amount
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


class _Found(NamedTuple):
    """What the ledger has of an entry. amount: None when it has nothing."""

    end: str
    day: str = ""
    kind: str = ""
    amount: Decimal | None = None


class _Books:
    def __init__(self, ledger: Ledger) -> None:
        frames = read_data_sets(ledger)
        self._orders = _rows(frames["orders"], "name")
        self._documents = _rows(frames["journal"], "document")
        self._taken_back = taken_back(frames)
        self._claimed: defaultdict[str, Decimal] = defaultdict(Decimal)

    def end_of(self, row: dict[str, Any]) -> _Found:
        """How the entry ended; its day, class and amount as the ledger has them."""
        if row["class"] == "refused":
            return _Found("refused")
        if row["class"] in SOLD:
            return self._sale(row)
        if row["class"] == "cancellation":
            return self._cancellation(row)
        document = self._documents.get(row["invoice"])
        if document is None:
            return _Found("missing")
        return _Found("recorded", document.business_day, document.kind, _decimal(document))

    def _sale(self, row: dict[str, Any]) -> _Found:
        order = self._orders.get(_order_name(row["invoice"]))
        if order is None:
            return _Found("missing")
        day = order.processed_at.strftime("%Y-%m-%d")
        return _Found(_ENDS.get(order.state, order.state), day, row["class"], _decimal(order))

    def _cancellation(self, row: dict[str, Any]) -> _Found:
        """Its amount is in the ledger when the sale's cancellation or refunds leave at least that much unclaimed.

        It counts for the day of the file: in the ledger it happened on the day of the replay.
        """
        order = self._orders.get(_order_name(row["sale"]))
        back = self._taken_back.get(order.order_id) if order is not None else None
        if order is None or back is None:
            return _Found("missing")
        wanted = -Decimal(row["total"])
        left = back.decimal - self._claimed[order.order_id]
        self._claimed[order.order_id] += wanted
        return _Found("cancelled", row["day"], row["class"], -min(wanted, max(left, Decimal(0))))


def _rows(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    return {str(getattr(row, name)): row for row in frame.itertuples(index=False)}


def _decimal(row: Any) -> Decimal:
    return Money(minor=int(row.total), currency=row.currency).decimal


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
