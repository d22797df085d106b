"""Block of the ledger."""

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.settings import load_settings


class LedgerDatabase(Block):
    """The ledger that the flows work on. Without the block they use the settings of the process they run in.

    Example:
        ```python
        from blocks import LedgerDatabase

        with LedgerDatabase.load("ledger").open().read() as database:
            ...
        ```
    """

    _block_type_name = "Ledger"
    _block_type_slug = "tradewind-ledger"
    _description = "The database of orders, payments, stock, inbox and outbox."
    _logo_url = "https://cdn.simpleicons.org/sqlite"  # type: ignore[assignment]

    database_url: SecretStr = Field(description="SQLAlchemy address, e.g. `postgresql+psycopg://user@host/tradewind`.")
    keys_url: SecretStr = Field(description="SQLAlchemy address of the key store, kept and backed up apart.")

    def open(self) -> Ledger:
        """Open it with the master key of the process. Raises ConfigurationError, LedgerTooNew."""
        addresses = {
            "database_url": self.database_url.get_secret_value(),
            "keys_url": self.keys_url.get_secret_value(),
        }
        return open_ledger(load_settings().model_copy(update=addresses))
