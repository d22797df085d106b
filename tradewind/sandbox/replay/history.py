"""A history file as a whole: which format it has, what its entries are, what goods it sold."""

from dataclasses import dataclass
from pathlib import Path

from tradewind.sandbox.replay import shopify_export, uci
from tradewind.sandbox.replay.classes import Classified, classify
from tradewind.sandbox.replay.invoice import Invoice
from tradewind.sandbox.replay.records import HistoryUnreadable, read_records

__all__ = ["History", "HistoryUnreadable", "read_history"]


@dataclass(frozen=True)
class History:
    """Every entry of the file, classified, in the order of the file."""

    format: str  # "online-retail" or "shopify-export"
    path: str
    currency: str
    entries: tuple[Classified, ...]

    @property
    def invoices(self) -> list[Invoice]:
        """What could be read."""
        return [found.entry for found in self.entries if isinstance(found.entry, Invoice)]


def read_history(path: str | Path) -> History:
    """Read and classify a history; the format is told by the header.

    Raises HistoryUnreadable if the file cannot be read or has the columns of no known format.
    """
    path = Path(path)
    columns, records = read_records(path)
    for name, source in (("online-retail", uci), ("shopify-export", shopify_export)):
        if set(source.COLUMNS) <= set(columns):
            entries = tuple(classify(source.read(records)))
            readable = [found.entry for found in entries if isinstance(found.entry, Invoice)]
            return History(name, str(path), readable[0].currency if readable else uci.CURRENCY, entries)
    raise HistoryUnreadable(
        f"{path}: the columns are those of no known history ({', '.join(columns[:8])}, …). "
        f"Expected an online-retail file ({', '.join(uci.COLUMNS)}) "
        f"or a Shopify order export ({', '.join(shopify_export.COLUMNS)})"
    )
