"""A shop's real order history, read and sorted into what a storefront can carry and what the back office books.

The classes are explained in docs/replay.md.
"""

from tradewind.sandbox.replay.classes import Classified, InvoiceClass
from tradewind.sandbox.replay.history import History, HistoryUnreadable, read_history
from tradewind.sandbox.replay.report import ReplayReport

__all__ = ["Classified", "History", "HistoryUnreadable", "InvoiceClass", "ReplayReport", "read_history"]
