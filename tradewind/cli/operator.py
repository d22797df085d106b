"""Who runs a command, and the ledger that it works on."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tradewind.ledger.engine import Ledger


def operator() -> str:
    """The name for the audit trail."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "operator"


@contextmanager
def with_ledger(*, migrate: bool = False) -> Iterator[Ledger]:
    """The ledger of the settings in force; with `migrate`, made or upgraded first."""
    from tradewind.ledger.engine import open_ledger
    from tradewind.settings import load_settings

    ledger = open_ledger(load_settings(), migrate=migrate)
    try:
        yield ledger
    finally:
        ledger.close()
